//! The deployed schemas in Cassandra. Keyspace, table and lock are those of a real Stargate (its `SchemaSourceDao`), so
//! that all processes see the same schemas.

use scylla::DeserializeRow;
use scylla::deserialize::row::DeserializeRow as FromRow;
use scylla::errors::{DbError, ExecutionError};
use scylla::response::query_result::QueryResult;
use scylla::serialize::row::SerializeRow;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::CqlTimeuuid;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::scalars::time_uuid;
use store::{Code, Session, Store, StoreError};

const KEYSPACE: &str = "stargate_graphql";
const TABLE: &str = "schema_source";
/// Number of versions kept per keyspace.
const KEPT: usize = 10;
/// Number of replicas of the schemas, if there are as many nodes.
const REPLICAS: usize = 3;

/// One version of a deployed schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub version: Uuid,
    /// The deployed text.
    pub contents: String,
}

/// The latest version of a keyspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latest {
    /// Nothing was ever deployed.
    Never,
    /// A first deployment was started, and none was ever completed.
    Unfinished,
    Version(Uuid),
}

/// Failure to read the versions of a keyspace.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// See [`Latest::Unfinished`]. The message is Stargate's own.
    #[error("Expected UUID value, received NULL")]
    Unfinished,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The reason a deployment cannot begin.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LockError {
    #[error("You specified expectedVersion but no previous version was found")]
    NoVersion,
    #[error(
        "You specified expectedVersion {expected}, but there is a more recent version {actual}"
    )]
    OtherVersion { expected: String, actual: Uuid },
    /// A version was expected, but the keyspace's schema was undeployed. The message is Stargate's own.
    #[error("Expected UUID value, received NULL")]
    Undeployed,
    #[error(
        "It looks like someone else is deploying a new schema, please check the latest version and try again. This \
         can also happen if a previous deployment failed unexpectedly, in that case you can use the 'force' argument \
         to bypass this check."
    )]
    InProgress,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(DeserializeRow)]
struct SourceRow {
    version: Option<CqlTimeuuid>,
    contents: Option<String>,
}

#[derive(DeserializeRow)]
struct VersionRow {
    version: Option<CqlTimeuuid>,
}

/// The table of schemas, accessed as the superuser. The permission to deploy was checked before.
pub struct Sources {
    store: Store,
    latest: OnceCell<PreparedStatement>,
}

impl Sources {
    pub fn new(store: Store) -> Sources {
        Sources {
            store,
            latest: OnceCell::new(),
        }
    }

    /// Returns the newest version of a keyspace without its text. Every request on the keyspace calls this.
    pub async fn latest(&self, keyspace: &str) -> Result<Latest, StoreError> {
        let Some(statement) = self.select_latest().await? else {
            return Ok(Latest::Never);
        };
        let result = self.admin().execute_unpaged(statement, (keyspace,)).await?;
        let row: Option<VersionRow> = rows(result)?.into_iter().next();
        Ok(match row {
            None => Latest::Never,
            // The partition has only its static columns.
            Some(VersionRow { version: None }) => Latest::Unfinished,
            Some(VersionRow {
                version: Some(version),
            }) => Latest::Version(version.into()),
        })
    }

    /// Returns all versions of a keyspace, the newest first.
    ///
    /// # Errors
    /// [`ReadError::Unfinished`] if only a first deployment was started, and Cassandra's own.
    pub async fn all(&self, keyspace: &str) -> Result<Vec<Source>, ReadError> {
        self.select("keyspace_name = ?", (keyspace,)).await
    }

    /// Returns one version of a keyspace.
    ///
    /// # Errors
    /// Cassandra's own, mostly.
    pub async fn version(
        &self,
        keyspace: &str,
        version: Uuid,
    ) -> Result<Option<Source>, ReadError> {
        // Only a time UUID can be a version, and Cassandra takes nothing else here.
        if version.get_version_num() != 1 {
            return Ok(None);
        }
        let version = CqlTimeuuid::from(version);
        let found = self.select("keyspace_name = ? AND version = ?", (keyspace, version));
        Ok(found.await?.pop())
    }

