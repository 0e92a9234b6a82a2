//! The parameter `where`: a tree of conditions, and its conjunctive normal form.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::condition::Condition;
use crate::error::DocumentError;
use crate::path;
use crate::path::{Pattern, unescape};
use crate::rows::Row;
use crate::shred::double;
use bridge::first_json;

/// Maximum number of clauses. A tree with more is evaluated without conversion.
const MAX_CLAUSES: usize = 200;

/// Conditions joined by and, or, and not.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Filter(Arc<Filter>),
}

/// Handling of `$not`. A search in a collection uses the opposite conditions; one in a document returns everything that
/// does not match, including values of other types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Negation {
    Opposites,
    Kept,
}

/// One condition on one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub field: FieldPath,
    pub condition: Condition,
    /// The client's hint: the fraction of all rows that match, from 0 to 1.
    pub selectivity: f64,
    /// Position in `where`.
    pub place: usize,
}

/// The path of a field, including its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath {
    /// All segments in stored form, with the field's name last.
    pub segments: Vec<String>,
    pub parent: Vec<Pattern>,
    pub name: String,
}

/// Result of checking a field of a document: it exists, and a condition holds for one of its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub is_there: bool,
    pub holds: bool,
}

impl Expression {
    /// Parses `where`; `None` if it has no condition. Its paths are relative to `below`.
    ///
    /// # Errors
    /// An invalid condition, in Stargate's words.
    pub fn read(
        text: &str,
        below: &[String],
        negation: Negation,
    ) -> Result<Option<Expression>, DocumentError> {
        let json = first_json(text).map_err(|_| {
            DocumentError::refused(
                "The `where` parameter expects a valid JSON object representing search criteria.",
            )
        })?;
        let Json::Object(members) = json else {
            return Err(DocumentError::refused(
                "Search was expecting a JSON object as input.",
            ));
        };
        let mut reader = Reader {
            below,
            negation,
            next: 0,
        };
        let expressions = reader.members(&members, false)?;
        Ok(if expressions.is_empty() {
            None
        } else {
            Some(Expression::And(expressions))
        })
    }

    /// Returns all its conditions in the order of `where`.
    pub fn filters(&self) -> Vec<Arc<Filter>> {
        match self {
            Expression::Filter(filter) => vec![Arc::clone(filter)],
            Expression::And(parts) | Expression::Or(parts) => {
                parts.iter().flat_map(Expression::filters).collect()
            }
            Expression::Not(part) => part.filters(),
        }
    }

    /// Evaluates the expression from the verdict on each of its fields.
    pub fn holds(&self, verdict: &impl Fn(&Filter) -> Verdict) -> bool {
        match self {
            Expression::And(parts) => parts.iter().all(|part| part.holds(verdict)),
            Expression::Or(parts) => parts.iter().any(|part| part.holds(verdict)),
            Expression::Not(part) => !part.holds(verdict),
            Expression::Filter(filter) => {
                let found = verdict(filter);
                if found.is_there {
                    found.holds
                } else {
                    filter.condition.holds_without_field()
                }
            }
        }
    }

    /// Returns its conjunctive normal form: one condition of each clause must hold. `None` if it is too long, or if a
    /// `$not` was kept.
    pub fn clauses(&self) -> Option<Vec<Vec<Arc<Filter>>>> {
        let clauses = match self {
            Expression::Filter(filter) => vec![vec![Arc::clone(filter)]],
            Expression::Not(_) => return None,
            Expression::And(parts) => {
                let parts: Option<Vec<_>> = parts.iter().map(Expression::clauses).collect();
                parts?.concat()
            }
            Expression::Or(parts) => {
                let mut product: Vec<Vec<Arc<Filter>>> = vec![Vec::new()];
                for part in parts {
                    let clauses = part.clauses()?;
                    if product.len() * clauses.len() > MAX_CLAUSES {
                        return None;
                    }
                    product = product
                        .iter()
                        .flat_map(|left| clauses.iter().map(|right| [&left[..], right].concat()))
                        .collect();
                }
                product
            }
        };
        (clauses.len() <= MAX_CLAUSES).then_some(clauses)
    }
}

impl Filter {
    /// Updates the verdict if this row of a document belongs to the field.
    pub fn look_at(&self, row: &Row, verdict: &mut Verdict) {
        if self.field.is_at(row) {
            verdict.is_there = true;
            verdict.holds |= self.condition.holds(&row.value);
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field.segments.join("."), self.condition)
    }
}

impl FieldPath {
    fn read(text: &str, below: &[String]) -> Result<FieldPath, DocumentError> {
        let mut segments = path::stored_path(below)?;
        for segment in path::split(text, '.') {
            segments.push(path::stored(segment)?);
        }
        let Some((name, parent)) = segments.split_last() else {
            return Err(DocumentError::exception(
                "Filter path to a field must not be empty.",
            ));
        };
        Ok(FieldPath {
            parent: parent
                .iter()
                .map(|segment| Pattern::read(segment))
                .collect(),
            name: unescape(name),
            segments,
        })
    }

    /// Returns true if the path to the field has no wildcard.
    pub fn is_fixed(&self) -> bool {
        !self.parent.iter().any(Pattern::is_wildcard)
    }

