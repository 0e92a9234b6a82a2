//! The `where` parameter: `{"column": {"$operator": value, …}, …}`, with all conditions joined by AND.

use std::collections::HashSet;
use std::fmt;

use scylla::cluster::metadata::{CollectionType, ColumnType};
use scylla::value::CqlValue;
use serde::Deserializer;
use serde::de::{Deserialize, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::RestError;
use bridge::first_json;
use store::cql::{self, Expression};
use store::values::{Maps, ValueError, from_json_strictly, from_text};
use store::{Code, Column, StoreError, Table};

/// Parses the parameter. Without a condition it selects the whole table.
///
/// # Errors
/// 400 if it is not a JSON object of conditions, for unknown columns and operators, and for values that do not fit.
pub fn parse(table: &Table, parameter: &str, maps: Maps) -> Result<Vec<Expression>, RestError> {
    let bad = |text: &str| RestError::BadRequest(text.to_owned());
    let no_json =
        |error| RestError::BadRequest(format!("Input provided is not valid json. {error}"));
    let raw: Box<RawValue> = first_json(parameter).map_err(no_json)?;
    if let Some(name) = repeated_member(raw.get()) {
        return Err(no_json(format!("Duplicate field '{name}'")));
    }
    let Value::Object(columns) = first_json(raw.get()).map_err(no_json)? else {
        return Err(bad(
            "Was expecting a JSON object as input for where parameter.",
        ));
    };
    let parser = Parser { table, maps };
    let mut conditions = Vec::new();
    for (name, operations) in &columns {
        let Value::Object(operations) = operations else {
            return Err(RestError::BadRequest(format!(
                "Entry for field {name} was expecting a JSON object as input."
            )));
        };
        for (operator, value) in operations {
            parser.add(&mut conditions, name, operator, value)?;
        }
    }
    Ok(conditions)
}

struct Parser<'a> {
    table: &'a Table,
    maps: Maps,
}

