//! Creation of documents, one or many at once.

use std::collections::HashSet;

use axum::http::StatusCode;
use axum::response::Response;
use futures::future::try_join_all;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::collections::Collection;
use super::error::DocumentError;
use super::path;
use super::profile::Profile;
use super::request::{self, Address};
use super::response::{self, Wrapper};
use super::shred::shred;
use super::write::{Delete, Write};
use super::{json_schema, layout};
use bridge::{Body, BridgeError, Caller, Parameters};
use store::StoreError;
use store::values::numbers::JsonNumber;

/// Number of documents of a batch that are written concurrently.
const AT_ONCE: usize = 16;

/// `POST …/collections/{collection}`
pub async fn create(
    caller: Caller,
    address: Address,
    parameters: Parameters,
    body: Body,
) -> Result<Response, DocumentError> {
    let (ttl, profile) = (request::ttl(&parameters)?, Profile::new(&parameters));
    let document = request::json(&body, "payload must not be empty")?;
    let collection = Collection::ensured(&caller, &address).await?;
    let id = Uuid::new_v4().to_string();
    write(&collection, &id, &document, false, ttl, &profile).await?;
    let wrapper = Wrapper {
        document_id: Some(id.clone()),
        profile: profile.json(),
        ..Wrapper::default()
    };
    let created = wrapper.into_response(StatusCode::CREATED, false);
    Ok(response::located(created, &address.url, &id))
}

/// `POST …/collections/{collection}/batch`
pub async fn batch(
    caller: Caller,
    address: Address,
    parameters: Parameters,
    body: Body,
) -> Result<Response, DocumentError> {
    let (ttl, profile) = (request::ttl(&parameters)?, Profile::new(&parameters));
    let Value::Array(documents) = request::json(&body, "payload must not be empty")? else {
        return Err(DocumentError::refused(
            "The payload for the batched document write must be a JSON array.",
        ));
    };
    let id_path = parameters.text("id-path").map(IdPath::read);
    let ids = ids(&documents, id_path.as_ref())?;
    let mut written = Vec::new();
    if documents.is_empty() {
        // An empty batch needs no look-up, only a valid token.
        caller.session().await?;
    } else {
        let collection = collection_of_batch(&caller, &address, documents.len()).await?;
        let replace = id_path.is_some();
        let pairs: Vec<(&String, &Value)> = ids.iter().zip(&documents).collect();
        for part in pairs.chunks(AT_ONCE) {
            let writes = part.iter().map(async |(id, document)| {
                match write(&collection, id, document, replace, ttl, &profile).await {
                    Ok(()) => Ok(Some(id.as_str())),
                    // As in Stargate, documents rejected by Cassandra are only missing from the list.
                    Err(DocumentError::Bridge(BridgeError::Store(_))) => Ok(None),
                    Err(error) => Err(error),
                }
            });
            written.extend(try_join_all(writes).await?.into_iter().flatten());
        }
    }
    let mut body = Map::new();
    body.insert("documentIds".to_owned(), json!(written));
    if let Some(profile) = profile.json() {
        body.insert("profile".to_owned(), profile);
    }
    Ok(response::json(StatusCode::ACCEPTED, &Value::Object(body)))
}

/// Creates the collection for a batch. As in Stargate, each document of a batch creates a missing collection for
/// itself, so the second one fails because it already exists. The collection is kept.
async fn collection_of_batch(
    caller: &Caller,
    address: &Address,
    documents: usize,
) -> Result<Collection, DocumentError> {
    match Collection::existing(caller, address).await {
        Err(DocumentError::UnknownCollection(_)) => {}
        found => return found,
    }
    let collection = Collection::ensured(caller, address).await?;
    if documents > 1 {
        let again = layout::create_table(&address.namespace, &address.collection);
        let driver = collection.session.driver();
        driver
            .query_unpaged(again, ())
            .await
            .map_err(StoreError::from)?;
    }
    Ok(collection)
}

