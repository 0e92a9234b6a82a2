//! Conditions on paths, and how negations are pushed down to them.

use super::super::indexing::IndexedPaths;
use crate::data_api::codes::Code;
use crate::data_api::error::ApiError;
use crate::data_api::json::Json;

/// The operator of a condition. Those with `Not` come only from negations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    Nin,
    Exists,
    ExistsNot,
    All,
    NotAll,
    Size,
    NotSize,
}

impl Operator {
    pub fn named(name: &str) -> Option<Operator> {
        match name {
            "$eq" => Some(Operator::Eq),
            "$ne" => Some(Operator::Ne),
            "$gt" => Some(Operator::Gt),
            "$gte" => Some(Operator::Gte),
            "$lt" => Some(Operator::Lt),
            "$lte" => Some(Operator::Lte),
            "$in" => Some(Operator::In),
            "$nin" => Some(Operator::Nin),
            "$exists" => Some(Operator::Exists),
            "$all" => Some(Operator::All),
            "$size" => Some(Operator::Size),
            _ => None,
        }
    }

    fn negated(self) -> Operator {
        match self {
            Operator::Eq => Operator::Ne,
            Operator::Ne => Operator::Eq,
            Operator::Gt => Operator::Lte,
            Operator::Gte => Operator::Lt,
            Operator::Lt => Operator::Gte,
            Operator::Lte => Operator::Gt,
            Operator::In => Operator::Nin,
            Operator::Nin => Operator::In,
            Operator::Exists => Operator::ExistsNot,
            Operator::ExistsNot => Operator::Exists,
            Operator::All => Operator::NotAll,
            Operator::NotAll => Operator::All,
            Operator::Size => Operator::NotSize,
            Operator::NotSize => Operator::Size,
        }
    }
}

/// A condition on one path. The value is plain, but for dates: `{"$date": ...}`.
#[derive(Clone, Debug)]
pub struct Condition {
    pub path: String,
    pub operator: Operator,
    pub value: Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    And,
    Or,
    Not,
}

/// Conditions, and groups of them, in one relation.
///
/// As in the real server, the members of an object within `$or` are alternatives of that `$or`.
#[derive(Clone, Debug)]
pub struct Group {
    pub relation: Relation,
    pub groups: Vec<Group>,
    pub conditions: Vec<Condition>,
}

impl Group {
    pub fn new(relation: Relation) -> Group {
        Group {
            relation,
            groups: Vec::new(),
            conditions: Vec::new(),
        }
    }

    /// All conditions below.
    pub fn all(&self) -> Vec<&Condition> {
        let below = self.groups.iter().flat_map(Group::all);
        self.conditions.iter().chain(below).collect()
    }

    /// Removes all groups in the relation `Not`: their conditions are negated in their place.
    pub fn push_down_negations(&mut self) {
        for mut group in std::mem::take(&mut self.groups) {
            group.push_down_negations();
            if group.relation != Relation::Not {
                self.groups.push(group);
                continue;
            }
            group.negate();
            match (group.conditions.len(), group.groups.is_empty()) {
                (0, _) => self.groups.append(&mut group.groups),
                (1, true) => self.conditions.append(&mut group.conditions),
                _ => {
                    group.relation = Relation::Or;
                    self.groups.push(group);
                }
            }
        }
    }

    fn negate(&mut self) {
        self.relation = match self.relation {
            Relation::And => Relation::Or,
            Relation::Or => Relation::And,
            Relation::Not => Relation::Not,
        };
        for condition in &mut self.conditions {
            condition.operator = condition.operator.negated();
        }
        for group in &mut self.groups {
            group.negate();
        }
    }

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