    async fn select(
        &self,
        conditions: &str,
        values: impl SerializeRow + Send + Sync,
    ) -> Result<Vec<Source>, ReadError> {
        if !self.exists().await? {
            return Ok(Vec::new());
        }
        let cql = format!("SELECT version, contents FROM {KEYSPACE}.{TABLE} WHERE {conditions}");
        let found: Vec<SourceRow> = rows(self.run(&cql, values).await?)?;
        let sources = found.into_iter().map(|row| {
            Ok(Source {
                version: row.version.ok_or(ReadError::Unfinished)?.into(),
                contents: row.contents.unwrap_or_default(),
            })
        });
        sources.collect()
    }

    /// Begins a deployment. No other can begin until [`Sources::insert`] or [`Sources::abort`].
    ///
    /// # Errors
    /// [`LockError`] if the current version is another one, or, without `force`, if a deployment is in progress.
    pub async fn lock(
        &self,
        keyspace: &str,
        expected: Option<Uuid>,
        force: bool,
    ) -> Result<(), LockError> {
        self.create().await?;
        self.compare_and_set("deployment_in_progress = true", keyspace, expected, force)
            .await
    }

    /// Ends the current version. The versions themselves are kept.
    pub async fn undeploy(
        &self,
        keyspace: &str,
        expected: Uuid,
        force: bool,
    ) -> Result<(), LockError> {
        if !self.exists().await? {
            return Err(LockError::NoVersion);
        }
        let set = "latest_version = null, deployment_in_progress = false";
        self.compare_and_set(set, keyspace, Some(expected), force)
            .await
    }

    async fn compare_and_set(
        &self,
        set: &str,
        keyspace: &str,
        expected: Option<Uuid>,
        force: bool,
    ) -> Result<(), LockError> {
        let not_in_progress = if force {
            ""
        } else {
            " AND deployment_in_progress != true"
        };
        let cql = format!(
            "UPDATE {KEYSPACE}.{TABLE} SET {set} WHERE keyspace_name = ? IF latest_version = ?{not_in_progress}"
        );
        // A version of another kind is the current one of no keyspace.
        let sent = expected.filter(|expected| expected.get_version_num() == 1);
        if sent.is_some() || expected.is_none() {
            let sent = sent.map(CqlTimeuuid::from);
            let result = self.run(&cql, (keyspace, sent)).await?;
            if applied(result)? {
                return Ok(());
            }
        }
        let cql = format!(
            "SELECT latest_version FROM {KEYSPACE}.{TABLE} WHERE keyspace_name = ? LIMIT 1"
        );
        let row: Option<(Option<CqlTimeuuid>,)> = rows(self.run(&cql, (keyspace,)).await?)?.pop();
        let actual = row.map(|(actual,)| actual.map(Uuid::from));
        Err(match (expected, actual) {
            (_, None) => LockError::NoVersion,
            (expected, Some(actual)) if expected == actual => LockError::InProgress,
            (_, Some(None)) => LockError::Undeployed,
            (expected, Some(Some(actual))) => LockError::OtherVersion {
                expected: expected.map_or("null".to_owned(), |expected| expected.to_string()),
                actual,
            },
        })
    }

    /// Ends a deployment that changed nothing.
    pub async fn abort(&self, keyspace: &str) -> Result<(), StoreError> {
        let cql = format!(
            "UPDATE {KEYSPACE}.{TABLE} SET deployment_in_progress = false WHERE keyspace_name = ?"
        );
        self.run(&cql, (keyspace,)).await?;
        Ok(())
    }

