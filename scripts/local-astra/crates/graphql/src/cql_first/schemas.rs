//! The schemas of the keyspaces, generated when first requested and after each change of the keyspace.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;

use super::sdl::{self, RootField};
use store::Keyspace;

/// The schema of a keyspace, with the meaning of its root fields.
pub struct GeneratedSchema {
    pub schema: Valid<Schema>,
    pub queries: BTreeMap<String, RootField>,
    pub mutations: BTreeMap<String, RootField>,
    /// Warnings about changed CQL names.
    pub warnings: Vec<String>,
}

impl GeneratedSchema {
    /// Generates the schema of a keyspace. Takes seconds for thousands of columns, so call it on a blocking thread.
    ///
    /// # Errors
    /// The message of apollo-compiler about an invalid schema: an unforeseen collision of names.
    pub fn of(keyspace: &Keyspace) -> Result<GeneratedSchema, String> {
        let description = sdl::describe(keyspace);
        let schema = Schema::parse_and_validate(&description.sdl, "keyspace.graphql");
        let schema = schema.map_err(|error| {
            let keyspace = &keyspace.name;
            format!(
                "The tables of keyspace {keyspace} make no GraphQL schema: {}",
                error.errors
            )
        })?;
        Ok(GeneratedSchema {
            schema,
            queries: description.queries,
            mutations: description.mutations,
            warnings: description.warnings,
        })
    }
}

type Slot = Arc<OnceLock<Result<Arc<GeneratedSchema>, String>>>;

/// All generated schemas. The store keeps the same object for a keyspace until it changes, which shows if a schema is
/// still valid.
#[derive(Default)]
pub struct Schemas {
    known: Mutex<HashMap<String, (Arc<Keyspace>, Slot)>>,
}

impl Schemas {
    /// Returns the schema of a keyspace. If several requests need a new one, one generates it and the others wait.
    pub fn get(
        &self,
        keyspace: &Arc<Keyspace>,
        all: &store::Schema,
    ) -> Result<Arc<GeneratedSchema>, String> {
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|name, _| all.keyspaces.contains_key(name));
            let same = known
                .get(&keyspace.name)
                .filter(|(generated_for, _)| Arc::ptr_eq(generated_for, keyspace));
            match same {
                Some((_, slot)) => Arc::clone(slot),
                None => {
                    let slot = Slot::default();
                    let entry = (Arc::clone(keyspace), Arc::clone(&slot));
                    known.insert(keyspace.name.clone(), entry);
                    slot
                }
            }
        };
        slot.get_or_init(|| GeneratedSchema::of(keyspace).map(Arc::new))
            .clone()
    }
}
