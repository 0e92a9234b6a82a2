//! The GraphQL schema of a keyspace, as SDL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::types::{self, Definitions, Way, block, description};
use super::{descriptions, names};
use store::{ColumnKind, Keyspace, Table};

/// The aggregates of a table: names and types of the fields.
pub const FUNCTIONS: [(&str, &str); 8] = [
    ("_int_function", "Int"),
    ("_double_function", "Float"),
    ("_bigint_function", "BigInt"),
    ("_decimal_function", "Decimal"),
    ("_varint_function", "Varint"),
    ("_float_function", "Float32"),
    ("_smallint_function", "SmallInt"),
    ("_tinyint_function", "TinyInt"),
];

const QUERY_CONSISTENCY: &str =
    "enum QueryConsistency { LOCAL_ONE LOCAL_QUORUM ALL SERIAL LOCAL_SERIAL }\n";
const QUERY_OPTIONS: &str = "\
input QueryOptions {
  consistency: QueryConsistency = LOCAL_QUORUM
  limit: Int
  pageSize: Int = 100
  pageState: String
}
";

const MUTATION_CONSISTENCIES: &str = "\
enum MutationConsistency { LOCAL_ONE LOCAL_QUORUM ALL }
enum SerialConsistency { SERIAL LOCAL_SERIAL }
";
const MUTATION_OPTIONS: &str = "\
input MutationOptions {
  consistency: MutationConsistency = LOCAL_QUORUM
  serialConsistency: SerialConsistency = SERIAL
  ttl: Int
}
";

/// The kind of a root field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Query,
    Insert,
    BulkInsert,
    Update,
    Delete,
}

/// A root field of a table.
#[derive(Clone, Debug)]
pub struct RootField {
    pub role: Role,
    pub table: Arc<Table>,
}

/// The schema of a keyspace, before it is parsed.
pub struct Description {
    pub sdl: String,
    pub queries: BTreeMap<String, RootField>,
    pub mutations: BTreeMap<String, RootField>,
    pub warnings: Vec<String>,
}

/// Returns the columns in Stargate's order: static ones last.
pub fn columns(table: &Table) -> impl Iterator<Item = &store::Column> {
    let is_static = |column: &&store::Column| column.kind == ColumnKind::Static;
    let others = table
        .columns
        .iter()
        .filter(move |column| !is_static(column));
    others.chain(table.columns.iter().filter(is_static))
}

/// The ends of the names of a table's types.
const TYPES: [&str; 7] = [
    "",
    "Input",
    "FilterInput",
    "GroupByInput",
    "Order",
    "Result",
    "MutationResult",
];

/// The mutations of a table: the beginnings of their names.
const MUTATIONS: [(&str, Role); 4] = [
    ("insert", Role::Insert),
    ("bulkInsert", Role::BulkInsert),
    ("update", Role::Update),
    ("delete", Role::Delete),
];

/// Returns the names of the types and root fields of a table.
pub fn names_of(table: &str) -> impl Iterator<Item = String> {
    let ends = TYPES.iter().chain(&["Filter"]);
    let types = ends.map(move |end| format!("{table}{end}"));
    types.chain(MUTATIONS.map(|(start, _)| format!("{start}{table}")))
}

/// Describes a keyspace.
///
/// # Parameters
/// - `is_wanted`: whether a table of this name in the schema is described; others have names only
pub fn describe(keyspace: &Keyspace, is_wanted: &dyn Fn(&str) -> bool) -> Description {
    // As in Stargate, materialized views are not tables.
    let tables = || keyspace.tables.values().filter(|table| !table.is_view);
    let mut maker = Maker::default();
    // First what the columns need: tables give way to those names.
    for table in tables() {
        maker.definitions_of(table);
    }
    for table in tables() {
        maker.table(table, is_wanted);
    }
    for typ in keyspace.types.values() {
        maker.warnings.extend(types::renamed_type(typ));
    }
    maker.finish()
}

