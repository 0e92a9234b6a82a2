//! Behavior of REST that the recordings do not cover: hostile names, tables changed outside the API, visibility.

use reqwest::{Client, Method};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use settings::token::{Credentials, Token};

use crate::astra::{block_on, local_astra};

/// A client with a separate keyspace.
struct Rest {
    keyspace: String,
    token: String,
    client: Client,
}

impl Rest {
    fn new(token: String) -> Rest {
        Rest {
            keyspace: local_astra().keyspace(),
            token,
            client: crate::astra::client(),
        }
    }

    /// Sends a request below `/keyspaces/{keyspace}/` or, with `schema:`, below `/schemas/keyspaces/{keyspace}/`.
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let base = format!("{}/api/rest/v2", local_astra().url());
        let url = match path.strip_prefix("schema:") {
            Some(path) => format!("{base}/schemas/keyspaces/{}/{path}", self.keyspace),
            None => format!("{base}/keyspaces/{}/{path}", self.keyspace),
        };
        let mut request = self.client.request(method, url);
        request = request.header("X-Cassandra-Token", &self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn create(&self, table: &str, columns: &[(&str, &str)]) {
        let definitions: Vec<Value> = columns
            .iter()
            .map(|(name, typ)| json!({"name": name, "typeDefinition": typ}))
            .collect();
        let body = json!({"name": table, "columnDefinitions": definitions,
            "primaryKey": {"partitionKey": [columns[0].0]}});
        let (status, said) = self.ask(Method::POST, "schema:tables", Some(body)).await;
        assert_eq!(status, 201, "{said}");
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[test]
fn hostile_names_and_values_never_change_a_statement() {
    let rest = Rest::new(local_astra().application());
    block_on(async {
        rest.create("victim", &[("a", "text")]).await;
        let key = "k\" = 'x'; DROP TABLE victim; --";
        let column = "m['x']) VALUES (1); --";
        rest.create(
            "hostile",
            &[(key, "text"), (column, "text"), ("m", "map<text, int>")],
        )
        .await;
        for value in [
            "x' OR '1'='1",
            "'); DROP TABLE victim; --",
            "\"; TRUNCATE victim; --",
            "a/b?c#d%2F;e",
            "{'a': 1}",
            "\u{0}\n\u{202e}€",
            " ",
        ] {
            let row = json!({key: value, column: value, "m": {value: 1}});
            let (status, said) = rest.ask(Method::POST, "hostile", Some(row.clone())).await;
            assert_eq!((status, &said), (201, &row));
            let path = format!("hostile/{}", encoded(value));
            let (status, said) = rest.ask(Method::GET, &path, None).await;
            assert_eq!((status, &said["data"]), (200, &json!([row])), "{value:?}");
            let filter = json!({key: {"$eq": value}});
            let search = format!(
                "hostile?where={}&fields={}",
                encoded(&filter.to_string()),
                encoded(column)
            );
            let (status, said) = rest.ask(Method::GET, &search, None).await;
            assert_eq!((status, &said["data"]), (200, &json!([{column: value}])));
            let change = json!({column: "changed"});
            let (status, said) = rest.ask(Method::PATCH, &path, Some(change.clone())).await;
            assert_eq!((status, &said["data"]), (200, &change));
            let (status, _) = rest.ask(Method::DELETE, &path, None).await;
            assert_eq!(status, 204);
            let (_, said) = rest.ask(Method::GET, &path, None).await;
            assert_eq!(said["count"], 0, "{value:?}");
        }
        for field in [
            "m['x'] FROM victim; --",
            "m['a'], now() --']",
            "count(*)",
            "*",
            "token(a)",
        ] {
            // A comma parts fields; the parts are names, and no such columns are there.
            let path = format!("hostile/x?fields={}", encoded(field));
            let (status, said) = rest.ask(Method::GET, &path, None).await;
            assert_eq!(status, 400, "{field}: {said}");
        }
        for typ in [
            "text, b text",
            "text) WITH comment = 'x'; --",
            "list<text>) --",
        ] {
            let body = json!({"name": "b", "typeDefinition": typ});
            let path = "schema:tables/victim/columns";
            let (status, said) = rest.ask(Method::POST, path, Some(body)).await;
            assert!(status == 400 || status == 500, "{typ}: {said}");
        }
        let (status, said) = rest
            .ask(Method::GET, "schema:tables/victim/columns", None)
            .await;
        let columns = json!([{"name": "a", "typeDefinition": "text", "static": false}]);
        assert_eq!((status, &said["data"]), (200, &columns));
    });
}

#[test]
fn a_table_that_was_made_anew_is_not_the_old_one() {
    let rest = Rest::new(local_astra().application());
    block_on(async {
        for (typ, key) in [
            ("text", json!("5")),
            ("int", json!(5)),
            ("text", json!("5")),
        ] {
            rest.create("t", &[("a", typ)]).await;
            let row = json!({"a": key});
            let (status, said) = rest.ask(Method::POST, "t", Some(row.clone())).await;
            assert_eq!((status, &said), (201, &row));
            let (status, said) = rest.ask(Method::GET, "t/5", None).await;
            assert_eq!((status, &said["data"]), (200, &json!([row])));
            let (status, _) = rest.ask(Method::DELETE, "schema:tables/t", None).await;
            assert_eq!(status, 204);
        }
    });
}

#[test]
fn a_table_made_over_cql_is_found_at_once() {
    let rest = Rest::new(local_astra().application());
    block_on(async {
        let cql = local_astra().cql().await;
        let keyspace = &rest.keyspace;
        for name in ["one", "two", "three"] {
            let made = format!("CREATE TABLE {keyspace}.{name} (a int PRIMARY KEY, b text)");
            cql.query_unpaged(made, ()).await.unwrap();
            let row = json!({"a": 1, "b": "x"});
            let (status, said) = rest.ask(Method::POST, name, Some(row.clone())).await;
            assert_eq!((status, &said), (201, &row));
        }
    });
}

#[test]
fn a_token_sees_what_it_was_granted() {
    let operator = Rest::new(local_astra().operator());
    let credentials = Credentials::generate().unwrap();
    let token = Token::of(&credentials.client_id, &credentials.secret).unwrap();
    block_on(async {
        operator.create("t", &[("a", "int")]).await;
        let cql = local_astra().cql().await;
        access::create_role(&cql, &token, false).await.unwrap();
        let nobody = Rest {
            keyspace: operator.keyspace.clone(),
            token: token.text().expose_secret().to_owned(),
            client: crate::astra::client(),
        };
        let (status, said) = nobody.ask(Method::GET, "t/1", None).await;
        assert_eq!(
            (status, &said["grpcStatus"]),
            (401, &json!("PERMISSION_DENIED"))
        );
        let (status, said) = nobody.ask(Method::GET, "schema:tables/t", None).await;
        let wanted = json!(format!("Unauthorized table: {}.t", nobody.keyspace));
        assert_eq!((status, &said["description"]), (401, &wanted));
        let (status, said) = nobody.ask(Method::GET, "schema:tables", None).await;
        assert_eq!((status, &said["data"]), (200, &json!([])));
        let (status, said) = nobody.ask(Method::GET, "schema:types", None).await;
        assert_eq!((status, &said["data"]), (200, &json!([])));
        let (status, said) = operator.ask(Method::GET, "schema:tables", None).await;
        assert_eq!((status, &said["data"][0]["name"]), (200, &json!("t")));

        access::grant_keyspace(&cql, &credentials.client_id, &nobody.keyspace)
            .await
            .unwrap();
        access::clear_caches(&cql).await.unwrap();
        let (status, said) = nobody.ask(Method::GET, "t/1", None).await;
        assert_eq!((status, &said["count"]), (200, &json!(0)));
        let (status, said) = nobody.ask(Method::GET, "schema:tables/t", None).await;
        assert_eq!((status, &said["data"]["name"]), (200, &json!("t")));
    });
}

/// Adds columns until one is unknown to REST, because another test may read all keyspaces at any time.
async fn unknown(rest: &Rest, what: &str, is_unknown: impl AsyncFn(&str) -> bool) -> String {
    for n in 0..10 {
        let name = format!("{what}_{n}");
        let column = json!({"name": name, "typeDefinition": "int"});
        let path = "schema:tables/t/columns";
        assert_eq!(rest.ask(Method::POST, path, Some(column)).await.0, 201);
        if is_unknown(&name).await {
            return name;
        }
    }
    panic!("{what}: all columns are known at once");
}

#[test]
fn a_column_is_unknown_until_its_table_is_looked_at() {
    let rest = Rest::new(local_astra().application());
    block_on(async {
        rest.create("t", &[("a", "int")]).await;
        let write = async |row: Value| rest.ask(Method::POST, "t", Some(row)).await.0;
        assert_eq!(write(json!({"a": 1})).await, 201);
        for (what, method, path, body) in [
            ("shown", Method::GET, "schema:tables/t", None),
            ("read", Method::GET, "t/1", None),
            ("written", Method::POST, "t", Some(json!({"a": 1}))),
        ] {
            let is_unknown = async |name: &str| match write(json!({"a": 1, name: 1})).await {
                400 => true,
                status => {
                    assert_eq!(status, 201);
                    false
                }
            };
            let name = unknown(&rest, what, is_unknown).await;
            let (status, said) = rest.ask(method, path, body).await;
            assert!(status < 300, "{what}: {said}");
            assert_eq!(write(json!({"a": 1, name: 1})).await, 201, "{what}");
        }
        let is_unknown = async |name: &str| {
            let path = format!("schema:tables/t/columns/{name}");
            rest.ask(Method::DELETE, &path, None).await.0 == 400
        };
        unknown(&rest, "dropped", is_unknown).await;
    });
}

#[test]
fn a_keyspace_that_is_made_anew_is_not_the_old_one() {
    let rest = Rest::new(local_astra().operator());
    block_on(async {
        let keyspace = json!({"name": rest.keyspace});
        for column in ["a", "x"] {
            rest.create("t", &[(column, "int")]).await;
            let row = json!({column: 1});
            assert_eq!(rest.ask(Method::POST, "t", Some(row)).await.0, 201);
            let ask = async |method: Method, path: &str, body: Option<&Value>| {
                let url = format!(
                    "{}/api/rest/v2/schemas/keyspaces{path}",
                    local_astra().url()
                );
                let request = rest.client.request(method, url);
                let request = request.header("X-Cassandra-Token", &rest.token);
                let request = match body {
                    Some(body) => request.json(body),
                    None => request,
                };
                request.send().await.unwrap().status().as_u16()
            };
            let path = format!("/{}", rest.keyspace);
            assert_eq!(ask(Method::DELETE, &path, None).await, 204);
            assert_eq!(ask(Method::GET, &path, None).await, 404);
            assert_eq!(ask(Method::POST, "", Some(&keyspace)).await, 201);
        }
    });
}

#[test]
fn a_request_is_looked_at_before_its_token() {
    let rest = Rest::new(local_astra().application());
    let wrong = Rest {
        keyspace: rest.keyspace.clone(),
        token: "wrong".to_owned(),
        client: crate::astra::client(),
    };
    block_on(async {
        rest.create("t", &[("a", "int")]).await;
        for (path, status) in [("t", 400), ("t/1?page-size=many", 404), ("t/1", 401)] {
            assert_eq!(wrong.ask(Method::GET, path, None).await.0, status, "{path}");
        }
        let types = "schema:types";
        for (method, body, status) in [
            (Method::POST, json!({"name": "u"}), 500),
            (Method::POST, json!({"name": "u", "fields": []}), 400),
            (
                Method::POST,
                json!({"name": "u", "fields": [{"name": "x", "typeDefinition": "int"}]}),
                201,
            ),
            (
                Method::PUT,
                json!({"name": "u", "renameFields": [{"from": "x"}]}),
                500,
            ),
            (
                Method::PUT,
                json!({"name": "u", "renameFields": [{"from": "x", "to": "y"}, {"from": "x", "to": "z"}]}),
                500,
            ),
            (
                Method::PUT,
                json!({"name": "u", "renameFields": [{"from": "x", "to": "y"}]}),
                200,
            ),
        ] {
            let said = rest.ask(method, types, Some(body.clone())).await;
            assert_eq!(said.0, status, "{body}: {}", said.1);
        }

        let base = format!(
            "{}/api/rest/v2/keyspaces/{}",
            local_astra().url(),
            rest.keyspace
        );
        for (name, value, status) in [
            ("Accept", "text/plain", 406),
            ("Accept", "text/html, */*", 200),
            ("Content-Type", "text/plain", 415),
        ] {
            let request = rest.client.get(format!("{base}/t/1"));
            let request = request.header("X-Cassandra-Token", &rest.token);
            let answer = request.header(name, value).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{name}: {value}");
        }

        rest.create("counts", &[("a", "int"), ("n", "counter")])
            .await;
        for (n, status) in [(5, 200), (3_000_000_000_i64, 500)] {
            let said = rest
                .ask(Method::PATCH, "counts/1", Some(json!({"n": n})))
                .await;
            assert_eq!(said.0, 200, "{}", said.1);
            assert_eq!(rest.ask(Method::GET, "counts/1", None).await.0, status);
        }
    });
}
