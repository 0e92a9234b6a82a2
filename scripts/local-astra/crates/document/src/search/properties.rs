//! No `where` and no page state of a client brings the readers of searches down.

use super::filter::{Expression, Negation};
use super::page_state::{self, AfterDocument};

const PIECES: &[&str] = &[
    "a",
    "a.b",
    "[0]",
    "*",
    "$eq",
    "$in",
    "$or",
    "$and",
    "$not",
    "$exists",
    "$selectivity",
    "1",
];

#[test]
fn any_where_is_read_or_refused() {
    hostile::survives(
        || hostile::json(PIECES),
        |text| {
            for negation in [Negation::Opposites, Negation::Kept] {
                let read = Expression::read(&text, &[], negation);
                if let Ok(Some(expression)) = read {
                    let _ = (expression.filters(), expression.clauses());
                }
            }
        },
    );
}

#[test]
fn any_page_state_is_read_or_refused() {
    const STATE: &[&str] = &["A", "AAAA", "/", "+", "=", "_", "-", "////", "é", "f/8A"];
    hostile::survives(
        || hostile::texts(STATE),
        |text| {
            let _ = AfterDocument::read(&text, 2);
            let _ = page_state::read_path(&text, 3);
        },
    );
}
