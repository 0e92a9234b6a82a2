//! Conversion of rows to JSON.
//!
//! A write does not read first, so the rows of a document may contradict each other: an object at a path where another
//! write has stored an array or a scalar. Conflicts are resolved by Stargate's rules: rows are processed in the order
//! of their paths; a row that requires another kind of node replaces the existing one; and a row is ignored if it is
//! older than the row that last replaced a node on its path.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Map, Value as Json};

use super::error::DocumentError;
use super::layout::{EMPTY_ARRAY, EMPTY_OBJECT, MAX_ARRAY_LENGTH, ROOT};
use super::path::{self, Pattern, is_on};
use super::rows::{Row, Value};
use store::values::numbers;

/// JSON form of arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrays {
    AsArrays,
    /// `{"[0]": …}`, as a search within a document shows them.
    AsObjects,
}

#[derive(Debug)]
struct Node {
    kind: Kind,
    /// Write time of the row that determined this node, if any.
    decided: Option<i64>,
}

#[derive(Debug)]
enum Kind {
    Leaf(Json),
    Object(Vec<(String, Node)>),
    /// Only the elements that rows have: an index alone can be up to a million.
    Array(BTreeMap<usize, Node>),
}

/// The number of elements that a response may still have at indexes without a row.
#[derive(Debug)]
pub struct Padding(usize);

impl Default for Padding {
    fn default() -> Padding {
        Padding(MAX_ARRAY_LENGTH)
    }
}

impl Padding {
    fn take(&mut self, elements: usize) -> Result<(), DocumentError> {
        let left = self.0.checked_sub(elements);
        self.0 = left.ok_or(DocumentError::ArrayLength)?;
        Ok(())
    }
}

/// Builds the JSON from rows in the order of their paths. If there are `fields`, only rows on one of these paths are
/// used.
///
/// # Errors
/// [`bridge::BridgeError::Exception`] for rows that Stargate cannot interpret either;
/// [`DocumentError::ArrayLength`] if no padding is left.
pub fn assemble(
    rows: &[Row],
    fields: &[Vec<Pattern>],
    arrays: Arrays,
    padding: &mut Padding,
) -> Result<Json, DocumentError> {
    let mut root = Node::of(Kind::Object(Vec::new()));
    for row in rows {
        let wanted = fields.is_empty() || fields.iter().any(|field| is_on(&row.path, field));
        if wanted && row.leaf != ROOT {
            root.add(row, arrays)?;
        }
    }
    root.into_json(padding)
}

/// Returns the part of a document at a path of a URL, resolved as a JSON pointer without escapes: a slash in a segment
/// separates two, and `~1` and `~0` are a slash and a tilde.
///
/// # Errors
/// An invalid index.
pub fn at<'a>(document: &'a Json, path: &[String]) -> Result<Option<&'a Json>, DocumentError> {
    let mut part = document;
    for segment in path {
        let found = match (path::index(segment)?, part) {
            (Some(index), Json::Array(elements)) => usize::try_from(index)
                .ok()
                .and_then(|index| elements.get(index)),
            (Some(index), Json::Object(members)) => members.get(&index.to_string()),
            (None, part) => member(part, &path::unescape(segment)),
            _ => None,
        };
        match found {
            Some(found) => part = found,
            None => return Ok(None),
        }
    }
    Ok(Some(part))
}

fn member<'a>(part: &'a Json, segment: &str) -> Option<&'a Json> {
    segment.split('/').try_fold(part, |part, name| {
        part.as_object()?
            .get(&name.replace("~1", "/").replace("~0", "~"))
    })
}

impl Node {
    fn of(kind: Kind) -> Node {
        Node {
            kind,
            decided: None,
        }
    }

    fn container(is_array: bool) -> Node {
        Node::of(if is_array {
            Kind::Array(BTreeMap::new())
        } else {
            Kind::Object(Vec::new())
        })
    }

    fn is_older(&self, row: &Row) -> bool {
        self.decided.is_none_or(|decided| decided <= row.written)
    }

    /// Replaces the node by an empty one of another kind.
    fn turn_into(&mut self, kind: Kind, row: &Row) {
        self.kind = kind;
        self.decided = Some(row.written);
    }

    fn add(&mut self, row: &Row, arrays: Arrays) -> Result<(), DocumentError> {
        let mut node = self;
        for (depth, segment) in row.path.iter().enumerate() {
            if !node.is_older(row) {
                return Ok(());
            }
            let index = index(segment)?;
            let as_index = index.filter(|_| arrays == Arrays::AsArrays);
            let Some(next) = row.path.get(depth + 1) else {
                return node.put(row, segment, index, as_index, depth);
            };
            let next_is_array = next.starts_with('[') && arrays == Arrays::AsArrays;
            node = match as_index {
                Some(index) => node.element(index, next_is_array, row, depth)?,
                None => node.member(&name(segment, index), next_is_array, row, depth)?,
            };
        }
        Ok(())
    }

