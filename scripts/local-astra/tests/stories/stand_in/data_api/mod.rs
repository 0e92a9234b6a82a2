//! Tests of the Data API in addition to its recordings.
//!
//! - [`properties`]: random documents, filters and updates, compared with a plain evaluation
//! - [`random`], [`plain`]: the generator and the evaluation
//! - [`collections`]: collections and their limits; [`documents`]: writers, pages, counts; [`vectors`]: concurrent
//!   vectors; [`tokens`]: roles and limits; [`kills`]: writes that a kill cuts off
//! - [`tables`]: tables, their rows and indexes, and types

mod collections;
mod documents;
pub mod kills;
mod plain;
mod properties;
mod random;
mod tables;
mod tokens;
mod vectors;

use reqwest::Client;
use serde_json::{Value, json};

use crate::astra::local_astra;

/// A client with a keyspace of its own.
pub struct DataApi {
    pub keyspace: String,
    url: String,
    token: String,
    client: Client,
}

impl DataApi {
    /// A client with the application token.
    pub fn new() -> DataApi {
        DataApi::with(local_astra().keyspace(), local_astra().application())
    }

    pub fn with(keyspace: String, token: String) -> DataApi {
        DataApi::at(local_astra().url(), keyspace, token)
    }

    /// A client of another local Astra.
    pub fn at(url: String, keyspace: String, token: String) -> DataApi {
        DataApi {
            keyspace,
            url,
            token,
            client: crate::astra::client(),
        }
    }

    /// Sends a text to a path below `/v1`; returns the status and the body.
    pub async fn send(&self, path: &str, body: String) -> (u16, Value) {
        self.try_send(path, body).await.unwrap()
    }

    /// Sends a text, or fails when the connection does.
    pub async fn try_send(&self, path: &str, body: String) -> reqwest::Result<(u16, Value)> {
        let url = format!("{}/api/json/v1{path}", self.url);
        let request = self.client.post(url).header("Token", &self.token);
        let request = request
            .header("Content-Type", "application/json")
            .body(body);
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok((status, body))
    }

    /// Runs a command at the keyspace, or at a collection of it.
    pub async fn run(&self, collection: &str, command: Value) -> Value {
        let slash = if collection.is_empty() { "" } else { "/" };
        let path = format!("/{}{slash}{collection}", self.keyspace);
        let (status, body) = self.send(&path, command.to_string()).await;
        assert!(
            status == 200 || body["errors"].is_array(),
            "{status} {body}"
        );
        body
    }

    /// Runs a command that has to succeed.
    pub async fn done(&self, collection: &str, command: Value) -> Value {
        let shown = command.to_string();
        let body = self.run(collection, command).await;
        let shown: String = shown.chars().take(300).collect();
        assert!(body["errors"].is_null(), "{shown}: {body}");
        body
    }

    /// The code of the first error of a command.
    pub async fn code(&self, collection: &str, command: Value) -> String {
        let body = self.run(collection, command).await;
        body["errors"][0]["errorCode"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub async fn create(&self, name: &str, options: Value) {
        let command = json!({"createCollection": {"name": name, "options": options}});
        self.done("", command).await;
    }

    /// All documents of a filter, page by page.
    pub async fn find_all(&self, collection: &str, filter: &Value) -> Vec<Value> {
        let mut all = Vec::new();
        let mut options = json!({});
        for _ in 0..100 {
            let find =
                json!({"find": {"filter": filter, "options": options, "projection": {"*": 1}}});
            let body = self.done(collection, find).await;
            let page = body["data"]["documents"].as_array().unwrap();
            assert!(page.len() <= 100);
            all.extend(page.iter().cloned());
            match body["data"]["nextPageState"].as_str() {
                Some(state) => options = json!({"pageState": state}),
                None => return all,
            }
        }
        panic!("the pages do not end");
    }
}
