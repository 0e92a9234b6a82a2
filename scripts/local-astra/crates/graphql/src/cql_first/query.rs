//! The query of a table as a SELECT.

use std::collections::HashSet;

use apollo_compiler::ast::Value as Literal;
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::resolvers::ResolveInfo;
use apollo_compiler::{ExecutableDocument, Name};
use scylla::statement::Consistency;
use scylla::value::CqlValue;
use serde_json::{Map, Value, json};

use super::aggregates::{self, Aggregate};
use super::conditions::{self, members};
use super::{names, values};
use crate::run::{Arguments, RunError, arguments};
use crate::statement::{self, Options};
use crate::variables::list;
use access::TokenSession;
use store::cql::{self, Expression, Statement};
use store::values::from_base64;
use store::{Page, Rows, Table};

/// Default page size in the schema.
const PAGE_SIZE: i32 = 100;

/// Reads a page of rows, as a `…Result`.
///
/// # Errors
/// Cassandra's own, and arguments without a valid statement.
pub async fn run(
    table: &Table,
    info: &ResolveInfo<'_>,
    variables: &Arguments,
    session: &TokenSession,
) -> Result<Value, RunError> {
    let given = arguments(info);
    let wanted = Selected::read(table, info, variables)?;
    let (select, options, page) = select(table, &wanted, &given)?;
    let rows = statement::read(select, options, session, page).await?;
    result(table, &wanted, &rows)
}

/// The selected columns and aggregates.
#[derive(Debug, Default)]
struct Selected {
    columns: Vec<String>,
    aggregates: Vec<Aggregate>,
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
        let mut seen = HashSet::new();
        for root in info.field_selections() {
            collect(&root.selection_set, document, &mut seen, &mut fields);
        }
        let mut inner = Vec::new();
        let mut seen = HashSet::new();
        for field in fields.into_iter().filter(|field| field.name == "values") {
            collect(&field.selection_set, document, &mut seen, &mut inner);
        }
        for field in inner {
            let name = field.name.as_str();
            let column = table
                .columns
                .iter()
                .find(|column| names::column(&column.name) == name);
            match (column, aggregates::function(name)) {
                (Some(column), _) if !selected.columns.contains(&column.name) => {
                    selected.columns.push(column.name.clone());
                }
                (None, Some(function)) => {
                    let given = |name: &str| {
                        let value = field.argument_by_name(name).ok();
                        value.map_or(Value::Null, |value| texts(value, variables))
                    };
                    let alias = field.alias.as_deref();
                    let (name, args) = (given("name"), given("args"));
                    let aggregate = Aggregate::read(table, function, alias, &name, &args)?;
                    selected.aggregates.push(aggregate);
                }
                _ => {}
            }
        }
        Ok(selected)
    }

    fn selectors(&self) -> impl Iterator<Item = Expression> {
        let columns = self.columns.iter().map(|column| cql::column(column));
        columns.chain(self.aggregates.iter().filter_map(Aggregate::selector))
    }
}

/// Returns the fields of a selection, including those of its fragments. Each fragment counts once: otherwise fragments
/// that spread others twice would double the fields with each level.
fn collect<'a>(
    set: &'a SelectionSet,
    document: &'a ExecutableDocument,
    seen: &mut HashSet<&'a Name>,
    fields: &mut Vec<&'a Field>,
) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => fields.push(field),
            Selection::InlineFragment(fragment) => {
                collect(&fragment.selection_set, document, seen, fields);
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.fragment_name;
                if seen.insert(name)
                    && let Some(fragment) = document.fragments.get(name)
                {
                    collect(&fragment.selection_set, document, seen, fields);
                }
            }
        }
    }
}