impl Parser<'_> {
    fn add(
        &self,
        conditions: &mut Vec<Expression>,
        name: &str,
        written: &str,
        value: &Value,
    ) -> Result<(), RestError> {
        let operator = match written.to_ascii_uppercase().as_str() {
            "$EQ" => "=",
            "$LT" => "<",
            "$LTE" => "<=",
            "$GT" => ">",
            "$GTE" => ">=",
            "$EXISTS" => "$exists",
            "$IN" => "IN",
            "$CONTAINS" => "CONTAINS",
            "$CONTAINSKEY" => "CONTAINS KEY",
            "$CONTAINSENTRY" => "$containsEntry",
            _ => {
                return Err(RestError::BadRequest(format!(
                    "Operation {written} is not supported."
                )));
            }
        };
        if value.is_null() {
            return Err(RestError::BadRequest(format!(
                "Value entry for field {name}, operation {written} was expecting a value, but found null."
            )));
        }
        match operator {
            "IN" => conditions.push(self.one_of(name, value)?),
            "$exists" => {
                if value != &Value::Bool(true) {
                    return Err(RestError::BadRequest(
                        "`$exists` only supports the value `true`.".to_owned(),
                    ));
                }
                conditions.push(self.compare(name, "=", value)?);
            }
            "CONTAINS" => {
                let column = self.column(name)?;
                let Some(typ) = element_type(&column.typ) else {
                    return Err(RestError::BadRequest(format!(
                        "Field '{name}' not of container type (list, map, set); has to be for operation $contains"
                    )));
                };
                let value = self.content(column, typ, value, "content")?;
                conditions.push(cql::column(name).op(operator, value));
            }
            "CONTAINS KEY" => {
                let column = self.column(name)?;
                let Some((key, _)) = map_types(&column.typ) else {
                    return Err(RestError::BadRequest(format!(
                        "Field '{name}' not of map type; has to be for operation $containsKey"
                    )));
                };
                let value = self.content(column, key, value, "key")?;
                conditions.push(cql::column(name).op(operator, value));
            }
            "$containsEntry" => conditions.push(self.entry(name, value)?),
            _ => match value {
                // One condition per element, as if it were separate.
                Value::Array(values) => {
                    for value in values {
                        conditions.push(self.compare(name, operator, value)?);
                    }
                }
                value => conditions.push(self.compare(name, operator, value)?),
            },
        }
        Ok(())
    }

    fn column(&self, name: &str) -> Result<&Column, RestError> {
        self.table
            .column(name)
            .ok_or_else(|| unknown_column(self.table, name))
    }

    /// Reads the value of a comparison: a text as in a path, other JSON strictly.
    fn compare(&self, name: &str, operator: &str, value: &Value) -> Result<Expression, RestError> {
        let column = self.column(name)?;
        let value = match value {
            Value::Null => None,
            Value::String(text) => Some(from_text(text, &column.typ, self.maps)),
            value => Some(from_json_strictly(value, &column.typ, self.maps)),
        };
        let value = value.transpose();
        let value = value.map_err(|error| RestError::value(&self.table.name, name, &error))?;
        Ok(cql::column(name).op(operator, value))
    }

    fn one_of(&self, name: &str, value: &Value) -> Result<Expression, RestError> {
        let elements = value.as_array().filter(|elements| !elements.is_empty());
        let elements = elements.ok_or_else(|| {
            RestError::BadRequest(format!(
                "Value entry for field '{name}', operation $in must be a non-empty array"
            ))
        })?;
        let column = self.column(name)?;
        let mut values = Vec::with_capacity(elements.len());
        for element in elements {
            if element.is_null() {
                // In Stargate, binding the list fails.
                let problem = "null is not supported inside lists";
                return Err(StoreError::new(Code::InvalidArgument, problem).into());
            }
            let value = from_json_strictly(element, &column.typ, self.maps);
            values.push(value.map_err(|error| RestError::value(&self.table.name, name, &error))?);
        }
        Ok(cql::column(name).op("IN", CqlValue::List(values)))
    }

    fn entry(&self, name: &str, value: &Value) -> Result<Expression, RestError> {
        let (Some(key), Some(value)) = (value.get("key"), value.get("value")) else {
            return Err(RestError::BadRequest(format!(
                "Value entry for field {name}, operation $containsEntry must be an object with two fields 'key' and 'value'"
            )));
        };
        let column = self.column(name)?;
        let Some((key_type, value_type)) = map_types(&column.typ) else {
            // In Stargate, binding the missing key fails.
            return Err(RestError::exception("map key may not be null"));
        };
        let key = self.content(column, key_type, key, "key")?;
        let value = self.content(column, value_type, value, "content")?;
        Ok(cql::entry(name, key).op("=", value))
    }

    /// Reads a key or an element of a collection.
    fn content(
        &self,
        column: &Column,
        typ: &ColumnType<'_>,
        value: &Value,
        what: &str,
    ) -> Result<CqlValue, RestError> {
        let read = match value {
            Value::String(text) => from_text(text, typ, self.maps),
            value => from_json_strictly(value, typ, self.maps),
        };
        read.map_err(|error: ValueError| {
            RestError::BadRequest(format!(
                "Failed to deserialize {what} value for field '{}.{}', problem: {error}",
                self.table.name, column.name
            ))
        })
    }
}

/// The error for a column that does not exist in the table.
pub fn unknown_column(table: &Table, name: &str) -> RestError {
    let known: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    RestError::BadRequest(format!(
        "Unknown field name '{name}' (table '{}'); known fields: [{}]",
        table.name,
        known.join(", ")
    ))
}

fn element_type<'a>(typ: &'a ColumnType<'a>) -> Option<&'a ColumnType<'a>> {
    match typ {
        ColumnType::Collection {
            typ: CollectionType::List(element) | CollectionType::Set(element),
            ..
        }
        | ColumnType::Vector { typ: element, .. } => Some(element),
        _ => map_types(typ).map(|(_, value)| value),
    }
}