    /// Ends a deployment with a new version, and deletes the oldest ones.
    pub async fn insert(&self, keyspace: &str, contents: &str) -> Result<Uuid, StoreError> {
        let version = time_uuid();
        let written = CqlTimeuuid::from(version);
        let cql = format!(
            "INSERT INTO {KEYSPACE}.{TABLE} \
             (keyspace_name, version, latest_version, contents, deployment_in_progress) VALUES (?, ?, ?, ?, false)"
        );
        self.run(&cql, (keyspace, written, written, contents))
            .await?;
        let cql = format!("SELECT version FROM {KEYSPACE}.{TABLE} WHERE keyspace_name = ?");
        let versions: Vec<VersionRow> = rows(self.run(&cql, (keyspace,)).await?)?;
        if let Some(VersionRow {
            version: Some(oldest),
        }) = versions.get(KEPT)
        {
            let cql =
                format!("DELETE FROM {KEYSPACE}.{TABLE} WHERE keyspace_name = ? AND version <= ?");
            self.run(&cql, (keyspace, *oldest)).await?;
        }
        Ok(version)
    }

    fn admin(&self) -> &Session {
        self.store.admin()
    }

    async fn exists(&self) -> Result<bool, StoreError> {
        Ok(self.select_latest().await?.is_some())
    }

    /// Returns the statement of [`Sources::latest`], or `None` if the table does not exist. Cassandra lists a new table a
    /// moment before it prepares statements on it (else Invalid), and a moment more before it runs them (else a server
    /// error); until one has run, it does not exist either.
    async fn select_latest(&self) -> Result<Option<&PreparedStatement>, StoreError> {
        let schema = self.store.current().await?;
        if schema.table(KEYSPACE, TABLE).is_none() {
            return Ok(None);
        }
        let tried = self.latest.get_or_try_init(|| async {
            let cql =
                format!("SELECT version FROM {KEYSPACE}.{TABLE} WHERE keyspace_name = ? LIMIT 1");
            let statement = self.admin().prepare(cql).await?;
            self.admin()
                .execute_unpaged(&statement, (KEYSPACE,))
                .await?;
            Ok(statement)
        });
        match tried.await {
            Err(StoreError {
                cassandra: Some(DbError::Invalid | DbError::ServerError),
                ..
            }) => Ok(None),
            tried => tried.map(Some),
        }
    }

    async fn create(&self) -> Result<(), StoreError> {
        if self.exists().await? {
            return Ok(());
        }
        let replicas = self.store.nodes().len().clamp(1, REPLICAS);
        let keyspace = format!(
            "CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication = \
             {{'class': 'SimpleStrategy', 'replication_factor': {replicas}}}"
        );
        let table = format!(
            "CREATE TABLE IF NOT EXISTS {KEYSPACE}.{TABLE} (keyspace_name text, version timeuuid, contents text, \
             latest_version timeuuid static, deployment_in_progress boolean static, \
             PRIMARY KEY (keyspace_name, version)) WITH CLUSTERING ORDER BY (version DESC)"
        );
        self.run(&keyspace, ()).await?;
        self.run(&table, ()).await?;
        self.store.refresh().await?;
        Ok(())
    }

    async fn run(
        &self,
        cql: &str,
        values: impl SerializeRow + Send + Sync,
    ) -> Result<QueryResult, StoreError> {
        let result: Result<_, ExecutionError> = self.admin().query_unpaged(cql, values).await;
        Ok(result?)
    }
}

fn rows<R>(result: QueryResult) -> Result<Vec<R>, StoreError>
where
    R: for<'f, 'm> FromRow<'f, 'm>,
{
    let unreadable = |error: String| StoreError::new(Code::Internal, error);
    let result = result
        .into_rows_result()
        .map_err(|error| unreadable(error.to_string()))?;
    let rows = result
        .rows::<R>()
        .map_err(|error| unreadable(error.to_string()))?;
    rows.collect::<Result<Vec<R>, _>>()
        .map_err(|error| unreadable(error.to_string()))
}

/// Returns true if a conditional statement was applied.
fn applied(result: QueryResult) -> Result<bool, StoreError> {
    use scylla::value::{CqlValue, Row};
    // The other columns differ with the outcome.
    let rows: Vec<Row> = rows(result)?;
    let first = rows.first().and_then(|row| row.columns.first());
    Ok(matches!(first, Some(Some(CqlValue::Boolean(true)))))
}
