//! Filters as conditions, and how negations are pushed down to them: the same for collections and tables.

use super::json::Json;

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
}
