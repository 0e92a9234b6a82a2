//! Our documents, and what surrounds them in an answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A document of our collection.
#[derive(Debug, Deserialize, Serialize)]
pub struct Person {
    pub name: String,
    pub age: u32,
    pub address: Address,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Address {
    pub city: String,
    pub country: String,
}

impl Person {
    pub fn new(name: &str, age: u32, city: &str, country: &str) -> Person {
        Person {
            name: name.to_owned(),
            age,
            address: Address {
                city: city.to_owned(),
                country: country.to_owned(),
            },
        }
    }
}

/// What a write answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    pub document_id: String,
}

/// What a search answers: documents by id. `page_state` asks for the next page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub data: BTreeMap<String, Person>,
    pub page_state: Option<String>,
}