    /// Returns the element at an index, and creates it if it is missing.
    fn element(
        &mut self,
        index: usize,
        as_array: bool,
        row: &Row,
        depth: usize,
    ) -> Result<&mut Node, DocumentError> {
        if !matches!(self.kind, Kind::Array(_)) {
            let decided = self.decided;
            self.turn_into(Kind::Array(BTreeMap::new()), row);
            // The document itself can become an array without a row that determined it.
            if depth == 0 {
                self.decided = decided;
            }
        }
        let Kind::Array(elements) = &mut self.kind else {
            return Err(contradiction("[]"));
        };
        let element = elements
            .entry(index)
            .or_insert_with(|| Node::container(as_array));
        if matches!(element.kind, Kind::Leaf(Json::Null)) {
            *element = Node::container(as_array);
        }
        Ok(element)
    }

    /// Returns the member with a name, and creates it if it is missing.
    fn member(
        &mut self,
        name: &str,
        as_array: bool,
        row: &Row,
        depth: usize,
    ) -> Result<&mut Node, DocumentError> {
        if !matches!(self.kind, Kind::Object(_)) {
            if depth == 0 {
                return Err(contradiction(name));
            }
            self.turn_into(Kind::Object(Vec::new()), row);
        }
        let Kind::Object(members) = &mut self.kind else {
            return Err(contradiction(name));
        };
        // Rows are in the order of their paths, so an existing member is the last one.
        if members.last().is_none_or(|(last, _)| last != name) {
            members.push((name.to_owned(), Node::container(as_array)));
        }
        let last = members.last_mut().ok_or_else(|| contradiction(name))?;
        Ok(&mut last.1)
    }

    /// Stores the row's value under the last segment of its path.
    fn put(
        &mut self,
        row: &Row,
        segment: &str,
        index: Option<usize>,
        as_index: Option<usize>,
        depth: usize,
    ) -> Result<(), DocumentError> {
        let (is_array, is_object) = match self.kind {
            Kind::Array(_) => (true, false),
            Kind::Object(_) => (false, true),
            Kind::Leaf(_) => (false, false),
        };
        if as_index.is_some() && !is_array {
            self.turn_into(Kind::Array(BTreeMap::new()), row);
        } else if index.is_none() && depth > 0 && !is_object {
            self.turn_into(Kind::Object(Vec::new()), row);
        }
        let leaf = Node {
            kind: Kind::Leaf(json(&row.value)),
            decided: Some(row.written),
        };
        match (&mut self.kind, as_index) {
            (Kind::Object(members), _) => {
                let name = name(segment, index);
                match members.last_mut().filter(|(last, _)| *last == name) {
                    Some((_, member)) if member.is_older(row) => *member = leaf,
                    Some(_) => {}
                    None => members.push((name, leaf)),
                }
                Ok(())
            }
            (Kind::Array(elements), Some(index)) => {
                match elements.entry(index) {
                    Entry::Vacant(place) => {
                        place.insert(leaf);
                    }
                    Entry::Occupied(mut place) => {
                        if matches!(place.get().kind, Kind::Leaf(Json::Null)) {
                            place.insert(leaf);
                        }
                    }
                }
                Ok(())
            }
            _ => Err(contradiction(segment)),
        }
    }

    fn into_json(self, padding: &mut Padding) -> Result<Json, DocumentError> {
        match self.kind {
            Kind::Leaf(json) => Ok(json),
            Kind::Array(elements) => {
                let mut array = Vec::new();
                for (index, node) in elements {
                    padding.take(index - array.len())?;
                    array.resize(index, Json::Null);
                    array.push(node.into_json(padding)?);
                }
                Ok(Json::Array(array))
            }
            Kind::Object(members) => {
                let mut object = Map::new();
                for (name, node) in members {
                    object.insert(name, node.into_json(padding)?);
                }
                Ok(Json::Object(object))
            }
        }
    }
}

/// Returns the index in a stored segment; `None` for a name.
fn index(segment: &str) -> Result<Option<usize>, DocumentError> {
    let Some(rest) = segment.strip_prefix('[') else {
        return Ok(None);
    };
    // Any last character is removed.
    let end = rest.char_indices().last().map_or(0, |(at, _)| at);
    let number = &rest[..end];
    match number.parse() {
        Ok(index) => Ok(Some(index)),
        Err(_) => Err(DocumentError::exception(format!(
            "For input string: \"{number}\""
        ))),
    }
}

/// Returns the name of a member: an index without leading zeros.
fn name(segment: &str, index: Option<usize>) -> String {
    match index {
        Some(index) => format!("[{index}]"),
        None => segment.to_owned(),
    }
}

fn contradiction(segment: &str) -> DocumentError {
    DocumentError::exception(format!("Trying to write object to array {segment}"))
}

