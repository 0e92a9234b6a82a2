//! JSON documents over Astra's Stargate Document API. It is HTTP and JSON, so `reqwest` is all it takes.
//!
//! Set ASTRA_DB_APPLICATION_TOKEN, ASTRA_DB_ID, ASTRA_DB_REGION and ASTRA_DB_KEYSPACE (README.md tells how), then
//! `cargo run -p document-sample`; with no Astra account, `cargo local run document-sample`. The story it tells:
//!
//! 1. Found namespace samples, one of 7
//! 2. Wrong token: 401 Unauthorized, Unauthenticated gRPC operation (...): UNAUTHENTICATED: Invalid token
//! 3. Created collection rust_sample_person_1795517143324898_40213
//! 4. Posted Ada: the id is 388c74c4-960f-4fab-ba5e-5067f7ff0bc6
//! 5. Put Grace as p1 and Alan as p2
//! 6. Read p1: Person { name: "Grace", age: 45, address: Address { city: "New York", country: "USA" } }
//! 7. Found who is 40 or more, in pages of one: Grace, Alan
//! 8. Changed the city of p1, read its address: Address { city: "Arlington", country: "USA" }
//! 9. Deleted p2, read again: 404 Not Found
//! 10. Deleted collection rust_sample_person_1795517143324898_40213 (also after an error or Ctrl-C)

mod cleanup;
mod person;
mod request;

use anyhow::{Context, Result, ensure};
use person::{Address, Page, Person, Written};
use request::{Refused, fetch, send};
use reqwest::Client;
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let astra = shared::Document::from_env()?;
    let (url, namespace) = (astra.url, astra.keyspace); // A namespace is a keyspace.
    let http = request::client("X-Cassandra-Token", &astra.token)?;
    let namespaces = format!("{url}/v2/schemas/namespaces");
    find_namespace(&http, &namespaces, &namespace).await?;
    try_wrong_token(&http, &namespaces).await?;

    let run = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_micros();
    let collection = format!("rust_sample_person_{run}_{}", std::process::id());
    let collections = format!("{url}/v2/namespaces/{namespace}/collections");
    let people = format!("{collections}/{collection}");
    let make = create_collection(&http, &collections, &collection);
    let story = async {
        write_people(&http, &people).await?;
        read_person(&http, &people).await?;
        search_people(&http, &people).await?;
        patch_address(&http, &people).await?;
        delete_person(&http, &people).await
    };
    let undo = delete_collection(&http, &people, &collection);
    let thing = format!("collection {namespace}.{collection}");
    cleanup::around(make, story, undo, &thing).await
}

async fn find_namespace(http: &Client, url: &str, ours: &str) -> Result<()> {
    let all: Vec<serde_json::Value> = fetch(http.get(url).query(&[("raw", true)])).await?;
    ensure!(
        all.iter().any(|namespace| namespace["name"] == ours),
        "there is no keyspace {ours}: make it (astra db create-keyspace DB -k {ours}) or set ASTRA_DB_KEYSPACE"
    );
    println!("1. Found namespace {ours}, one of {}", all.len());
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

async fn create_collection(http: &Client, collections: &str, name: &str) -> Result<()> {
    send(http.post(collections).json(&json!({ "name": name }))).await?;
    println!("3. Created collection {name}");
    Ok(())
}

/// POST makes an id, PUT takes ours.
async fn write_people(http: &Client, people: &str) -> Result<()> {
    let ada = Person::new("Ada", 36, "London", "England");
    let written: Written = fetch(http.post(people).json(&ada)).await?;
    println!("4. Posted Ada: the id is {}", written.document_id);
    let grace = Person::new("Grace", 45, "New York", "USA");
    let alan = Person::new("Alan", 41, "Wilmslow", "England");
    send(http.put(format!("{people}/p1")).json(&grace)).await?;
    send(http.put(format!("{people}/p2")).json(&alan)).await?;
    println!("5. Put Grace as p1 and Alan as p2");
    Ok(())
}

/// `raw` leaves out what is around a document.
async fn read_person(http: &Client, people: &str) -> Result<()> {
    let request = http.get(format!("{people}/p1")).query(&[("raw", true)]);
    let grace: Person = fetch(request).await?;
    println!("6. Read p1: {grace:?}");
    Ok(())
}

/// A page has 3 documents if nothing is said, and never more than 20: only `pageState` leads to all of them.
async fn search_people(http: &Client, people: &str) -> Result<()> {
    let condition = json!({ "age": { "$gte": 40 } });
    let mut query = vec![("where", condition.to_string()), ("page-size", "1".into())];
    let mut found = Vec::new();
    for pages in 1.. {
        ensure!(pages < 10, "the pages have no end");
        let page: Page = fetch(http.get(people).query(&query)).await?;
        found.extend(page.data.into_values().map(|person| person.name));
        let Some(state) = page.page_state else { break };
        query.truncate(2);
        query.push(("page-state", state));
    }
    println!(
        "7. Found who is 40 or more, in pages of one: {}",
        found.join(", ")
    );
    Ok(())
}

/// The path goes on below the document. What the patch does not name, stays.
async fn patch_address(http: &Client, people: &str) -> Result<()> {
    let address = format!("{people}/p1/address");
    send(http.patch(&address).json(&json!({ "city": "Arlington" }))).await?;
    let now: Address = fetch(http.get(&address).query(&[("raw", true)])).await?;
    println!("8. Changed the city of p1, read its address: {now:?}");
    Ok(())
}

async fn delete_person(http: &Client, people: &str) -> Result<()> {
    let alan = format!("{people}/p2");
    send(http.delete(&alan)).await?;
    let error = send(http.get(&alan))
        .await
        .err()
        .context("p2 is still there")?;
    let refused: Refused = error.downcast()?;
    ensure!(refused.status == 404, refused);
    println!("9. Deleted p2, read again: {}", refused.status);
    Ok(())
}

async fn delete_collection(http: &Client, people: &str, name: &str) -> Result<()> {
    send(http.delete(people)).await?;
    println!("10. Deleted collection {name}");
    Ok(())
}
