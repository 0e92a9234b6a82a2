//! The query of a table as a SELECT.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::Value as Literal;
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::resolvers::ResolveInfo;
use scylla::statement::Consistency;
use scylla::value::CqlValue;
use serde_json::{Map, Value, json};

use super::conditions::{Relations, members};
use super::{names, sdl, values};
use crate::graphql::run::{Arguments, RunError, arguments};
use crate::graphql::statement::{Options, Page, Statement};
use crate::store::types::{quote, quote_in};
use crate::store::values::from_base64;
use crate::store::{Rows, Table, TokenSession};

/// The page size that the schema has as its default.
const PAGE_SIZE: i32 = 100;

/// Reads a page of rows, as a `…Result`.
///
/// # Errors
/// Cassandra's own, and for arguments that make no statement.
pub async fn run(
    table: &Table,
    info: &ResolveInfo<'_>,
    variables: &Arguments,
    session: &TokenSession,
) -> Result<Value, RunError> {
    let given = arguments(info);
    let wanted = Selected::read(table, info, variables)?;
    let (statement, page) = statement(table, &wanted, &given)?;
    let rows = statement.read(session, page).await?;
    Ok(answer(table, &rows))
}

/// What is to be read.
#[derive(Debug, Default)]
struct Selected {
    columns: Vec<String>,
    /// Function, column, and the field that asks for it.
    aggregates: Vec<(&'static str, String, &'static str)>,
}

impl Selected {
    fn read(
        table: &Table,
        info: &ResolveInfo<'_>,
        variables: &Arguments,
    ) -> Result<Selected, RunError> {
        let mut selected = Selected::default();
        let document = info.document();
        let mut fields = Vec::new();
        for root in info.field_selections() {
            collect(&root.selection_set, document, &mut fields);
        }
        let mut inner = Vec::new();
        for field in fields.into_iter().filter(|field| field.name == "values") {
            collect(&field.selection_set, document, &mut inner);
        }
        for field in inner {
            let name = field.name.as_str();
            let column = table
                .columns
                .iter()
                .find(|column| names::column(&column.name) == name);
            let function = sdl::FUNCTIONS
                .iter()
                .find(|(function, _)| *function == name);
            match (column, function) {
                (Some(column), _) if !selected.columns.contains(&column.name) => {
                    selected.columns.push(column.name.clone());
                }
                (None, Some((function, _))) => {
                    let aggregate = aggregate(table, field, variables)?;
                    selected
                        .aggregates
                        .push((aggregate.0, aggregate.1, function));
                }
                _ => {}
            }
        }
        Ok(selected)
    }

    fn cql(&self) -> String {
        let columns = self.columns.iter().map(|column| quote(column));
        let aggregates = self.aggregates.iter().map(|(function, column, field)| {
            format!("{function}({}) AS {}", quote(column), quote(field))
        });
        let all: Vec<String> = columns.chain(aggregates).collect();
        match all.is_empty() {
            true => "*".to_owned(),
            false => all.join(", "),
        }
    }
}

/// The fields of a selection, with those of its fragments.
fn collect<'a>(
    set: &'a SelectionSet,
    document: &'a ExecutableDocument,
    fields: &mut Vec<&'a Field>,
) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => fields.push(field),
            Selection::InlineFragment(fragment) => {
                collect(&fragment.selection_set, document, fields);
            }
            Selection::FragmentSpread(spread) => {
                // A validated document has no fragment that contains itself.
                if let Some(fragment) = document.fragments.get(&spread.fragment_name) {
                    collect(&fragment.selection_set, document, fields);
                }
            }
        }
    }
}

/// The function and the column of a `_…_function` field.
fn aggregate(
    table: &Table,
    field: &Field,
    variables: &Arguments,
) -> Result<(&'static str, String), RunError> {
    let given = |name: &str| {
        let value = field.argument_by_name(name).ok();
        value.map_or(Value::Null, |value| texts(value, variables))
    };
    let name = given("name");
    let name = name.as_str().unwrap_or_default();
    let known = ["count", "avg", "min", "max", "sum"];
    let function = known.iter().find(|known| known.eq_ignore_ascii_case(name));
    let function = function.ok_or_else(|| {
        RunError::Invalid(format!(
            "The aggregation function: {name} is not supported."
        ))
    })?;
    let columns = given("args");
    let columns: Vec<&str> = match &columns {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::String(single) => vec![single],
        _ => Vec::new(),
    };
    let [column] = columns.as_slice() else {
        return Err(RunError::Invalid(match columns.is_empty() {
            true => format!("The {function} function takes one argument, but none was provided."),
            false => format!(
                "The {function} function takes only one argument, but more arguments: [{}] were provided.",
                columns.join(", ")
            ),
        }));
    };
    let found = table
        .columns
        .iter()
        .find(|c| names::column(&c.name) == *column);
    let found = found.ok_or_else(|| {
        RunError::Invalid(format!(
            "The column name: {column} provided for the {function} function does not exists."
        ))
    })?;
    Ok((function, found.name.clone()))
}

