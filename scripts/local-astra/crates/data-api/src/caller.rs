//! The login of a request's token, and the keyspaces and tables that it can see.

use std::sync::Arc;

use super::DataApi;
use super::codes::Code;
use super::error::ApiError;
use access::TokenSession;
use store::{Keyspace, Schema};

/// The login of a request's token.
pub struct Caller<'a> {
    pub api: &'a DataApi,
    pub session: Arc<TokenSession>,
}

impl Caller<'_> {
    /// A keyspace that exists and that the token may see.
    ///
    /// # Errors
    /// [`Code::UnknownKeyspace`] otherwise.
    pub async fn visible_keyspace(&self, name: &str) -> Result<Arc<Keyspace>, ApiError> {
        let known = self.api.logins.schema().keyspaces.get(name).cloned();
        let keyspace = match known {
            Some(keyspace) => Some(keyspace),
            None => self
                .api
                .logins
                .refresh()
                .await?
                .keyspaces
                .get(name)
                .cloned(),
        };
        let keyspace = keyspace.ok_or_else(|| unknown_keyspace(name))?;
        if self.session.can_see(name).await? {
            Ok(keyspace)
        } else {
            Err(unknown_keyspace(name))
        }
    }

    /// Returns the table of a collection, or a table; views are not tables. Cassandra checks that the token can see it.
    ///
    /// # Errors
    /// [`Code::UnknownKeyspace`], [`Code::UnknownCollectionOrTable`].
    pub async fn table(&self, keyspace: &str, name: &str) -> Result<Arc<store::Table>, ApiError> {
        // The columns of a table may have changed, and a table may have been created this very moment, over CQL.
        let find = |schema: &Schema| {
            let table = schema.table(keyspace, name).cloned();
            table.filter(|table| !table.is_view)
        };
        if let Some(table) = find(&*self.api.logins.current().await?) {
            return Ok(table);
        }
        if let Some(table) = find(&*self.api.logins.refresh().await?) {
            return Ok(table);
        }
        let known = self.visible_keyspace(keyspace).await?;
        let known = known.tables.values().filter(|table| !table.is_view);
        let known: Vec<&str> = known.map(|table| table.name.as_str()).collect();
        let text = format!(
            "The keyspace {keyspace} has no collection or table {name}.\n\nIt has: {}.",
            known.join(", ")
        );
        Err(ApiError::new(Code::UnknownCollectionOrTable, text))
    }
}

fn unknown_keyspace(name: &str) -> ApiError {
    let text = format!(
        "The keyspace {name} does not exist in the database of this token.\n\nCheck the keyspace and the token."
    );
    ApiError::new(Code::UnknownKeyspace, text)
}