/// Returns the texts of an argument that is not coerced yet, because the arguments of a selected field are read before
/// it is executed.
fn texts(literal: &Literal, variables: &Arguments) -> Value {
    match literal {
        Literal::String(text) => Value::String(text.clone()),
        Literal::List(items) => items.iter().map(|item| texts(item, variables)).collect(),
        Literal::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

fn select(
    table: &Table,
    wanted: &Selected,
    given: &Arguments,
) -> Result<(Statement, Options, Page), RunError> {
    let argument = |name: &str| given.get(name).unwrap_or(&Value::Null);
    let conditions = match given.get("filter") {
        None => {
            let equal = members(table, argument("value")).map(|(column, value)| {
                let value = values::read(value, &column.typ)?;
                Ok(cql::equal(&column.name, value))
            });
            equal.collect::<Result<_, RunError>>()?
        }
        // Also a null makes that `value` is not looked at.
        Some(filter) => conditions::read(table, filter)?,
    };
    let options = argument("options");
    let select = cql::select(&table.keyspace, &table.name, wanted.selectors())
        .filter(conditions)
        .group_by(groups(table, given)?)
        .order_by(orders(table, given)?)
        .limit(int(&options["limit"]));
    let size = int(&options["pageSize"]).unwrap_or(PAGE_SIZE);
    if size <= 0 {
        return Err(RunError::Invalid(format!(
            "UNKNOWN: UNKNOWN: Invalid page size {size}: must be strictly positive"
        )));
    }
    let state = options["pageState"].as_str().map(from_base64).transpose()?;
    let options = Options::new(consistency(&options["consistency"]), None);
    Ok((select, options, Page { size, state }))
}

/// Returns the columns of `groupBy` in the order of the key.
fn groups(table: &Table, given: &Arguments) -> Result<Vec<Expression>, RunError> {
    let Some(groups) = given.get("groupBy") else {
        return Ok(Vec::new());
    };
    let groups = groups
        .as_object()
        .ok_or_else(|| RunError::null("groupBy"))?;
    let mut columns = Vec::new();
    for column in table.partition_key().chain(table.clustering_key()) {
        match groups.get(&names::column(&column.name)) {
            Some(Value::Null) => return Err(RunError::null(&column.name)),
            Some(Value::Bool(true)) => columns.push(cql::column(&column.name)),
            _ => {}
        }
    }
    Ok(columns)
}

fn orders(table: &Table, given: &Arguments) -> Result<Vec<Expression>, RunError> {
    let Some(orders) = given.get("orderBy") else {
        return Ok(Vec::new());
    };
    let mut columns = Vec::new();
    for order in list(orders) {
        let order = order.as_str().ok_or_else(|| RunError::null("orderBy"))?;
        let found = order.rsplit_once('_').and_then(|(name, direction)| {
            let mut columns = table.columns.iter();
            let column = columns.find(|column| names::column(&column.name) == name)?;
            Some(cql::order(&column.name, direction == "DESC"))
        });
        columns.extend(found);
    }
    Ok(columns)
}

/// Returns a 32-bit number of the options.
pub fn int(value: &Value) -> Option<i32> {
    i32::try_from(value.as_i64()?).ok()
}

/// Returns a consistency level of the options.
pub fn consistency(value: &Value) -> Option<Consistency> {
    Some(match value.as_str()? {
        "LOCAL_ONE" => Consistency::LocalOne,
        "ALL" => Consistency::All,
        "SERIAL" => Consistency::Serial,
        "LOCAL_SERIAL" => Consistency::LocalSerial,
        _ => Consistency::LocalQuorum,
    })
}

fn result(table: &Table, wanted: &Selected, rows: &Rows) -> Result<Value, RunError> {
    let page_state = rows.page_state.as_ref().map(|state| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(state)
    });
    let mut values = Vec::with_capacity(rows.rows.len());
    for row in &rows.rows {
        let mut members = object(table, rows, row);
        for aggregate in &wanted.aggregates {
            let (field, value) = aggregate.field_value(rows, row)?;
            members.insert(field, value);
        }
        values.push(Value::Object(members));
    }
    Ok(json!({"pageState": page_state, "values": values}))
}

/// Returns a row by the names of the fields.
pub fn object(table: &Table, rows: &Rows, row: &[Option<CqlValue>]) -> Map<String, Value> {
    let columns = rows.columns.iter().zip(row);
    columns
        .map(|((name, typ), value)| {
            // Not all is a column: aggregates, `[applied]`.
            let field = match table.column(name) {
                Some(_) => names::column(name),
                None => name.clone(),
            };
            (field, values::write(value.as_ref(), typ))
        })
        .collect()
}