#[derive(Default)]
struct Maker {
    definitions: Definitions,
    tables: String,
    query_fields: String,
    mutation_fields: String,
    /// Type names of tables, with the tables.
    taken: BTreeMap<String, String>,
    /// Deprecated fields, which are omitted if a table has the same name.
    filters: Vec<(String, String, RootField)>,
    queries: BTreeMap<String, RootField>,
    mutations: BTreeMap<String, RootField>,
    warnings: Vec<String>,
}

impl Maker {
    fn definitions_of(&mut self, table: &Table) {
        let all = &mut self.definitions;
        for column in columns(table) {
            all.reference(&column.typ, Way::Out);
            all.reference(&column.typ, Way::In);
            all.filter(&column.typ);
        }
        for (_, scalar) in FUNCTIONS {
            all.scalar(scalar);
        }
    }

    fn table(&mut self, table: &Arc<Table>, is_wanted: &dyn Fn(&str) -> bool) {
        let cql = &table.name;
        let name = names::table(cql);
        let own = TYPES.map(|end| format!("{name}{end}"));
        let collision = own.iter().find_map(|typ| match self.taken.get(typ) {
            Some(other) => Some((typ, format!("table {other}"))),
            None => {
                let defined = self.definitions.sdl.contains_key(typ);
                defined.then(|| (typ, format!("type {typ}")))
            }
        });
        if let Some((typ, other)) = collision {
            let warning = format!(
                "Couldn't convert table {cql} because its GraphQL name {typ} would collide with {other}"
            );
            self.warnings.push(warning);
            return;
        }
        let taken = own.iter().map(|typ| (typ.clone(), cql.clone()));
        self.taken.extend(taken);
        if name != *cql {
            self.warnings.push(format!("Table {cql} mapped as {name}"));
        }
        let changed = columns(table).filter_map(|column| types::renamed(cql, &column.name));
        self.warnings.extend(changed);
        self.roles(table, &name);
        if is_wanted(&name) {
            self.types(table, &name);
            self.root_fields(table, &name);
        }
    }

    fn roles(&mut self, table: &Arc<Table>, name: &str) {
        let root = |role| RootField {
            role,
            table: Arc::clone(table),
        };
        self.queries.insert(name.to_owned(), root(Role::Query));
        for (start, role) in MUTATIONS {
            self.mutations.insert(format!("{start}{name}"), root(role));
        }
    }

    fn types(&mut self, table: &Table, name: &str) {
        let described = |end: &str| description(&descriptions::of_type(table, end));
        let fields = |make: &mut dyn FnMut(&store::Column) -> String| {
            let all = columns(table).map(|column| (names::column(&column.name), make(column)));
            all.collect::<Vec<_>>()
        };
        let all = &mut self.definitions;
        let mut output = fields(&mut |column| all.reference(&column.typ, Way::Out));
        let input = fields(&mut |column| all.reference(&column.typ, Way::In));
        let filter = fields(&mut |column| all.filter(&column.typ));
        let known: BTreeSet<String> = output.iter().map(|(field, _)| field.clone()).collect();
        for (function, typ) in FUNCTIONS {
            if !known.contains(function) {
                let field = format!(
                    "{}{function}({}name: String!, {}args: [String!]!)",
                    description(&descriptions::of_function(typ)),
                    description(descriptions::FUNCTION_NAME),
                    description(descriptions::FUNCTION_ARGS),
                );
                output.push((field, typ.to_owned()));
            }
        }
        let group_by: Vec<_> = table
            .partition_key()
            .chain(table.clustering_key())
            .map(|column| (names::column(&column.name), "Boolean".to_owned()))
            .collect();
        let order: String = input
            .iter()
            .map(|(field, _)| format!("  {field}_DESC\n  {field}_ASC\n"))
            .collect();
        self.tables.push_str(&described(""));
        self.tables.push_str(&block(Way::Out, name, &output));
        for (end, members) in [
            ("Input", &input),
            ("FilterInput", &filter),
            ("GroupByInput", &group_by),
        ] {
            self.tables.push_str(&described(end));
            self.tables
                .push_str(&block(Way::In, &format!("{name}{end}"), members));
        }
        self.tables.push_str(&format!(
            "{}enum {name}Order {{\n{order}}}\n\
             type {name}Result {{\n  pageState: String\n  values: [{name}!]\n}}\n\
             {}type {name}MutationResult {{\n  applied: Boolean\n  {}  accepted: Boolean\n  value: {name}\n}}\n",
            described("Order"),
            described("MutationResult"),
            description(descriptions::ACCEPTED),
        ));
    }

