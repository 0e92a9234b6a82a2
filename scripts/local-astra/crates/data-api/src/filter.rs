//! Filters as groups of conditions, and how negations are pushed down to them: the same for collections and tables,
//! which read the conditions themselves.

use std::fmt::Display;

use super::codes::Code;
use super::error::ApiError;
use super::json::{Json, Members};

const MAX_CONDITIONS: usize = 64;
/// Maximum number of values of `$in` and `$nin`.
pub const MAX_VALUES: usize = 100;

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

/// The part of a value that a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// The keys of a map column.
    Keys,
    /// The elements of a list or set column, or the values of a map column.
    Values,
    /// The entries of a map column.
    Entries,
}

/// A condition on one path or column. The value is plain, but for dates: `{"$date": ...}`.
#[derive(Clone, Debug)]
pub struct Condition {
    pub path: String,
    pub part: Part,
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

/// Adds the conditions of a member that has a path or column as its name.
pub type ReadMember<'a> = &'a dyn Fn(&mut Group, &str, &Json) -> Result<(), ApiError>;

impl Group {
    pub fn new(relation: Relation) -> Group {
        Group {
            relation,
            groups: Vec::new(),
            conditions: Vec::new(),
        }
    }

    /// Reads the filter of a command. No filter, and null, have no conditions.
    ///
    /// # Errors
    /// For a filter or a part of `$and` or `$or` that is no object, and those of `read_member`.
    pub fn read(filter: Option<&Json>, read_member: ReadMember<'_>) -> Result<Group, ApiError> {
        let mut root = Group::new(Relation::And);
        match filter {
            None | Some(Json::Null) => {}
            Some(Json::Object(members)) => root.add_members(members, read_member)?,
            Some(other) => {
                let found = other.type_name();
                return Err(bad_type(format!(
                    "a filter must be a JSON Object, not {found}"
                )));
            }
        }
        Ok(root)
    }

    fn add_members(
        &mut self,
        members: &Members,
        read_member: ReadMember<'_>,
    ) -> Result<(), ApiError> {
        for (name, value) in members {
            let mut inner = match (name.as_str(), value) {
                ("$not", Json::Object(_)) => Group::new(Relation::Not),
                ("$and", Json::Array(_)) => Group::new(Relation::And),
                ("$or", Json::Array(_)) => Group::new(Relation::Or),
                _ => {
                    read_member(self, name, value)?;
                    continue;
                }
            };
            let parts = match value {
                Json::Array(parts) => parts.as_slice(),
                whole => std::slice::from_ref(whole),
            };
            for part in parts {
                let Json::Object(members) = part else {
                    let found = part.type_name();
                    return Err(bad_type(format!(
                        "'{name}' takes a list of filters, not of {found}"
                    )));
                };
                inner.add_members(members, read_member)?;
            }
            // An empty list or object has no effect.
            if !inner.groups.is_empty() || !inner.conditions.is_empty() {
                self.groups.push(inner);
            }
        }
        Ok(())
    }

    /// Pushes the negations down, and checks the number of conditions.
    ///
    /// # Errors
    /// [`Code::FilterFieldsLimitViolation`]
    pub fn normalized(mut self) -> Result<Group, ApiError> {
        self.push_down_negations();
        let count = self.all().len();
        if count > MAX_CONDITIONS {
            let text =
                format!("The filter has {count} conditions, at most {MAX_CONDITIONS} are allowed.");
            return Err(ApiError::new(Code::FilterFieldsLimitViolation, text));
        }
        Ok(self)
    }

    /// All conditions below.
    pub fn all(&self) -> Vec<&Condition> {
        let below = self.groups.iter().flat_map(Group::all);
        self.conditions.iter().chain(below).collect()
    }

    /// Removes all groups in the relation `Not`: their conditions are negated in their place.
    fn push_down_negations(&mut self) {
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
}

/// The error of an invalid clause.
pub fn invalid(reason: impl Display) -> ApiError {
    let text = format!("Unsupported filter clause: {reason}.");
    ApiError::new(Code::FilterInvalidExpression, text)
}

/// The error of JSON of a type that filters do not accept.
pub fn bad_type(reason: impl Display) -> ApiError {
    let text = format!("Unsupported filter data type: {reason}.");
    ApiError::new(Code::FilterUnsupportedDataType, text)
}
