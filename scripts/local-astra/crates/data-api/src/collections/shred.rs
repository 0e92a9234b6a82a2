//! A document as the columns of its row.

use std::collections::{BTreeMap, BTreeSet};

use scylla::value::{CqlTimestamp, CqlValue};

use super::definition::Definition;
use super::extended::{self, Extension};
use super::id::{Id, key_value};
use super::indexing::IndexedPaths;
use super::{hash, limits, path};
use crate::codes::Code;
use crate::error::ApiError;
use crate::json::{Decimal, Json, Members};

/// The columns of a document.
#[derive(Debug)]
pub struct Shredded {
    pub id: Id,
    pub document: Members,
    doc_json: String,
    exist_keys: BTreeSet<String>,
    array_size: BTreeMap<String, i32>,
    array_contains: BTreeSet<String>,
    bools: BTreeMap<String, bool>,
    numbers: BTreeMap<String, Decimal>,
    texts: BTreeMap<String, String>,
    times: BTreeMap<String, i64>,
    nulls: BTreeSet<String>,
    pub vector: Option<Vec<f32>>,
}

/// Shreds a document. One without an `_id` gets one.
///
/// # Errors
/// The first fault of the document, with its id if that is good.
pub fn shred(document: &Json, definition: &Definition) -> Result<Shredded, ApiError> {
    let Json::Object(members) = document else {
        let found = document.type_name();
        let text = format!("A document must be a JSON Object, not a JSON {found}.");
        return Err(ApiError::new(Code::ShredBadDocumentType, text));
    };
    let given = members.get("_id").cloned();
    let id_json = given.unwrap_or_else(|| Id::generate(definition.id_type.as_deref()));
    let id = Id::read(&id_json)?;
    let mut ordered = Members::from([("_id".to_owned(), id_json)]);
    let others = members.iter().filter(|(name, _)| *name != "_id");
    ordered.extend(others.map(|(name, value)| (name.clone(), value.clone())));
    let shown = id.to_json();
    shred_with_id(id, ordered, definition).map_err(|error| error.about(Some(shown)))
}

fn shred_with_id(id: Id, document: Members, definition: &Definition) -> Result<Shredded, ApiError> {
    limits::check_document(&document)?;
    let document = Json::Object(document);
    let doc_json = document.to_string();
    let length = doc_json.encode_utf16().count();
    if length > limits::DOCUMENT_LENGTH {
        let most = limits::DOCUMENT_LENGTH;
        let text = format!("document size ({length} chars) exceeds maximum allowed ({most})");
        return Err(limits::exceeded(text));
    }
    let Json::Object(document) = document else {
        return Err(ApiError::new(
            Code::UnexpectedServerError,
            "A document is no object.",
        ));
    };
    let indexed = IndexedPaths::new(definition.indexing.as_ref()).of_document(&document);
    limits::check_indexed(&indexed)?;
    let mut shredded = Shredded {
        id,
        document,
        doc_json,
        exist_keys: BTreeSet::new(),
        array_size: BTreeMap::new(),
        array_contains: BTreeSet::new(),
        bools: BTreeMap::new(),
        numbers: BTreeMap::new(),
        texts: BTreeMap::new(),
        times: BTreeMap::new(),
        nulls: BTreeSet::new(),
        vector: None,
    };
    for (name, value) in &indexed {
        match name.as_str() {
            "$vector" => shredded.add_vector(value)?,
            "$vectorize" => shredded.add_text_of_vector(value),
            "$lexical" => check_lexical(value)?,
            name => shredded.add(path::escaped(name), value)?,
        }
    }
    Ok(shredded)
}

fn check_lexical(value: &Json) -> Result<(), ApiError> {
    match value {
        Json::Null => Ok(()),
        Json::Text(_) => Err(lexical_is_off()),
        other => {
            let found = other.type_name();
            let text = format!("Bad $lexical value to shred: it must be a text, not {found}.");
            Err(ApiError::new(Code::ShredBadDocumentLexicalType, text))
        }
    }
}

/// The error of lexical search: no collection here has it.
pub fn lexical_is_off() -> ApiError {
    let text = "Lexical search is not enabled for the collection: it is available on Astra only.";
    ApiError::new(Code::LexicalNotEnabledForCollection, text)
}

