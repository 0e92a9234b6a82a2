//! What the REST recordings do not show: hostile names, tables that change behind the API's back, who sees what.

use local_astra::access::{self, Credentials, Token};
use reqwest::{Client, Method};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::astra::{block_on, local_astra};

/// A client with a keyspace of its own.
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

    /// A path below `/keyspaces/{keyspace}/` or, with `schema:`, below `/schemas/keyspaces/{keyspace}/`.
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
        let definitions = columns.iter();
        let definitions: Vec<Value> = definitions
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