    fn root_fields(&mut self, table: &Arc<Table>, name: &str) {
        let described = |action| description(&descriptions::of_field(action, table));
        self.query_fields.push_str(&format!(
            "{}  {name}(value: {name}Input, filter: {name}FilterInput, orderBy: [{name}Order], \
             {} groupBy: {name}GroupByInput, options: QueryOptions): {name}Result\n",
            described("Queries"),
            description(descriptions::GROUP_BY),
        ));
        let deprecated = format!(
            "  {name}Filter(filter: {name}FilterInput, orderBy: [{name}Order], options: QueryOptions): {name}Result \
             @deprecated(reason: \"No longer supported. Use root type instead.\")\n"
        );
        let root = RootField {
            role: Role::Query,
            table: Arc::clone(table),
        };
        self.filters
            .push((format!("{name}Filter"), deprecated, root));
        let insert = "ifNotExists: Boolean, options: MutationOptions";
        let change = format!(
            "value: {name}Input!, ifExists: Boolean, ifCondition: {name}FilterInput, options: MutationOptions"
        );
        let result = format!("{name}MutationResult");
        self.mutation_fields.push_str(&format!(
            "{}  delete{name}({change}): {result}\n\
             {}  insert{name}(value: {name}Input!, {insert}): {result}\n\
             {}  bulkInsert{name}(values: [{name}Input!], {insert}): [{result}]\n\
             {}  update{name}({change}): {result}\n",
            described("Deletes rows of"),
            described("Inserts a row into"),
            described("Inserts rows into"),
            described("Updates rows of"),
        ));
    }

    fn finish(mut self) -> Description {
        for (name, sdl, root) in std::mem::take(&mut self.filters) {
            if !self.queries.contains_key(&name) {
                self.query_fields.push_str(&sdl);
                self.queries.insert(name, root);
            }
        }
        let is_empty = self.mutations.is_empty();
        // The options of queries also where nothing is to be queried.
        let mut sdl = format!(
            "{}directive @atomic on MUTATION\n{}directive @async on MUTATION\n{QUERY_CONSISTENCY}{}{QUERY_OPTIONS}",
            description(descriptions::ATOMIC),
            description(descriptions::ASYNC),
            description(descriptions::QUERY_OPTIONS),
        );
        if is_empty {
            let described = description(descriptions::EMPTY_MUTATION);
            let field = format!("{described}  keyspaceEmptyMutation: Boolean\n");
            self.mutation_fields.push_str(&field);
        } else {
            sdl.push_str(MUTATION_CONSISTENCIES);
            sdl.push_str(&description(descriptions::MUTATION_OPTIONS));
            sdl.push_str(MUTATION_OPTIONS);
        }
        sdl.push_str(&format!(
            "type Query {{\n{}{}  conversionWarnings: [String]\n}}\ntype Mutation {{\n{}}}\n{}",
            self.query_fields,
            description(&descriptions::of_warnings(&self.warnings)),
            self.mutation_fields,
            self.tables
        ));
        for definition in self.definitions.sdl.values() {
            sdl.push_str(definition);
        }
        Description {
            sdl,
            queries: self.queries,
            mutations: self.mutations,
            warnings: self.warnings,
        }
    }
}
