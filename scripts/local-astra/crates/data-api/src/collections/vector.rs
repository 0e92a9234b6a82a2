//! The documents nearest to a vector.

use std::collections::HashMap;

use scylla::value::CqlValue;

use super::Collection;
use super::filter::Filter;
use super::id::read_key;
use super::layout::{DOCUMENT, KEY, TX_ID, VECTOR};
use super::plan::{Lead, Plan};
use super::position::Position;
use super::reading::{self, Document, by_position};
use super::shred::vector_value;
use super::stream::{PageSizes, Stream, conditions};
use crate::codes::Code;
use crate::error::ApiError;
use crate::nearest::Nearest;
use store::Page;
use store::cql::{self, Expression};

/// The most documents that a vector sort returns.
pub const MAX_NEAREST: usize = 1000;

impl Collection {
    /// Checks a vector of a document or a sort.
    ///
    /// # Errors
    /// [`Code::VectorSearchNotSupported`], [`Code::InvalidVectorLength`].
    pub fn require_vector(&self, vector: &[f32]) -> Result<(), ApiError> {
        let Some(settings) = &self.definition.vector else {
            return Err(self.no_vectors());
        };
        let (wanted, found) = (usize::from(settings.dimension), vector.len());
        if wanted == found {
            return Ok(());
        }
        let text =
            format!("The vectors of the collection have {wanted} numbers, this one has {found}.");
        Err(ApiError::new(Code::InvalidVectorLength, text))
    }

    /// The error of vectors in a collection without them.
    pub fn no_vectors(&self) -> ApiError {
        let text = format!(
            "Vector search is not enabled for the collection {}.{}.",
            self.keyspace, self.name
        );
        ApiError::new(Code::VectorSearchNotSupported, text)
    }

    /// The error of `$vectorize`: no collection here has an embedding service.
    pub fn no_embedding_service(&self) -> ApiError {
        let text = format!(
            "The collection '{}' has no embedding service: $vectorize is available on Astra only.",
            self.name
        );
        ApiError::new(Code::EmbeddingServiceNotConfigured, text)
    }
}

/// The nearest documents that fit a filter, each with its similarity if that is wanted: Cassandra would have to read each
/// vector for it.
pub async fn nearest(
    collection: &Collection,
    filter: &Filter,
    vector: &[f32],
    count: usize,
    with_similarity: bool,
) -> Result<Vec<(Document, Option<f32>)>, ApiError> {
    let Some(settings) = &collection.definition.vector else {
        return Err(collection.no_vectors());
    };
    let function = settings.metric.function();
    let similarity = cql::raw(format!("{function}({VECTOR}, ?)")).bind(vector_value(vector));
    let plan = Plan::of(filter);
    if let [lead] = plan.leads.as_slice()
        && plan.check.is_none()
        && lead.key.is_none()
    {
        let similarity = with_similarity.then_some(similarity);
        return of_index(collection, lead, similarity, vector, count).await;
    }
    let found = best_of_all(collection, plan, similarity, count).await?;
    let mut similarities: HashMap<Position, f32> = found.iter().cloned().collect();
    let positions = found.into_iter().map(|(position, _)| position).collect();
    let documents = by_position(collection, positions).await?.into_iter();
    let near = documents.map(|(position, document)| {
        let similarity = similarities.remove(&position);
        (document, similarity.filter(|_| with_similarity))
    });
    Ok(near.collect())
}

/// The nearest documents as the index finds them.
async fn of_index(
    collection: &Collection,
    lead: &Lead,
    similarity: Option<Expression>,
    vector: &[f32],
    count: usize,
) -> Result<Vec<(Document, Option<f32>)>, ApiError> {
    let selected = [KEY, TX_ID, DOCUMENT].map(cql::column).into_iter();
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let select = collection
        .select(selected.chain(similarity))
        .filter(conditions(lead))
        .order_by([cql::column(VECTOR).op("ANN OF", vector_value(vector))])
        .limit(Some(count));
    // Cassandra returns all of such a query in one page.
    let rows = collection.query(select, Page::first(count)).await?.rows;
    let documents = rows.into_iter().map(|row| {
        let mut columns = row.into_iter();
        let key = read_key(columns.next().flatten())?;
        let document = reading::read(key, columns.by_ref())?;
        Some((document, similar(columns.next().flatten())))
    });
    Ok(documents.flatten().collect())
}

/// The index finds the nearest of all, of which none may fit: so every document that fits is compared.
async fn best_of_all(
    collection: &Collection,
    plan: Plan,
    similarity: Expression,
    count: usize,
) -> Result<Vec<(Position, f32)>, ApiError> {
    let mut stream = Stream::new(
        collection,
        plan,
        &[similarity],
        None,
        PageSizes::growing(100),
    );
    let mut nearest = Nearest::new(count);
    while let Some(row) = stream.next().await? {
        // A document without a vector is never near.
        let Some(similarity) = similar(row.selected.into_iter().next().flatten()) else {
            continue;
        };
        nearest.add(similarity, row.position, ());
    }
    let sorted = nearest.into_sorted();
    Ok(sorted
        .map(|(similarity, position, ())| (position, similarity))
        .collect())
}

fn similar(value: Option<CqlValue>) -> Option<f32> {
    match value {
        Some(CqlValue::Float(similarity)) => Some(similarity),
        _ => None,
    }
}