    /// Returns true if this row is the field. The last segment must equal the name; it is never a wildcard.
    fn is_at(&self, row: &Row) -> bool {
        let depth = self.parent.len();
        let name = self.segments.last().map(|name| Pattern::read(name));
        row.leaf == self.name
            && row.path.len() == depth + 1
            && path::is_on(&row.path, &self.parent)
            && name.is_some_and(|name| name.fits(&row.path[depth]))
    }
}

struct Reader<'a> {
    below: &'a [String],
    negation: Negation,
    next: usize,
}

impl Reader<'_> {
    /// Returns the expressions of one object, or their opposites.
    fn members(
        &mut self,
        members: &Map<String, Json>,
        negated: bool,
    ) -> Result<Vec<Expression>, DocumentError> {
        let mut expressions = Vec::new();
        for (name, value) in members {
            match name.as_str() {
                "$and" | "$or" => {
                    // The opposite of "and" is "or" of the opposites.
                    let parts = self.elements(name, value, negated)?;
                    let is_and = (name == "$and") != negated;
                    expressions.push(if is_and {
                        Expression::And(parts)
                    } else {
                        Expression::Or(parts)
                    });
                }
                "$not" => expressions.push(self.not(value, negated)?),
                field => expressions.extend(self.field(field, value, negated)?),
            }
        }
        Ok(expressions)
    }

    /// Returns the conditions on the objects of an array as a flat list.
    fn elements(
        &mut self,
        operator: &str,
        value: &Json,
        negated: bool,
    ) -> Result<Vec<Expression>, DocumentError> {
        let Json::Array(elements) = value else {
            return Err(DocumentError::Refused(format!(
                "The {operator} requires an array json node as value."
            )));
        };
        let mut parts = Vec::new();
        for members in elements.iter().filter_map(Json::as_object) {
            parts.extend(self.members(members, negated)?);
        }
        if parts.is_empty() {
            return Err(DocumentError::exception("Arguments length 0!"));
        }
        Ok(parts)
    }

    fn not(&mut self, value: &Json, negated: bool) -> Result<Expression, DocumentError> {
        let Json::Object(members) = value else {
            return Err(DocumentError::refused(
                "The $not operator requires a json object as value.",
            ));
        };
        let is_kept = self.negation == Negation::Kept;
        let mut parts = self.members(members, !negated && !is_kept)?;
        match (parts.pop(), parts.is_empty()) {
            (Some(part), true) if is_kept => Ok(Expression::Not(Box::new(part))),
            (Some(part), true) => Ok(part),
            _ => Err(DocumentError::refused(
                "The $not operator requires exactly one child expression.",
            )),
        }
    }

    /// Returns the conditions on one field.
    fn field(
        &mut self,
        text: &str,
        value: &Json,
        negated: bool,
    ) -> Result<Vec<Expression>, DocumentError> {
        let field = FieldPath::read(text, self.below)?;
        let Json::Object(operators) = value else {
            return Err(DocumentError::refused(
                "A filter operation and value resolved as invalid.",
            ));
        };
        let selectivity = operators.get("$selectivity").map(selectivity).transpose()?;
        let conditions: Vec<Condition> = operators
            .iter()
            .filter(|(operator, _)| *operator != "$selectivity")
            .map(|(operator, value)| Condition::read(operator, value))
            .collect::<Result<_, _>>()?;
        check(&field.name, &conditions, selectivity)?;
        let filter = |condition: Condition| {
            let place = self.next;
            self.next += 1;
            let (condition, selectivity) = if negated {
                // The rest of the rows; without a hint the worst is assumed, and its opposite taken.
                (condition.negated(), 1.0 - selectivity.unwrap_or(1.0))
            } else {
                (condition, selectivity.unwrap_or(1.0))
            };
            Expression::Filter(Arc::new(Filter {
                field: field.clone(),
                condition,
                selectivity,
                place,
            }))
        };
        Ok(conditions.into_iter().map(filter).collect())
    }
}

fn selectivity(value: &Json) -> Result<f64, DocumentError> {
    match value {
        Json::Number(number) => Ok(double(number)),
        other => Err(DocumentError::Refused(format!(
            "Selectivity hint does not support the provided value {other} (expecting a number)"
        ))),
    }
}

fn check(
    field: &str,
    conditions: &[Condition],
    selectivity: Option<f64>,
) -> Result<(), DocumentError> {
    let mut types: Vec<&str> = conditions
        .iter()
        .filter_map(Condition::implied_type)
        .collect();
    types.sort_unstable();
    types.dedup();
    if types.len() > 1 {
        return Err(DocumentError::Refused(format!(
            "Filter conditions for field '{field}' imply incompatible types: {}",
            types.join(", ")
        )));
    }
    match (selectivity, conditions.len()) {
        (Some(_), 0) => Err(DocumentError::Refused(format!(
            "Field '{field}' has a selectivity hint but no condition"
        ))),
        (Some(_), 2..) => Err(DocumentError::Refused(format!(
            "Specifying multiple filter conditions in the same JSON block with a selectivity hint is not \
             supported. Combine them using \"$and\" to disambiguate. Related field: '{field}')"
        ))),
        _ => Ok(()),
    }
}
