//! The active schemas, one per keyspace. They are read from Cassandra again after a new deployment, or after a change
//! of the keyspace's tables.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::deploy::{self, Origin, Refusal};
use super::migration::{self, Strategy};
use super::model::Model;
use super::sources::{Latest, ReadError, Sources};
use access::Logins;
use store::{Code, Keyspace, Store, StoreError};

/// The active schema of a keyspace.
pub struct Deployed {
    pub schema: Valid<Schema>,
    pub model: Model,
    pub keyspace: String,
}

/// The reason a keyspace with a deployed schema does not work: a 500 in a real Stargate.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unusable {
    #[error("Unexpected error while accessing keyspace: Expected UUID value, received NULL")]
    Unfinished,
    /// The stored schema no longer fits the tables.
    #[error("{}", .0.parts(Origin::Stored).0)]
    Refused(Refusal),
    #[error("Unexpected error while accessing keyspace: {0}")]
    Store(#[from] StoreError),
    #[error("Unexpected error while accessing keyspace: {0}")]
    Read(#[from] ReadError),
}

impl Unusable {
    /// Returns the contents of `extensions`, if any.
    pub fn extensions(&self) -> Map<String, Value> {
        match self {
            Unusable::Refused(refusal) => refusal.parts(Origin::Stored).1,
            _ => Map::new(),
        }
    }
}

/// All deployed schemas.
pub struct Registry {
    pub logins: Logins,
    pub sources: Sources,
    known: Mutex<HashMap<String, Known>>,
}

struct Known {
    version: Uuid,
    /// The keyspace for which it was checked. The object stays the same until the keyspace changes.
    keyspace: Arc<Keyspace>,
    result: Result<Arc<Deployed>, Refusal>,
}

impl Registry {
    pub fn new(logins: Logins) -> Registry {
        Registry {
            sources: Sources::new(Store::clone(&logins)),
            logins,
            known: Mutex::default(),
        }
    }

    /// Returns the active schema of a keyspace. `None` if none was ever deployed; an undeployed one remains active.
    ///
    /// # Errors
    /// [`Unusable`] if the schema cannot be used.
    pub async fn find(&self, keyspace: &Arc<Keyspace>) -> Result<Option<Arc<Deployed>>, Unusable> {
        let version = match self.sources.latest(&keyspace.name).await? {
            Latest::Never => return Ok(None),
            Latest::Unfinished => return Err(Unusable::Unfinished),
            Latest::Version(version) => version,
        };
        if let Some(known) = self.lock().get(&keyspace.name)
            && known.version == version
            && Arc::ptr_eq(&known.keyspace, keyspace)
        {
            let result = known.result.clone();
            return result.map(Some).map_err(Unusable::Refused);
        }
        let Some(source) = self.sources.version(&keyspace.name, version).await? else {
            // Gone between the two reads: what is there now is for the next request.
            return Err(Unusable::Unfinished);
        };
        let checked = Arc::clone(keyspace);
        let check = tokio::task::spawn_blocking(move || check(&source.contents, &checked));
        let result = check
            .await
            .map_err(|error| Unusable::Store(StoreError::new(Code::Internal, error.to_string())))?
            .map(Arc::new);
        let known = Known {
            version,
            keyspace: Arc::clone(keyspace),
            result: result.clone(),
        };
        let schema = self.logins.schema();
        let mut all = self.lock();
        all.insert(keyspace.name.clone(), known);
        all.retain(|name, _| schema.keyspaces.contains_key(name));
        drop(all);
        result.map(Some).map_err(Unusable::Refused)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(text: &str, keyspace: &Keyspace) -> Result<Deployed, Refusal> {
    let prepared = deploy::prepare(text)?;
    let strategy = Strategy::UseExisting;
    migration::plan(&prepared.model, strategy, keyspace)
        .map_err(|misfit| Refusal::Migration(strategy, misfit))?;
    Ok(Deployed {
        schema: prepared.schema,
        model: prepared.model,
        keyspace: keyspace.name.clone(),
    })
}
