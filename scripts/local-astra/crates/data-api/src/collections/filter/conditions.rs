//! Conditions on paths that are indexed or not.

use super::super::indexing::IndexedPaths;
use crate::codes::Code;
use crate::error::ApiError;
use crate::filter::{Condition, Group, Operator};
use crate::json::Json;

impl Group {
    /// Checks that every path is indexed.
    ///
    /// # Errors
    /// [`Code::FilterPathUnindexed`], [`Code::FilterIdNotIndexed`].
    pub fn check_indexed(&self, indexed: &IndexedPaths) -> Result<(), ApiError> {
        let mut conditions = self.all().into_iter();
        conditions.try_for_each(|condition| condition.check_indexed(indexed))
    }

    /// The equalities that every document has to fit, for an upsert.
    pub fn equalities(&self) -> Vec<(String, Json)> {
        let equal = self
            .conditions
            .iter()
            .filter(|c| c.operator == Operator::Eq);
        equal.map(|c| (c.path.clone(), c.value.clone())).collect()
    }
}

impl Condition {
    fn check_indexed(&self, indexed: &IndexedPaths) -> Result<(), ApiError> {
        if matches!(indexed, IndexedPaths::All) {
            return Ok(());
        }
        if indexed.has(&self.path) && !matches!(indexed, IndexedPaths::None(_)) {
            return check_value(&self.value, &self.path, indexed);
        }
        if self.path != "_id" {
            return Err(unindexed(&self.path));
        }
        if matches!(self.operator, Operator::Eq | Operator::In) {
            return Ok(());
        }
        let text = "The path '_id' is not indexed: only '$eq' and '$in' can be used on it.";
        Err(ApiError::new(Code::FilterIdNotIndexed, text))
    }
}

/// The members of an object are paths too.
fn check_value(value: &Json, path: &str, indexed: &IndexedPaths) -> Result<(), ApiError> {
    match value {
        Json::Object(members) if super::super::extended::date(value).is_none() => {
            members.iter().try_for_each(|(name, value)| {
                let path = format!("{path}.{name}");
                if !indexed.has(&path) {
                    return Err(unindexed(&path));
                }
                check_value(value, &path, indexed)
            })
        }
        Json::Array(values) => {
            let mut values = values.iter();
            values.try_for_each(|value| check_value(value, path, indexed))
        }
        _ => Ok(()),
    }
}

fn unindexed(path: &str) -> ApiError {
    let text = format!(
        "The path '{path}' is not indexed: it cannot be used in a filter.\n\nThe indexing of a collection is chosen when it is created."
    );
    ApiError::new(Code::FilterPathUnindexed, text)
}
