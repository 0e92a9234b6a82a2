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
use store::cql::{self, Statement};
use store::{Page, StoreError};

/// The columns of a document, in the order of [`Shredded::values`].
const COLUMNS: [&str; 9] = [
    DOCUMENT, EXIST, SIZES, CONTAINS, BOOLS, NUMBERS, TEXTS, TIMES, NULLS,
];

impl Collection {
    /// The columns of a document, without the key and `tx_id`.
    fn columns(
        &self,
        document: &Shredded,
    ) -> impl Iterator<Item = (&'static str, Option<CqlValue>)> + use<> {
        let has_vectors = self.definition.vector.is_some();
        let columns = COLUMNS.into_iter().chain(has_vectors.then_some(VECTOR));
        columns.zip(document.values(has_vectors))
    }

    /// Inserts a document; false if there is one with its id.
    pub async fn insert(&self, document: &Shredded) -> Result<bool, ApiError> {
        let tx_id = new_tx_id();
        let key = [
            (KEY, Some(document.key_value())),
            (TX_ID, Some(time_uuid(tx_id))),
        ];
        let columns = key.into_iter().chain(self.columns(document));
        let insert = cql::insert(&self.keyspace, &self.name, columns).if_not_exists(true);
        let (applied, found) = match self.transaction(insert.clone()).await {
            // The response was lost, perhaps after the document was written.
            Err(error) if ApiError::from(error.clone()).code == Code::TimeoutWritingData => {
                self.transaction(insert).await?
            }
            done => done?,
        };
        Ok(applied || found == Some(tx_id))
    }

    /// Replaces a document; false if it was changed or deleted meanwhile.
    pub async fn update(&self, document: &Shredded, tx_id: Option<Uuid>) -> Result<bool, ApiError> {
        let now = cql::raw(format!("{TX_ID} = now()"));
        let columns = self.columns(document);
        let columns = columns.map(|(column, value)| cql::equal(column, value));
        let update = cql::update(&self.keyspace, &self.name)
            .set(std::iter::once(now).chain(columns))
            .filter([cql::equal(KEY, document.key_value())])
            .only_if([cql::equal(TX_ID, tx_id.map(time_uuid))]);
        Ok(self.transaction(update).await?.0)
    }

    /// Deletes a document; false if it was changed or deleted meanwhile.
    pub async fn delete(&self, key: &Key, tx_id: Option<Uuid>) -> Result<bool, ApiError> {
        let delete = cql::delete(&self.keyspace, &self.name)
            .filter([cql::equal(KEY, key_value(key))])
            .only_if([cql::equal(TX_ID, tx_id.map(time_uuid))]);
        Ok(self.transaction(delete).await?.0)
    }

    /// Runs a transaction. Returns true if it was applied, or else the existing `tx_id`.
    async fn transaction(&self, statement: Statement) -> Result<(bool, Option<Uuid>), StoreError> {
        let Statement { cql, values } = statement;
        let rows = self.session.query(&cql, values, Page::first(1)).await?;
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