/// Writes one document; `replace` deletes an existing one with its id.
async fn write(
    collection: &Collection,
    id: &str,
    document: &Value,
    replace: bool,
    ttl: Option<i32>,
    profile: &Profile,
) -> Result<(), DocumentError> {
    json_schema::validate(collection, document)?;
    let write = Write {
        id,
        deletes: if replace {
            vec![Delete::Below(Vec::new())]
        } else {
            Vec::new()
        },
        rows: shred(document)?,
        ttl,
        description: if replace {
            "ASYNC UPDATE"
        } else {
            "ASYNC INSERT"
        },
    };
    write.run(collection, profile).await
}

/// Returns the ids of the documents of a batch: read from them, or generated.
fn ids(documents: &[Value], id_path: Option<&IdPath>) -> Result<Vec<String>, DocumentError> {
    let Some(id_path) = id_path else {
        return Ok(documents
            .iter()
            .map(|_| Uuid::new_v4().to_string())
            .collect());
    };
    let mut seen = HashSet::new();
    let mut ids = Vec::with_capacity(documents.len());
    for document in documents {
        let id = id_path.id_of(document)?;
        if !seen.insert(id.clone()) {
            return Err(DocumentError::Refused(format!(
                "Found duplicate ID {id} in more than one document when doing batched document write."
            )));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Path of the ids in documents: `a.b`, `a.[0]`.
struct IdPath {
    /// As a JSON pointer.
    pointer: String,
}

impl IdPath {
    fn read(text: &str) -> IdPath {
        let segment = |segment: &str| {
            let digits = segment.strip_prefix('[').and_then(|s| s.strip_suffix(']'));
            let is_number = |d: &&str| !d.is_empty() && d.bytes().all(|byte| byte.is_ascii_digit());
            digits.filter(is_number).unwrap_or(segment).to_owned()
        };
        let segments: Vec<String> = path::split(text, '.').into_iter().map(segment).collect();
        IdPath {
            pointer: format!("/{}", segments.join("/")),
        }
    }

    fn id_of(&self, document: &Value) -> Result<String, DocumentError> {
        let found = document.pointer(&self.pointer);
        match found {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(JsonNumber::read(number).text()),
            Some(Value::Bool(boolean)) => Ok(boolean.to_string()),
            _ => Err(DocumentError::Refused(format!(
                "JSON document {document} requires a scalar value at the path {} in order to resolve \
                 document ID, found {}. Batch write failed.",
                self.pointer,
                found.map_or("missing node".to_owned(), Value::to_string),
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_documents() {
        let documents = [
            json!({"m": {"ids": ["x", 5]}}),
            json!({"m": {"ids": ["y", true]}}),
        ];
        for (number, text) in [
            ("1e3", "1000.0"),
            ("1.10", "1.1"),
            ("-0", "0"),
            ("1E400", "Infinity"),
            ("12345678901234567890", "12345678901234567890"),
        ] {
            let document = serde_json::from_str(&format!("{{\"id\": {number}}}")).unwrap();
            let found = ids(&[document], Some(&IdPath::read("id"))).unwrap();
            assert_eq!(found, [text]);
        }
        for (path, wanted) in [("m.ids.[0]", ["x", "y"]), ("m.ids.[1]", ["5", "true"])] {
            let found = ids(&documents, Some(&IdPath::read(path))).unwrap();
            assert_eq!(found, wanted);
        }
        for path in ["m", "m.ids.[2]", "n"] {
            assert!(
                ids(&documents, Some(&IdPath::read(path))).is_err(),
                "{path}"
            );
        }
        let twice = [json!({"id": 5}), json!({"id": "5"})];
        assert!(ids(&twice, Some(&IdPath::read("id"))).is_err());
    }

    #[test]
    fn ids_are_made_when_nothing_says_where_they_are() {
        let generated = ids(&[json!({}), json!({})], None).unwrap();
        assert_ne!(generated[0], generated[1]);
    }
}