/// Reads a vector: an array of numbers.
///
/// # Errors
/// For an empty array and for elements that are no numbers.
pub fn vector_of(values: &[Json]) -> Result<Vec<f32>, ApiError> {
    if values.is_empty() {
        let text = "Bad $vector value: it cannot be empty.";
        return Err(ApiError::new(Code::ShredBadVectorSize, text));
    }
    let floats = values.iter().map(|value| {
        value.as_number().map(Decimal::to_f32).ok_or_else(|| {
            let found = value.type_name();
            let text =
                format!("Bad $vector value: its elements must be Numbers, not {found} ({value}).");
            ApiError::new(Code::ShredBadVectorValue, text)
        })
    });
    floats.collect()
}

/// Reads the text of `{"$binary": ...}`.
///
/// # Errors
/// For anything but floats in base64.
pub fn binary_vector(value: &Json) -> Result<Vec<f32>, ApiError> {
    let floats = value.as_text().and_then(extended::floats);
    floats.ok_or_else(|| {
        let text = "Bad binary vector value to shred: $binary has to be a text, floats of 4 bytes in base64.";
        ApiError::new(Code::ShredBadBinaryVectorValue, text)
    })
}

impl Shredded {
    fn add_vector(&mut self, value: &Json) -> Result<(), ApiError> {
        let bad = |reason: String| {
            ApiError::new(
                Code::ShredBadDocumentVectorType,
                format!("Bad $vector value to shred: {reason}."),
            )
        };
        let vector = match value {
            Json::Null => return Ok(()),
            Json::Array(values) => vector_of(values)?,
            Json::Object(members) => match members.first() {
                Some((name, value)) if Extension::named(name) == Some(Extension::Binary) => {
                    binary_vector(value)?
                }
                _ => return Err(bad("an object must be {\"$binary\": ...}".to_owned())),
            },
            other => return Err(bad(format!("it cannot be a {}", other.type_name()))),
        };
        self.exist_keys.insert("$vector".to_owned());
        self.vector = Some(vector);
        Ok(())
    }

    fn add_text_of_vector(&mut self, value: &Json) {
        if !value.is_null() {
            self.exist_keys.insert("$vectorize".to_owned());
        }
    }

    fn add(&mut self, path: String, value: &Json) -> Result<(), ApiError> {
        if let Json::Object(members) = value {
            return self.add_object(path, value, members);
        }
        self.exist_keys.insert(path.clone());
        if let Json::Array(values) = value {
            let size = i32::try_from(values.len()).unwrap_or(i32::MAX);
            self.array_size.insert(path.clone(), size);
            self.texts.insert(path.clone(), hash::of(value));
            for (position, element) in values.iter().enumerate() {
                self.add_hash(&path, hash::of(element));
                self.add(format!("{path}.{position}"), element)?;
            }
            return Ok(());
        }
        self.add_hash(&path, hash::of(value));
        match value {
            Json::Null => drop(self.nulls.insert(path)),
            Json::Bool(value) => drop(self.bools.insert(path, *value)),
            Json::Number(number) => drop(self.numbers.insert(path, number.clone())),
            Json::Text(text) => drop(self.texts.insert(path, text.clone())),
            Json::Array(_) | Json::Object(_) => {}
        }
        Ok(())
    }

    fn add_object(
        &mut self,
        path: String,
        value: &Json,
        members: &Members,
    ) -> Result<(), ApiError> {
        let bad = |reason: String| {
            let text = format!("Bad JSON Extension value to shred: {reason} (path '{path}').");
            ApiError::new(Code::ShredBadEjsonValue, text)
        };
        if let Some((name, inner)) = extended::looks_extended(value) {
            let Some(extension) = Extension::named(name) else {
                return Err(bad(format!("unrecognized type '{name}'")));
            };
            let wanted = || bad(format!("'{name}' has to be {}", extension.wanted()));
            self.exist_keys.insert(path.clone());
            match extension {
                Extension::Date => {
                    let time = extended::date(value).ok_or_else(wanted)?;
                    self.add_hash(&path, hash::of_date(time));
                    self.times.insert(path, time);
                }
                Extension::Binary => {
                    // Java shows the bytes by their address: nothing could be found by it.
                    inner.as_text().and_then(decoded).ok_or_else(wanted)?;
                }
                kind => {
                    let text = kind.text(inner).ok_or_else(wanted)?;
                    self.add_hash(&path, hash::of(&Json::text(&text)));
                    self.texts.insert(path, text);
                }
            }
            return Ok(());
        }
        self.exist_keys.insert(path.clone());
        self.texts.insert(path.clone(), hash::of(value));
        for (name, value) in members {
            self.add(format!("{path}.{}", path::escaped(name)), value)?;
        }
        Ok(())
    }

