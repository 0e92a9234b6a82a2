//! Binding of values to the markers of a statement.

use std::collections::HashMap;

use scylla::cluster::metadata::ColumnType;
use scylla::frame::response::result::ColumnSpec;
use scylla::serialize::SerializationError;
use scylla::serialize::row::{RowSerializationContext, SerializeRow};
use scylla::serialize::writers::RowWriter;
use scylla::statement::prepared::PreparedStatement;
use tonic::Code;

use super::encode;
use super::error::GrpcError;
use super::proto::stargate::value::Inner;
use super::proto::stargate::{Value, Values};
use super::type_spec;

/// Values as bytes in the order of the markers.
#[derive(Debug, Default, PartialEq)]
pub struct Bound(Vec<Cell>);

#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Value(Vec<u8>),
    Null,
    Unset,
}

/// Binds by position, or by name if names are given. If there are no values, nothing is checked: Cassandra rejects a
/// statement that requires some.
///
/// # Errors
/// FAILED_PRECONDITION for a wrong number of values or names, INVALID_ARGUMENT for a value that does not fit.
pub fn query(statement: &PreparedStatement, values: &Values) -> Result<Bound, GrpcError> {
    let cells = cells(statement, values)?;
    if values.value_names.is_empty() {
        return Ok(Bound(cells));
    }
    let mut by_name: HashMap<&str, Cell> = HashMap::new();
    for (name, cell) in values.value_names.iter().zip(cells) {
        by_name.entry(name).or_insert(cell);
    }
    let ordered = statement.get_variable_col_specs().iter().map(|spec| {
        by_name.get(spec.name()).cloned().ok_or_else(|| {
            GrpcError::invalid(format!(
                "There is no value for the bind marker with name '{}'",
                spec.name()
            ))
        })
    });
    Ok(Bound(ordered.collect::<Result<_, _>>()?))
}

/// Binds a statement of a batch. Names determine the types of the values, but the values are bound by position, as on a
/// real Stargate (recorded).
///
/// # Errors
/// See [`query`].
pub fn batch(statement: &PreparedStatement, values: &Values) -> Result<Bound, GrpcError> {
    Ok(Bound(cells(statement, values)?))
}

/// Returns the values in their order in the request.
fn cells(statement: &PreparedStatement, values: &Values) -> Result<Vec<Cell>, GrpcError> {
    let Values {
        values,
        value_names,
    } = values;
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let markers: Vec<&ColumnSpec<'_>> = statement.get_variable_col_specs().iter().collect();
    let count = |what: &str, n: usize| {
        if n == markers.len() {
            return Ok(());
        }
        let wanted = markers.len();
        Err(GrpcError::Refused(
            Code::FailedPrecondition,
            format!("Invalid number of bind {what}. Expected {wanted}, but received {n}"),
        ))
    };
    count("values", values.len())?;
    if value_names.is_empty() {
        let numbered = values.iter().zip(&markers).enumerate();
        return numbered
            .map(|(at, (value, spec))| {
                cell(value, spec.typ(), || format!("at position {}", at + 1))
            })
            .collect();
    }
    count("names", value_names.len())?;
    let named = values.iter().zip(value_names);
    named
        .map(|(value, name)| {
            let spec = markers.iter().find(|spec| spec.name() == name);
            let spec = spec.ok_or_else(|| {
                GrpcError::invalid(format!("Unable to find bind marker with name '{name}'"))
            })?;
            cell(value, spec.typ(), || format!("for name '{name}'"))
        })
        .collect()
}

fn cell(value: &Value, typ: &ColumnType, place: impl Fn() -> String) -> Result<Cell, GrpcError> {
    if !matches!(
        typ,
        ColumnType::Native(_)
            | ColumnType::Collection { .. }
            | ColumnType::Tuple(_)
            | ColumnType::UserDefinedType { .. }
    ) {
        return Err(type_spec::unsupported(typ));
    }
    if let Some(Inner::Unset(_)) = value.inner {
        return Ok(Cell::Unset);
    }
    match encode::value(value, typ) {
        Ok(Some(bytes)) => Ok(Cell::Value(bytes)),
        Ok(None) => Ok(Cell::Null),
        Err(cause) => Err(GrpcError::invalid(format!(
            "Invalid argument {}: {cause}",
            place()
        ))),
    }
}

impl SerializeRow for Bound {
    /// Serializes without checks, because Cassandra checks the bound values.
    fn serialize(
        &self,
        _: &RowSerializationContext<'_>,
        writer: &mut RowWriter<'_>,
    ) -> Result<(), SerializationError> {
        for cell in &self.0 {
            let writer = writer.make_cell_writer();
            match cell {
                Cell::Value(bytes) => {
                    writer.set_value(bytes).map_err(SerializationError::new)?;
                }
                Cell::Null => {
                    writer.set_null();
                }
                Cell::Unset => {
                    writer.set_unset();
                }
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