/// Converts the value of a leaf. A number without a fraction becomes an integer.
fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(boolean) => Json::Bool(*boolean),
        Value::Text(text) => match text.as_str() {
            EMPTY_OBJECT => Json::Object(Map::new()),
            EMPTY_ARRAY => Json::Array(Vec::new()),
            text => Json::String(text.to_owned()),
        },
        Value::Number(number) => {
            // As in Java, the cast saturates at 64 bits.
            let integer = *number as i64;
            if integer as f64 == *number {
                return Json::Number(integer.into());
            }
            numbers::number(&numbers::double_text(*number))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shred::shred;

    fn row(path: &[&str], value: Value, written: i64) -> Row {
        Row {
            path: path.iter().map(|&s| s.to_owned()).collect(),
            leaf: path.last().map(|&s| s.to_owned()).unwrap_or_default(),
            value,
            written,
        }
    }

    fn whole(rows: &[Row]) -> Json {
        assemble(rows, &[], Arrays::AsArrays, &mut Padding::default()).unwrap()
    }

    fn failed(rows: &[Row]) -> DocumentError {
        assemble(rows, &[], Arrays::AsArrays, &mut Padding::default()).unwrap_err()
    }

    fn rows_of(document: &Json) -> Vec<Row> {
        let mut rows: Vec<Row> = shred(document)
            .unwrap()
            .into_iter()
            .map(|leaf| {
                let path: Vec<&str> = leaf.path.iter().map(String::as_str).collect();
                row(&path, leaf.value, 1)
            })
            .collect();
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        rows
    }

    #[test]
    fn what_was_shredded_comes_back() {
        for document in [
            json!({"a": {"b": [1, {"c": null}, [true, "x"]]}, "e": {}, "f": [], "n": [{}, []]}),
            json!([1, "two", {"three": 3.5}]),
            json!({"long": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}),
        ] {
            assert_eq!(whole(&rows_of(&document)), document);
        }
    }

    #[test]
    fn arrays_can_be_objects() {
        let rows = rows_of(&json!({"t": ["x", {"y": 1}]}));
        let document = assemble(&rows, &[], Arrays::AsObjects, &mut Padding::default()).unwrap();
        assert_eq!(document, json!({"t": {"[0]": "x", "[1]": {"y": 1}}}));
    }

    #[test]
    fn a_number_is_an_integer_if_it_can_be() {
        for (number, wanted) in [
            (5.0, "5"),
            (0.1, "0.1"),
            (9223372036854775807.0, "9223372036854775807"),
            (-0.0, "0"),
            (f64::INFINITY, "\"Infinity\""),
            (1e30, "1.0E30"),
            (5e-324, "4.9E-324"),
        ] {
            assert_eq!(json(&Value::Number(number)).to_string(), wanted);
        }
    }

    #[test]
    fn missing_elements_are_null() {
        let rows = [
            row(&["t", "[000001]"], Value::Boolean(true), 1),
            row(&["t", "[000003]", "x"], Value::Null, 1),
        ];
        assert_eq!(whole(&rows), json!({"t": [null, true, null, {"x": null}]}));
    }

    #[test]
    fn the_newer_of_contradicting_rows_wins() {
        let scalar = |written| row(&["a"], Value::Boolean(true), written);
        let below = |written| row(&["a", "b"], Value::Boolean(false), written);
        assert_eq!(whole(&[scalar(1), below(2)]), json!({"a": {"b": false}}));
        assert_eq!(whole(&[scalar(2), below(1)]), json!({"a": true}));
        // With equal times, the later path wins.
        assert_eq!(whole(&[scalar(1), below(1)]), json!({"a": {"b": false}}));
        let element = row(&["a", "[000000]"], Value::Null, 3);
        assert_eq!(whole(&[scalar(1), element.clone()]), json!({"a": [null]}));
        assert_eq!(whole(&[element, below(5)]), json!({"a": {"b": false}}));
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        let bad_index = row(&["a", "[*]"], Value::Null, 1);
        assert!(failed(&[bad_index]).to_string().contains('*'));
        let root = [
            row(&["[000000]"], Value::Null, 1),
            row(&["b"], Value::Null, 2),
        ];
        failed(&root);
    }

    #[test]
    fn a_response_has_a_million_missing_elements_at_most() {
        let far = |name: &str| row(&[name, "[999999]"], Value::Null, 1);
        let array = whole(&[far("a")]);
        assert_eq!(array["a"].as_array().map(Vec::len), Some(1_000_000));
        let farther = row(&["a", "[99999999999999]"], Value::Null, 1);
        for rows in [vec![far("a"), far("b")], vec![farther]] {
            assert!(matches!(failed(&rows), DocumentError::ArrayLength));
        }
    }

    #[test]
    fn parts_are_found_by_path() {
        let document = json!({"a": [{"b.c": 1}, 2]});
        let found = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|&s| s.to_owned()).collect();
            at(&document, &path).unwrap().cloned()
        };
        assert_eq!(found(&["a", "[0]", r"b\.c"]), Some(json!(1)));
        assert_eq!(found(&["a", "[000001]"]), Some(json!(2)));
        assert_eq!(found(&["a", "[*]"]), None);
        assert_eq!(found(&["a", "0"]), None);
    }
}
