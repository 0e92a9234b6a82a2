//! Tests of tables.
//!
//! - [`origins`]: tables of all interfaces, and columns that only CQL can create
//! - [`values`]: random rows of every type; [`filters`]: random filters, compared with a plain evaluation
//! - [`rejected`]: invalid commands and their error codes; [`roles`]: what a role is not allowed to do

mod filters;
mod origins;
mod rejected;
mod roles;
mod values;

use serde_json::{Value, json};

use super::DataApi;

impl DataApi {
    /// Creates a table.
    pub async fn create_table(&self, name: &str, columns: Value, key: Value) {
        let definition = json!({"columns": columns, "primaryKey": key});
        let command = json!({"createTable": {"name": name, "definition": definition}});
        self.done("", command).await;
    }

    /// Creates an index on a column, or `{column: "$keys"}`.
    async fn create_index(&self, table: &str, name: &str, column: Value) {
        let definition = json!({"column": column});
        let command = json!({"createIndex": {"name": name, "definition": definition}});
        self.done(table, command).await;
    }

    /// The definition of a table in `listTables`.
    async fn listed(&self, table: &str) -> Option<Value> {
        let list = json!({"listTables": {"options": {"explain": true}}});
        let body = self.done("", list).await;
        let tables = body["status"]["tables"].as_array().unwrap();
        let found = tables.iter().find(|listed| listed["name"] == table);
        found.map(|listed| listed["definition"].clone())
    }
}

/// The codes of the warnings of a response.
fn warnings(body: &Value) -> Vec<&str> {
    let warnings = body["status"]["warnings"].as_array().into_iter().flatten();
    let codes = warnings.map(|warning| warning["errorCode"].as_str().unwrap());
    codes.collect()
}
