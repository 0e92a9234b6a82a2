//! Filters as tests of a row.

use scylla::value::CqlValue;

use super::compare::{compare, is_equal};

/// A filter as tests of a row's columns.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All of these; none of them: every row.
    All(Vec<Filter>),
    /// One of these; none of them: no row.
    Any(Vec<Filter>),
    Test(Test),
}

/// A test of one column.
#[derive(Clone, Debug)]
pub struct Test {
    pub column: String,
    pub subject: Subject,
    pub comparison: Comparison,
    pub value: CqlValue,
}

/// The tested part of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    Value,
    /// The elements of a list or set, or the values of a map: one of them is equal, or none.
    Element,
    /// The keys of a map.
    Key,
    /// The value of a map at this key.
    Entry(CqlValue),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
}

impl Filter {
    /// All of some filters, without groups within groups.
    pub fn all(parts: Vec<Filter>) -> Filter {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Filter::Any(any) if any.is_empty() => return Filter::Any(any),
                Filter::All(inner) => all.extend(inner),
                part => all.push(part),
            }
        }
        only(all).unwrap_or_else(Filter::All)
    }

    /// Any of some filters, without groups within groups.
    pub fn any(parts: Vec<Filter>) -> Filter {
        let mut any = Vec::new();
        for part in parts {
            match part {
                Filter::All(all) if all.is_empty() => return Filter::All(all),
                Filter::Any(inner) => any.extend(inner),
                part => any.push(part),
            }
        }
        only(any).unwrap_or_else(Filter::Any)
    }

    /// The parts that all have to be true.
    pub fn into_parts(self) -> Vec<Filter> {
        match self {
            Filter::All(parts) => parts,
            part => vec![part],
        }
    }

    /// The names of the columns that are tested.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Filter::All(parts) | Filter::Any(parts) => {
                parts.iter().flat_map(Filter::columns).collect()
            }
            Filter::Test(test) => vec![&test.column],
        }
    }

    /// Returns whether a row matches. `value` returns the value of a column, `ignores_case` whether its index ignores
    /// case.
    pub fn fits<'a>(
        &self,
        value: &impl Fn(&str) -> Option<&'a CqlValue>,
        ignores_case: &impl Fn(&str) -> bool,
    ) -> bool {
        match self {
            Filter::All(all) => all.iter().all(|part| part.fits(value, ignores_case)),
            Filter::Any(any) => any.iter().any(|part| part.fits(value, ignores_case)),
            Filter::Test(test) => test.fits(value(&test.column), ignores_case(&test.column)),
        }
    }
}

fn only(mut parts: Vec<Filter>) -> Result<Filter, Vec<Filter>> {
    match parts.pop() {
        Some(part) if parts.is_empty() => Ok(part),
        Some(part) => {
            parts.push(part);
            Err(parts)
        }
        None => Err(parts),
    }
}

impl Test {
    fn fits(&self, found: Option<&CqlValue>, ignores_case: bool) -> bool {
        let equals = |found: &CqlValue| is_same(found, &self.value, ignores_case);
        let is_equal = |found: Option<&CqlValue>| match (&self.subject, found) {
            (_, None) => false,
            (Subject::Value, Some(found)) => equals(found),
            (Subject::Element, Some(CqlValue::List(values) | CqlValue::Set(values))) => {
                values.iter().any(equals)
            }
            (Subject::Element, Some(CqlValue::Map(pairs))) => {
                pairs.iter().any(|(_, value)| equals(value))
            }
            (Subject::Key, Some(CqlValue::Map(pairs))) => pairs.iter().any(|(key, _)| equals(key)),
            (Subject::Entry(key), Some(CqlValue::Map(pairs))) => pairs
                .iter()
                .any(|(found, value)| is_same(found, key, false) && equals(value)),
            _ => false,
        };
        let order = || compare(found?, &self.value);
        match self.comparison {
            Comparison::Eq => is_equal(found),
            Comparison::Ne => !is_equal(found),
            Comparison::Gt => order().is_some_and(|order| order.is_gt()),
            Comparison::Gte => order().is_some_and(|order| order.is_ge()),
            Comparison::Lt => order().is_some_and(|order| order.is_lt()),
            Comparison::Lte => order().is_some_and(|order| order.is_le()),
        }
    }
}

fn is_same(left: &CqlValue, right: &CqlValue, ignores_case: bool) -> bool {
    match (left, right) {
        (CqlValue::Text(left), CqlValue::Text(right))
        | (CqlValue::Ascii(left), CqlValue::Ascii(right))
            if ignores_case =>
        {
            left.to_lowercase() == right.to_lowercase()
        }
        (left, right) => is_equal(left, right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(subject: Subject, comparison: Comparison, value: CqlValue) -> Filter {
        Filter::Test(Test {
            column: "c".to_owned(),
            subject,
            comparison,
            value,
        })
    }

    fn text(text: &str) -> CqlValue {
        CqlValue::Text(text.to_owned())
    }

    #[test]
    fn a_missing_value_differs_from_every_value_and_is_in_no_range() {
        let fits = |comparison| {
            let filter = test(Subject::Value, comparison, CqlValue::Int(1));
            filter.fits(&|_| None, &|_| false)
        };
        assert!(fits(Comparison::Ne));
        for comparison in [Comparison::Eq, Comparison::Gt, Comparison::Lte] {
            assert!(!fits(comparison), "{comparison:?}");
        }
    }

    #[test]
    fn elements_keys_and_entries_are_found() {
        let pairs = [(CqlValue::Int(1), text("a")), (CqlValue::Int(2), text("b"))];
        let map = CqlValue::Map(pairs.to_vec());
        for (subject, value, holds) in [
            (Subject::Key, CqlValue::Int(2), true),
            (Subject::Key, CqlValue::Int(3), false),
            (Subject::Element, text("a"), true),
            (Subject::Element, text("A"), false),
            (Subject::Entry(CqlValue::Int(1)), text("a"), true),
            (Subject::Entry(CqlValue::Int(1)), text("b"), false),
            (Subject::Entry(CqlValue::Int(3)), text("a"), false),
        ] {
            for (comparison, wanted) in [(Comparison::Eq, holds), (Comparison::Ne, !holds)] {
                let filter = test(subject.clone(), comparison, value.clone());
                let fits = filter.fits(&|_| Some(&map), &|_| false);
                assert_eq!(fits, wanted, "{filter:?}");
            }
        }
        let filter = test(Subject::Element, Comparison::Eq, text("A"));
        assert!(filter.fits(&|_| Some(&map), &|_| true));
    }

    #[test]
    fn groups_are_flat_and_decide_early() {
        let one = || test(Subject::Value, Comparison::Eq, CqlValue::Int(1));
        let never = || Filter::any(Vec::new());
        let always = || Filter::all(Vec::new());
        assert!(matches!(
            Filter::all(vec![one(), always()]),
            Filter::Test(_)
        ));
        assert!(matches!(Filter::any(vec![one(), never()]), Filter::Test(_)));
        assert!(matches!(Filter::all(vec![one(), never()]), Filter::Any(any) if any.is_empty()));
        assert!(matches!(Filter::any(vec![one(), always()]), Filter::All(all) if all.is_empty()));
        let nested = Filter::all(vec![one(), Filter::all(vec![one(), one()])]);
        assert!(matches!(nested, Filter::All(all) if all.len() == 3));
    }
}
