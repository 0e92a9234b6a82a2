//! A table over Astra's Stargate REST API. It is HTTP and JSON, so `reqwest` is all it takes.
//!
//! Set ASTRA_DB_APPLICATION_TOKEN, ASTRA_DB_ID, ASTRA_DB_REGION and ASTRA_DB_KEYSPACE (README.md tells how), then
//! `cargo run -p rest-sample`; with no Astra account, `cargo local run rest-sample`. The story it tells:
//!
//! 1. Found keyspace samples, one of 7
//! 2. Wrong token: 401 Unauthorized, Unauthenticated gRPC operation (...): UNAUTHENTICATED: Invalid token
//! 3. Created table rust_sample_users_1795517143324898_40213
//! 4. Inserted Ada Lovelace and Grace Hopper
//! 5. Read by key: User { first: "Ada", last: "Lovelace", color: "blue" }
//! 6. Found in pages of one: Ada, Grace
//! 7. Changed one column: User { first: "Ada", last: "Lovelace", color: "green" }
//! 8. Deleted that row, read again: count 0
//! 9. Dropped table rust_sample_users_1795517143324898_40213 (also after an error or Ctrl-C)

mod cleanup;
mod request;

use anyhow::{Context, Result, ensure};
use request::{Refused, fetch, send};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A row of our table.
#[derive(Debug, Deserialize, Serialize)]
struct User {
    first: String,
    last: String,
    color: String,
}

/// What a read answers; `page_state` asks for the next page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    count: usize,
    data: Vec<User>,
    page_state: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let astra = shared::Rest::from_env()?;
    let (url, keyspace) = (astra.url, astra.keyspace);
    let http = request::client("X-Cassandra-Token", &astra.token)?;
    let keyspaces = format!("{url}/v2/schemas/keyspaces");
    find_keyspace(&http, &keyspaces, &keyspace).await?;
    try_wrong_token(&http, &keyspaces).await?;

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let table = format!("rust_sample_users_{run}_{}", std::process::id());
    let tables = format!("{url}/v2/schemas/keyspaces/{keyspace}/tables");
    let users = format!("{url}/v2/keyspaces/{keyspace}/{table}");
    let ada = format!("{users}/Ada/Lovelace"); // The key, column by column.
    let make = create_table(&http, &tables, &table);
    let story = async {
        insert_users(&http, &users).await?;
        println!("5. Read by key: {:?}", read_user(&http, &ada).await?);
        search_users(&http, &users).await?;
        update_user(&http, &ada).await?;
        delete_user(&http, &ada).await
    };
    let undo = drop_table(&http, &tables, &table);
    cleanup::around(make, story, undo, &format!("table {keyspace}.{table}")).await
}

async fn find_keyspace(http: &Client, url: &str, ours: &str) -> Result<()> {
    let all: Vec<serde_json::Value> = fetch(http.get(url).query(&[("raw", true)])).await?;
    ensure!(
        all.iter().any(|keyspace| keyspace["name"] == ours),
        "there is no keyspace {ours}: make it (astra db create-keyspace DB -k {ours}) or set ASTRA_DB_KEYSPACE"
    );
    println!("1. Found keyspace {ours}, one of {}", all.len());
    Ok(())
}

async fn try_wrong_token(http: &Client, url: &str) -> Result<()> {
    let request = http.get(url).header("X-Cassandra-Token", "AstraCS:wrong");
    let error = send(request).await.err().context("a wrong token works")?;
    let refused: Refused = error.downcast()?;
    ensure!(refused.status == 401, refused);
    println!("2. Wrong token: {}, {}", refused.status, refused.said);
    Ok(())
}

async fn create_table(http: &Client, tables: &str, table: &str) -> Result<()> {
    let text = |name| json!({ "name": name, "typeDefinition": "text" });
    let body = json!({
        "name": table,
        "columnDefinitions": [text("first"), text("last"), text("color")],
        "primaryKey": { "partitionKey": ["first"], "clusteringKey": ["last"] },
    });
    send(http.post(tables).json(&body)).await?;
    println!("3. Created table {table}");
    Ok(())
}

async fn insert_users(http: &Client, users: &str) -> Result<()> {
    for user in [["Ada", "Lovelace", "blue"], ["Grace", "Hopper", "red"]] {
        let [first, last, color] = user.map(String::from);
        send(http.post(users).json(&User { first, last, color })).await?;
    }
    println!("4. Inserted Ada Lovelace and Grace Hopper");
    Ok(())
}

async fn read_user(http: &Client, user: &str) -> Result<User> {
    let page: Page = fetch(http.get(user)).await?;
    page.data.into_iter().next().context("the row is not there")
}

/// `query` encodes what needs it: the condition is JSON, a page state may hold `=`.
async fn search_users(http: &Client, users: &str) -> Result<()> {
    let condition = json!({ "first": { "$in": ["Ada", "Grace"] } });
    let mut query = vec![("where", condition.to_string()), ("page-size", "1".into())];
    let mut found = Vec::new();
    for pages in 1.. {
        ensure!(pages < 10, "the pages have no end");
        let page: Page = fetch(http.get(users).query(&query)).await?;
        found.extend(page.data.into_iter().map(|user| user.first));
        let Some(state) = page.page_state else { break };
        query.truncate(2);
        query.push(("page-state", state));
    }
    println!("6. Found in pages of one: {}", found.join(", "));
    Ok(())
}

async fn update_user(http: &Client, user: &str) -> Result<()> {
    send(http.patch(user).json(&json!({ "color": "green" }))).await?;
    println!("7. Changed one column: {:?}", read_user(http, user).await?);
    Ok(())
}

async fn delete_user(http: &Client, user: &str) -> Result<()> {
    send(http.delete(user)).await?;
    let page: Page = fetch(http.get(user)).await?;
    ensure!(page.count == 0, "the deleted row is still there");
    println!("8. Deleted that row, read again: count {}", page.count);
    Ok(())
}

async fn drop_table(http: &Client, tables: &str, table: &str) -> Result<()> {
    send(http.delete(format!("{tables}/{table}"))).await?;
    println!("9. Dropped table {table}");
    Ok(())
}