fn map_types<'a>(typ: &'a ColumnType<'a>) -> Option<(&'a ColumnType<'a>, &'a ColumnType<'a>)> {
    match typ {
        ColumnType::Collection {
            typ: CollectionType::Map(key, value),
            ..
        } => Some((key, value)),
        _ => None,
    }
}

/// Returns the first member that an object contains twice, at any depth up to the parser's limit. The reader rejects
/// deeper nesting.
fn repeated_member(json: &str) -> Option<String> {
    serde_json::from_str::<Repeated>(json).ok()?.0
}

/// The first duplicate member. Found in one pass, so that the parser's limit on nesting applies.
struct Repeated(Option<String>);

impl<'de> Deserialize<'de> for Repeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Repeated, D::Error> {
        deserializer.deserialize_any(Search)
    }
}

struct Search;

impl<'de> Visitor<'de> for Search {
    type Value = Repeated;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Repeated, E> {
        Ok(Repeated(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Repeated, A::Error> {
        let mut first = None;
        while let Some(Repeated(found)) = elements.next_element()? {
            first = first.or(found);
        }
        Ok(Repeated(first))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Repeated, A::Error> {
        let (mut first, mut seen) = (None, HashSet::new());
        while let Some((name, Repeated(inside))) = members.next_entry::<String, Repeated>()? {
            let is_new = seen.insert(name.clone());
            first = first.or(if is_new { inside } else { Some(name) });
        }
        Ok(Repeated(first))
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::tests::events;
    use super::*;

    fn read(parameter: &str) -> Vec<Expression> {
        parse(&events(), parameter, Maps::Compact).unwrap()
    }

    fn refused(parameter: &str) -> String {
        parse(&events(), parameter, Maps::Compact)
            .unwrap_err()
            .to_string()
    }

    fn text(text: &str) -> CqlValue {
        CqlValue::Text(text.to_owned())
    }

    #[test]
    fn operators_become_conditions() {
        let is = |column, operator, value| vec![cql::column(column).op(operator, value)];
        for (parameter, wanted) in [
            (r#"{"day":{"$eq":"a"}}"#, is("day", "=", text("a"))),
            (r#"{"at":{"$LT":5}}"#, is("at", "<", CqlValue::Int(5))),
            (r#"{"at":{"$lte":"5"}}"#, is("at", "<=", CqlValue::Int(5))),
            (r#"{"at":{"$gt":5}}"#, is("at", ">", CqlValue::Int(5))),
            (r#"{"at":{"$gte":5}}"#, is("at", ">=", CqlValue::Int(5))),
            (
                r#"{"at":{"$in":[1,2]}}"#,
                is(
                    "at",
                    "IN",
                    CqlValue::List(vec![CqlValue::Int(1), CqlValue::Int(2)]),
                ),
            ),
            (
                r#"{"ok":{"$exists":true}}"#,
                is("ok", "=", CqlValue::Boolean(true)),
            ),
            (r#"{"day":{"$exists":true}}"#, is("day", "=", text("true"))),
            (
                r#"{"tags":{"$contains":"x"}}"#,
                is("tags", "CONTAINS", text("x")),
            ),
            (
                r#"{"scores":{"$contains":"3"}}"#,
                is("scores", "CONTAINS", CqlValue::Int(3)),
            ),
            (
                r#"{"scores":{"$containsKey":"k"}}"#,
                is("scores", "CONTAINS KEY", text("k")),
            ),
            (
                r#"{"scores":{"$containsEntry":{"key":"k","value":3}}}"#,
                vec![cql::entry("scores", text("k")).op("=", CqlValue::Int(3))],
            ),
            (
                r#"{"day":{"$eq":"a"},"at":{"$gt":1,"$lt":4}} and more"#,
                [
                    is("day", "=", text("a")),
                    is("at", ">", CqlValue::Int(1)),
                    is("at", "<", CqlValue::Int(4)),
                ]
                .concat(),
            ),
            (
                r#"{"at":{"$eq":[1,"2"]}}"#,
                [
                    is("at", "=", CqlValue::Int(1)),
                    is("at", "=", CqlValue::Int(2)),
                ]
                .concat(),
            ),
            ("{}", Vec::new()),
            (r#"{"at":{}}"#, Vec::new()),
        ] {
            assert_eq!(read(parameter), wanted, "{parameter}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_stargates_words() {
        for (parameter, wanted) in [
            (
                "[]",
                "Was expecting a JSON object as input for where parameter.",
            ),
            (
                "5",
                "Was expecting a JSON object as input for where parameter.",
            ),
            (
                r#"{"at":5}"#,
                "Entry for field at was expecting a JSON object as input.",
            ),
            (r#"{"at":{"$ne":5}}"#, "Operation $ne is not supported."),
            (r#"{"at":{"$foo":5}}"#, "Operation $foo is not supported."),
            (
                r#"{"at":{"$Eq":null}}"#,
                "Value entry for field at, operation $Eq was expecting a value, but found null.",
            ),
            (
                r#"{"at":{"$in":5}}"#,
                "Value entry for field 'at', operation $in must be a non-empty array",
            ),
            (
                r#"{"at":{"$in":[]}}"#,
                "Value entry for field 'at', operation $in must be a non-empty array",
            ),
            (
                r#"{"at":{"$in":["1"]}}"#,
                "Failed to deserialize field 'events.at', problem: Cannot coerce String value '1' into expected \
                 protobuf type: TypeSpec.Basic.INT",
            ),
            (
                r#"{"ok":{"$exists":false}}"#,
                "`$exists` only supports the value `true`.",
            ),
            (
                r#"{"at":{"$contains":5}}"#,
                "Field 'at' not of container type (list, map, set); has to be for operation $contains",
            ),
            (
                r#"{"tags":{"$containsKey":"x"}}"#,
                "Field 'tags' not of map type; has to be for operation $containsKey",
            ),
            (
                r#"{"scores":{"$containsEntry":{"key":"k"}}}"#,
                "Value entry for field scores, operation $containsEntry must be an object with two fields 'key' \
                 and 'value'",
            ),
            (
                r#"{"nocol":{"$eq":1}}"#,
                "Unknown field name 'nocol' (table 'events'); known fields: [day, at, n, ok, scores, tags, what]",
            ),
            (
                r#"{"at":{"$eq":"x"}}"#,
                "Failed to deserialize field 'events.at', problem: Invalid String value ('x'): not valid \
                 representation/value for target protobuf type: TypeSpec.Basic.INT",
            ),
            (
                r#"{"scores":{"$contains":"x"}}"#,
                "Failed to deserialize content value for field 'events.scores', problem: Invalid String value \
                 ('x'): not valid representation/value for target protobuf type: TypeSpec.Basic.INT",
            ),
        ] {
            assert_eq!(refused(parameter), wanted, "{parameter}");
        }
        for no_json in ["notjson", "{\"at\":", "{'at':{}}"] {
            assert!(
                refused(no_json).starts_with("Input provided is not valid json. "),
                "{no_json}"
            );
        }
    }

    #[test]
    fn a_member_may_not_come_twice() {
        for (parameter, name) in [
            (r#"{"at":{"$eq":1},"at":{"$eq":2}}"#, "at"),
            (r#"{"at":{"$eq":1,"$eq":2}}"#, "$eq"),
            (
                r#"{"scores":{"$containsEntry":{"key":"a","key":"b","value":1}}}"#,
                "key",
            ),
            (r#"{"at":{"$eq":[{"x":1,"x":2}]}}"#, "x"),
        ] {
            let wanted = format!("Input provided is not valid json. Duplicate field '{name}'");
            assert_eq!(refused(parameter), wanted);
        }
    }
}
