//! The clients of both sides, with the application token.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use settings::KEYSPACE;
use tokio::time::timeout;
use tonic::transport::Channel;

use crate::server::Server;

/// No call takes longer.
const LIMIT: Duration = Duration::from_secs(60);

pub struct World {
    /// The driver, straight to Cassandra.
    pub session: Session,
    pub token: String,
    pub grpc: Channel,
    url: String,
    /// Uses less processor time than reqwest, which is time that local Astra does not have on a small machine.
    http: Client<HttpConnector, Full<Bytes>>,
}

impl World {
    /// Opens all clients.
    ///
    /// # Errors
    /// When one of them cannot connect.
    pub async fn open(server: &Server) -> Result<World> {
        let token = server.secrets.application.token.text();
        let url = format!("http://127.0.0.1:{}", server.layout.ports.plain);
        Ok(World {
            session: direct(server).await?,
            token: token.expose_secret().to_owned(),
            grpc: Channel::from_shared(url.clone())?.connect().await?,
            url,
            http: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    /// Sends a request, for the text of a response of success.
    ///
    /// # Errors
    /// For any other status.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<String> {
        let body = body.map(serde_json::to_vec).transpose()?;
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("X-Cassandra-Token", &self.token)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body.unwrap_or_default()))?;
        let exchange = async {
            let response = self.http.request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            anyhow::Ok((status, String::from_utf8(body.into())?))
        };
        let (status, text) = timeout(LIMIT, exchange).await.context("no response")??;
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(text)
    }

    /// Runs a GraphQL document on the tables of the keyspace.
    ///
    /// # Errors
    /// For any error in the response.
    pub async fn graphql(&self, query: &str) -> Result<()> {
        let path = format!("/api/graphql/{KEYSPACE}");
        let query = json!({"query": query});
        let text = self.send(Method::POST, &path, Some(&query)).await?;
        let response: Value = serde_json::from_str(&text)?;
        ensure!(response["errors"].is_null(), "{text}");
        Ok(())
    }

    /// Creates a collection of the Document API.
    ///
    /// # Errors
    /// When it cannot be created.
    pub async fn create_documents(&self, name: &str) -> Result<()> {
        let create = json!({"name": name});
        let path = documents("");
        self.send(Method::POST, &path, Some(&create)).await?;
        Ok(())
    }

    /// Runs a command of the Data API at the keyspace, or at a collection of it.
    ///
    /// # Errors
    /// For any error in the response.
    pub async fn command(&self, collection: &str, command: Value) -> Result<Value> {
        let body = self.outcome(collection, command).await?;
        if !body["errors"].is_null() {
            bail!("{collection}: {}", body["errors"]);
        }
        Ok(body)
    }

    /// Runs a command that may respond with errors.
    ///
    /// # Errors
    /// When there is no response.
    pub async fn outcome(&self, collection: &str, command: Value) -> Result<Value> {
        let slash = if collection.is_empty() { "" } else { "/" };
        let path = format!("/api/json/v1/{KEYSPACE}{slash}{collection}");
        let text = self.send(Method::POST, &path, Some(&command)).await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Creates a collection with these documents.
    ///
    /// # Errors
    /// Those of the commands.
    pub async fn fill(
        &self,
        name: &str,
        options: Value,
        documents: impl Iterator<Item = Value>,
    ) -> Result<()> {
        let create = json!({"createCollection": {"name": name, "options": options}});
        self.command("", create).await?;
        self.insert(name, documents).await
    }

    /// Inserts documents into a collection, or rows into a table.
    ///
    /// # Errors
    /// Those of the commands.
    pub async fn insert(&self, name: &str, documents: impl Iterator<Item = Value>) -> Result<()> {
        let documents: Vec<Value> = documents.collect();
        for some in documents.chunks(100) {
            let insert = json!({"insertMany": {"documents": some}});
            self.command(name, insert).await?;
        }
        Ok(())
    }
}

/// The path of a collection of the Document API.
pub fn documents(collection: &str) -> String {
    let slash = if collection.is_empty() { "" } else { "/" };
    format!("/api/rest/v2/namespaces/{KEYSPACE}/collections{slash}{collection}")
}

/// Connects the driver straight to Cassandra.
///
/// # Errors
/// When it cannot connect.
pub async fn direct(server: &Server) -> Result<Session> {
    let login = &server.secrets.application;
    SessionBuilder::new()
        .known_nodes_addr(server.layout.cassandra())
        .user(&login.client_id, login.token.password().expose_secret())
        .use_keyspace(KEYSPACE, true)
        .build()
        .await
        .context("straight to Cassandra")
}

/// Runs a prepared statement that has to find or to change something.
///
/// # Errors
/// Cassandra's own, and when it does neither.
pub async fn execute(
    world: Arc<World>,
    statement: Arc<PreparedStatement>,
    values: Vec<CqlValue>,
) -> Result<()> {
    let result = world.session.execute_unpaged(&statement, values).await?;
    if !result.is_rows() {
        return Ok(());
    }
    let first: Row = result.into_rows_result()?.first_row()?;
    // The first column of a transaction is `[applied]`.
    let applied = first.columns.first() != Some(&Some(CqlValue::Boolean(false)));
    ensure!(applied, "not applied: {}", statement.get_statement());
    Ok(())
}