    fn add_hash(&mut self, path: &str, hash: String) {
        if path != "_id" {
            self.array_contains.insert(format!("{path} {hash}"));
        }
    }

    /// The key's value.
    pub fn key_value(&self) -> CqlValue {
        key_value(&self.id.key())
    }

    /// The values of the columns that [`super::writing`] writes, in its order, without the key and `tx_id`.
    pub fn values(&self, with_vector: bool) -> Vec<Option<CqlValue>> {
        let set = |texts: &BTreeSet<String>| {
            CqlValue::Set(texts.iter().cloned().map(CqlValue::Text).collect())
        };
        fn map<T>(
            entries: &BTreeMap<String, T>,
            value: impl Fn(&T) -> Option<CqlValue>,
        ) -> CqlValue {
            let entries = entries
                .iter()
                .filter_map(|(path, entry)| Some((CqlValue::Text(path.clone()), value(entry)?)));
            CqlValue::Map(entries.collect())
        }
        let mut values = vec![
            CqlValue::Text(self.doc_json.clone()),
            set(&self.exist_keys),
            map(&self.array_size, |size| Some(CqlValue::Int(*size))),
            set(&self.array_contains),
            map(&self.bools, |value| {
                Some(CqlValue::TinyInt((*value).into()))
            }),
            map(&self.numbers, |number| {
                number.to_cql().map(CqlValue::Decimal)
            }),
            map(&self.texts, |text| Some(CqlValue::Text(text.clone()))),
            map(&self.times, |time| {
                Some(CqlValue::Timestamp(CqlTimestamp(*time)))
            }),
            set(&self.nulls),
        ]
        .into_iter()
        .map(Some)
        .collect::<Vec<_>>();
        if with_vector {
            values.push(self.vector.as_deref().map(vector_value));
        }
        values
    }
}

fn decoded(text: &str) -> Option<()> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    STANDARD.decode(text).ok().map(drop)
}

/// A vector as a value of its column.
pub fn vector_value(vector: &[f32]) -> CqlValue {
    CqlValue::Vector(vector.iter().copied().map(CqlValue::Float).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::reader;

    #[test]
    fn documents_are_shredded_as_the_contract_says() {
        let text = r#"{"o":{"k":[1,"a",null,{"p":2}]},"e":[],"_id":7,"x&.y":true,"d":{"$date":5}}"#;
        let definition = Definition {
            vector: None,
            id_type: None,
            indexing: None,
        };
        let shredded = shred(&reader::read(text).unwrap().unwrap(), &definition).unwrap();
        assert!(shredded.doc_json.starts_with(r#"{"_id":7,"o":"#));
        let all = |texts: &BTreeSet<String>| texts.iter().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(
            all(&shredded.exist_keys),
            "_id d e o o.k o.k.0 o.k.1 o.k.2 o.k.3 o.k.3.p x&&&.y"
        );
        assert_eq!(all(&shredded.nulls), "o.k.2");
        for (path, wanted) in [
            ("e", "A0"),
            ("o.k.1", "a"),
            ("o.k.3", "O1\np\nN2"),
            ("o.k", "A4\nN1\nSa\nZ\nO1\np\nN2"),
        ] {
            assert_eq!(shredded.texts[path], wanted);
        }
        assert_eq!(shredded.array_size["o.k"], 4);
        for hash in [
            "o.k N1",
            "o.k Sa",
            "o.k Z",
            "o.k O1\np\nN2",
            "o.k.0 N1",
            "d T5",
        ] {
            assert!(shredded.array_contains.contains(hash), "{hash}");
        }
        assert!(
            !shredded
                .array_contains
                .iter()
                .any(|hash| hash.starts_with("_id"))
        );
        assert_eq!(shredded.numbers["_id"].to_string(), "7");
    }
}
