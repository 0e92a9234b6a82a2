//! Descriptions in the schema of a keyspace, for introspection. The texts are our own; a real Stargate describes the same
//! items.

use super::names;
use store::Table;

pub const QUERY_OPTIONS: &str = "How a query is executed.";
pub const MUTATION_OPTIONS: &str = "How a mutation is executed.";
pub const ATOMIC: &str = "Applies the mutations in one LOGGED batch.";
pub const ASYNC: &str = "Applies the mutations without waiting for their results.";
pub const EMPTY_MUTATION: &str = "Stands in for the mutations of a keyspace without tables.";
pub const ACCEPTED: &str = "Only used with the @async directive.";
pub const GROUP_BY: &str = "The columns by which results are grouped.";
pub const FUNCTION_NAME: &str = "The name of the function.";
pub const FUNCTION_ARGS: &str = "The arguments of the function, which are names of columns.";
pub const ENTRY: &str = "A key and its value, for a map.";

/// Returns the description of a type of a table, by the end of its name; empty for a type without one.
pub fn of_type(table: &Table, end: &str) -> String {
    let name = &table.name;
    match end {
        "" => format!("A row that a query of the table '{name}' returns."),
        "Input" => format!("A row of the table '{name}' as input. {}", key(table)),
        "FilterInput" => format!(
            "Conditions on the columns of the table '{name}', also other than equality. {}",
            key(table)
        ),
        "Order" => format!("The columns by which rows of the table '{name}' are ordered."),
        "MutationResult" => format!("The result of a mutation of the table '{name}'."),
        _ => String::new(),
    }
}

/// Returns the description of a root field of a table. `action` is its verb, such as `Queries` or `Inserts a row into`.
pub fn of_field(action: &str, table: &Table) -> String {
    format!("{action} the table '{}'. {}", table.name, key(table))
}

/// Returns the description of an aggregate field.
pub fn of_function(typ: &str) -> String {
    format!("The result of an aggregate function, as {typ}.")
}

/// Returns the description of the field that returns the warnings, including them.
pub fn of_warnings(warnings: &[String]) -> String {
    let mut text = "Warnings about tables that became other GraphQL types, or none.".to_owned();
    if warnings.is_empty() {
        text.push_str("\nThere are no warnings.");
    }
    for warning in warnings {
        text.push_str("\n- ");
        text.push_str(warning);
    }
    text
}

/// Returns a sentence that names the fields of the primary key.
fn key(table: &Table) -> String {
    let columns = table.partition_key().chain(table.clustering_key());
    let names: Vec<String> = columns
        .map(|column| format!("'{}'", names::column(&column.name)))
        .collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("The primary key is {one}."),
        [first @ .., last] => format!("The primary key is {} and {last}.", first.join(", ")),
    }
}