/// The texts of an argument that is not yet coerced: those of a selected field are read before it is executed.
fn texts(literal: &Literal, variables: &Arguments) -> Value {
    match literal {
        Literal::String(text) => Value::String(text.clone()),
        Literal::List(items) => items.iter().map(|item| texts(item, variables)).collect(),
        Literal::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

fn statement(
    table: &Table,
    wanted: &Selected,
    given: &Arguments,
) -> Result<(Statement, Page), RunError> {
    let argument = |name: &str| given.get(name).unwrap_or(&Value::Null);
    let mut relations = Relations::default();
    match argument("filter") {
        Value::Null => {
            for (column, value) in members(table, argument("value")) {
                relations.push_equal(&column.name, values::read(value, &column.typ)?);
            }
        }
        filter => relations.push_filter(table, filter)?,
    }
    let mut cql = format!(
        "SELECT {} FROM {}{}",
        wanted.cql(),
        quote_in(&table.keyspace, &table.name),
        relations.clause("WHERE")
    );
    let groups = argument("groupBy");
    let keys = table.partition_key().chain(table.clustering_key());
    let groups: Vec<String> = keys
        .filter(|column| groups[names::column(&column.name)] == json!(true))
        .map(|column| quote(&column.name))
        .collect();
    if !groups.is_empty() {
        cql.push_str(&format!(" GROUP BY {}", groups.join(", ")));
    }
    let orders = argument("orderBy").as_array();
    let orders: Vec<String> = orders
        .into_iter()
        .flatten()
        .filter_map(|order| {
            let (name, direction) = order.as_str()?.rsplit_once('_')?;
            let column = table
                .columns
                .iter()
                .find(|c| names::column(&c.name) == name)?;
            Some(format!("{} {direction}", quote(&column.name)))
        })
        .collect();
    if !orders.is_empty() {
        cql.push_str(&format!(" ORDER BY {}", orders.join(", ")));
    }
    let options = argument("options");
    let mut bound = relations.values;
    if let Some(limit) = int(&options["limit"]) {
        cql.push_str(" LIMIT ?");
        bound.push(Some(CqlValue::Int(limit)));
    }
    let size = int(&options["pageSize"]).unwrap_or(PAGE_SIZE);
    if size <= 0 {
        return Err(RunError::Invalid(format!(
            "UNKNOWN: UNKNOWN: Invalid page size {size}: must be strictly positive"
        )));
    }
    let state = options["pageState"].as_str().map(from_base64).transpose()?;
    let statement = Statement {
        cql,
        values: bound,
        options: Options::new(consistency(&options["consistency"]), None),
    };
    Ok((statement, Page { size, state }))
}

/// A 32-bit number of the options.
pub fn int(value: &Value) -> Option<i32> {
    i32::try_from(value.as_i64()?).ok()
}

/// A level of the options.
pub fn consistency(value: &Value) -> Option<Consistency> {
    Some(match value.as_str()? {
        "LOCAL_ONE" => Consistency::LocalOne,
        "ALL" => Consistency::All,
        "SERIAL" => Consistency::Serial,
        "LOCAL_SERIAL" => Consistency::LocalSerial,
        _ => Consistency::LocalQuorum,
    })
}

fn answer(table: &Table, rows: &Rows) -> Value {
    let page_state = rows.page_state.as_ref().map(|state| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(state)
    });
    let values = rows.rows.iter().map(|row| object(table, rows, row));
    json!({"pageState": page_state, "values": values.collect::<Vec<_>>()})
}

/// A row by the names of the fields.
pub fn object(table: &Table, rows: &Rows, row: &[Option<CqlValue>]) -> Value {
    let columns = rows.columns.iter().zip(row);
    let members: Map<String, Value> = columns
        .map(|((name, typ), value)| {
            // An aggregate has the name of its field; `[applied]` is no column either.
            let field = match table.column(name) {
                Some(_) => names::column(name),
                None => name.clone(),
            };
            (field, values::write(value.as_ref(), typ))
        })
        .collect();
    Value::Object(members)
}
