//! The schemas of the keyspaces, generated when first requested and after each change of the keyspace.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;

use super::sdl::{self, RootField};
use store::Keyspace;

/// Maximum number of schemas kept per keyspace.
const KEPT: usize = 100;

/// The schema of a keyspace, with the meaning of its root fields.
pub struct GeneratedSchema {
    /// Without the tables that no query on it names.
    pub schema: Valid<Schema>,
    pub queries: BTreeMap<String, RootField>,
    pub mutations: BTreeMap<String, RootField>,
    /// Warnings about changed CQL names.
    pub warnings: Vec<String>,
}

impl GeneratedSchema {
    /// Generates the schema of some tables of a keyspace. Takes seconds for thousands of columns, so call it on a
    /// blocking thread.
    ///
    /// # Errors
    /// The message of apollo-compiler about an invalid schema: an unforeseen collision of names.
    fn of(keyspace: &Keyspace, tables: &Tables) -> Result<GeneratedSchema, String> {
        let description = sdl::describe(keyspace, &|table| match tables {
            Tables::All => true,
            Tables::Named(named) => named.contains(table),
        });
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

/// The tables that a query needs, by their names in the schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Tables {
    All,
    Named(BTreeSet<String>),
}

type Slot = Arc<OnceLock<Result<Arc<GeneratedSchema>, String>>>;

/// The schemas of one state of a keyspace.
struct Known {
    keyspace: Arc<Keyspace>,
    /// The tables behind the names of types and root fields.
    tables: HashMap<String, BTreeSet<String>>,
    schemas: HashMap<Tables, Slot>,
}

impl Known {
    fn of(keyspace: &Arc<Keyspace>) -> Known {
        let mut tables: HashMap<String, BTreeSet<String>> = HashMap::new();
        for table in sdl::describe(keyspace, &|_| false).queries.into_keys() {
            for name in sdl::names_of(&table) {
                tables.entry(name).or_default().insert(table.clone());
            }
        }
        Known {
            keyspace: Arc::clone(keyspace),
            tables,
            schemas: HashMap::new(),
        }
    }

    /// Introspection needs all tables; any other query those that it names, even in a text or a comment.
    fn named_in(&self, query: &str) -> Tables {
        let mut named = BTreeSet::new();
        for word in query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            if matches!(word, "__schema" | "__type") {
                return Tables::All;
            }
            named.extend(self.tables.get(word).into_iter().flatten().cloned());
        }
        // A schema without any field of a mutation is none.
        if named.is_empty() {
            Tables::All
        } else {
            Tables::Named(named)
        }
    }
}

/// All generated schemas. The store keeps the same object for a keyspace until it changes, which shows if a schema is
/// still valid.
#[derive(Default)]
pub struct Schemas {
    known: Mutex<HashMap<String, Known>>,
}

impl Schemas {
    /// Returns the schema of a keyspace for a query. If several requests need a new one, one generates it and the others
    /// wait.
    pub fn get(
        &self,
        keyspace: &Arc<Keyspace>,
        all: &store::Schema,
        query: &str,
    ) -> Result<Arc<GeneratedSchema>, String> {
        let (tables, slot) = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|name, _| all.keyspaces.contains_key(name));
            let known = known
                .entry(keyspace.name.clone())
                .and_modify(|known| {
                    if !Arc::ptr_eq(&known.keyspace, keyspace) {
                        *known = Known::of(keyspace);
                    }
                })
                .or_insert_with(|| Known::of(keyspace));
            let tables = known.named_in(query);
            if known.schemas.len() >= KEPT && !known.schemas.contains_key(&tables) {
                known.schemas.clear();
            }
            let slot = known.schemas.entry(tables.clone()).or_default();
            (tables, Arc::clone(slot))
        };
        slot.get_or_init(|| GeneratedSchema::of(keyspace, &tables).map(Arc::new))
            .clone()
    }
}
