//! Documents written and deleted, each by a lightweight transaction.

use scylla::value::{CqlTimeuuid, CqlValue};
use uuid::Uuid;

use super::Collection;
use super::id::{Key, key_value};
use super::layout::{
    BOOLS, CONTAINS, DOCUMENT, EXIST, KEY, NULLS, NUMBERS, SIZES, TEXTS, TIMES, TX_ID, VECTOR,
};
use super::shred::Shredded;
use crate::codes::Code;
use crate::error::ApiError;
use store::{Page, StoreError};

/// The columns of a document, in the order of [`Shredded::values`].
const COLUMNS: [&str; 9] = [
    DOCUMENT, EXIST, SIZES, CONTAINS, BOOLS, NUMBERS, TEXTS, TIMES, NULLS,
];

impl Collection {
    fn has_vectors(&self) -> bool {
        self.definition.vector.is_some()
    }

    fn columns(&self) -> impl Iterator<Item = &'static str> {
        let vector = self.has_vectors().then_some(VECTOR);
        COLUMNS.into_iter().chain(vector)
    }

    /// Inserts a document; false if there is one with its id.
    pub async fn insert(&self, document: &Shredded) -> Result<bool, ApiError> {
        let columns: Vec<&str> = self.columns().collect();
        let marks = ", ?".repeat(columns.len());
        let cql = format!(
            "INSERT INTO {} ({KEY}, {TX_ID}, {}) VALUES (?, ?{marks}) IF NOT EXISTS",
            self.table(),
            columns.join(", ")
        );
        let tx_id = new_tx_id();
        let mut values = vec![Some(document.key_value()), Some(time_uuid(tx_id))];
        values.extend(document.values(self.has_vectors()));
        let (applied, found) = match self.transaction(&cql, values.clone()).await {
            // The response was lost, perhaps after the document was written.
            Err(error) if ApiError::from(error.clone()).code == Code::TimeoutWritingData => {
                self.transaction(&cql, values).await?
            }
            done => done?,
        };
        Ok(applied || found == Some(tx_id))
    }

    /// Replaces a document; false if it was changed or deleted meanwhile.
    pub async fn update(&self, document: &Shredded, tx_id: Option<Uuid>) -> Result<bool, ApiError> {
        let columns: Vec<String> = self
            .columns()
            .map(|column| format!("{column} = ?"))
            .collect();
        let cql = format!(
            "UPDATE {} SET {TX_ID} = now(), {} WHERE {KEY} = ? IF {TX_ID} = ?",
            self.table(),
            columns.join(", ")
        );
        let mut values = document.values(self.has_vectors());
        values.extend([Some(document.key_value()), tx_id.map(time_uuid)]);
        Ok(self.transaction(&cql, values).await?.0)
    }

    /// Deletes a document; false if it was changed or deleted meanwhile.
    pub async fn delete(&self, key: &Key, tx_id: Option<Uuid>) -> Result<bool, ApiError> {
        let cql = format!(
            "DELETE FROM {} WHERE {KEY} = ? IF {TX_ID} = ?",
            self.table()
        );
        let values = vec![Some(key_value(key)), tx_id.map(time_uuid)];
        Ok(self.transaction(&cql, values).await?.0)
    }

    /// Runs a transaction. Returns true if it was applied, or else the existing `tx_id`.
    async fn transaction(
        &self,
        cql: &str,
        values: Vec<Option<CqlValue>>,
    ) -> Result<(bool, Option<Uuid>), StoreError> {
        let rows = self.session.query(cql, values, Page::first(1)).await?;
        let names = rows.columns.iter().map(|(name, _)| name.as_str());
        let row = rows.rows.first().into_iter().flatten();
        let (mut applied, mut tx_id) = (false, None);
        for (name, value) in names.zip(row) {
            match (name, value) {
                ("[applied]", Some(CqlValue::Boolean(value))) => applied = *value,
                (TX_ID, Some(CqlValue::Timeuuid(id))) => tx_id = Some(Uuid::from(*id)),
                _ => {}
            }
        }
        Ok((applied, tx_id))
    }
}

fn new_tx_id() -> Uuid {
    let random = Uuid::new_v4();
    let [.., a, b, c, d, e, f] = *random.as_bytes();
    // The multicast bit marks a node id that is no address.
    Uuid::now_v1(&[a | 1, b, c, d, e, f])
}

fn time_uuid(id: Uuid) -> CqlValue {
    CqlValue::Timeuuid(CqlTimeuuid::from(id))
}
