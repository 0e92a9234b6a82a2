//! Search in one document: its parts at a path, as objects with the full path.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::filter::{Expression, Negation, Verdict};
use super::page_state;
use crate::assemble::{Arrays, Padding, assemble};
use crate::collections::Collection;
use crate::error::DocumentError;
use crate::path::{Pattern, below, patterns, stored_path};
use crate::profile::Profile;
use crate::request::{self, Address};
use crate::response;
use crate::response::Wrapper;
use crate::rows::{PAGE, Row, Select, whole_row};
use bridge::Parameters;
use store::Page;

/// Default number of parts per page. There is no upper limit.
const PAGE_SIZE: i32 = 100;

/// `GET …/{id}[/{path}]` with `where` or `page-size`.
pub async fn search_document(
    collection: &Collection,
    address: Address,
    parameters: &Parameters,
    page_size: Option<i32>,
) -> Result<Response, DocumentError> {
    let profile = Profile::new(parameters);
    let expression = match parameters.text("where") {
        Some(text) => Expression::read(text, &address.path, Negation::Kept)?,
        None => None,
    };
    let fields = request::fields(parameters)?;
    let filters = expression
        .as_ref()
        .map(Expression::filters)
        .unwrap_or_default();
    let mut tested: Vec<_> = filters.iter().map(|filter| &filter.field).collect();
    tested.dedup();
    tested.sort_by(|a, b| a.segments.cmp(&b.segments));
    tested.dedup();
    if tested.len() > 1 {
        return Err(DocumentError::Refused(format!(
            "Conditions across multiple fields are not yet supported. Found: {}.",
            tested.len()
        )));
    }
    let stored = stored_path(&address.path)?;
    // Parts are what holds the tested field; without one, what the URL names.
    let (path, default_field) = match tested.first() {
        Some(field) => {
            let name = field.segments.last().cloned().unwrap_or_default();
            if !fields.is_empty() && !fields.contains(&vec![name]) {
                return Err(DocumentError::refused(
                    "When selecting `fields`, the field referenced by `where` must be in the selection.",
                ));
            }
            (field.parent.clone(), patterns(&field.segments))
        }
        None => (patterns(&stored), patterns(&stored)),
    };
    let fields = match fields.as_slice() {
        [] => vec![default_field],
        _ => below(&path, fields),
    };
    let search = Search {
        collection,
        id: &address.id,
        path,
        expression,
        profile: &profile,
    };
    let size = page_size.unwrap_or(PAGE_SIZE);
    let found = search
        .page(size, parameters.text("page-state"), &fields)
        .await?;
    if found.count == 0 {
        return Ok(response::empty(StatusCode::NO_CONTENT));
    }
    let wrapper = Wrapper {
        document_id: Some(address.id.clone()),
        page_state: found.page_state,
        data: Some(Value::Array(found.parts)),
        profile: profile.json(),
    };
    Ok(wrapper.into_response(StatusCode::OK, parameters.flag("raw")))
}

struct Search<'a> {
    collection: &'a Collection,
    id: &'a str,
    path: Vec<Pattern>,
    expression: Option<Expression>,
    profile: &'a Profile,
}

#[derive(Default)]
struct Found {
    /// Number of parts found, including those that the selection leaves empty.
    count: usize,
    parts: Vec<Value>,
    page_state: Option<String>,
}

impl Search<'_> {
    /// Reads the rows below the path, part by part, until a page is full.
    async fn page(
        &self,
        size: i32,
        state: Option<&str>,
        fields: &[Vec<Pattern>],
    ) -> Result<Found, DocumentError> {
        let depth = self.path.len();
        let wanted = usize::try_from(size).unwrap_or_default();
        let after = state
            .map(|state| page_state::read_path(state, depth))
            .transpose()?;
        let mut select = Select::rows().of_document(self.id).below(&self.path)?;
        let first_wildcard = self.path.iter().position(Pattern::is_wildcard);
        if let (Some(after), Some(at)) = (&after, first_wildcard) {
            select = select.at_least(at, &after[at]);
        }
        let mut found = Found::default();
        let mut part: Vec<Row> = Vec::new();
        let mut page = Page::first(PAGE);
        loop {
            let rows = select
                .page(self.collection, page, self.profile, "SearchSubDocuments")
                .await?;
            for row in rows.rows.into_iter().map(whole_row) {
                let key = key(&row, depth);
                if after.as_ref().is_some_and(|after| key <= *after) {
                    continue;
                }
                if part
                    .first()
                    .is_some_and(|first| self::key(first, depth) != key)
                {
                    self.close(&part, &mut found, fields)?;
                    if found.count == wanted {
                        found.page_state =
                            Some(page_state::write_path(&self::key(&part[0], depth)));
                        return Ok(found);
                    }
                    part.clear();
                }
                part.push(row);
            }
            match rows.page_state {
                Some(state) => {
                    page = Page {
                        size: PAGE,
                        state: Some(state),
                    }
                }
                None => break,
            }
        }
        self.close(&part, &mut found, fields)?;
        Ok(found)
    }

    /// Adds a part to the page if it matches the condition.
    fn close(
        &self,
        part: &[Row],
        found: &mut Found,
        fields: &[Vec<Pattern>],
    ) -> Result<(), DocumentError> {
        let verdict = |filter: &super::filter::Filter| {
            let mut verdict = Verdict::default();
            part.iter()
                .for_each(|row| filter.look_at(row, &mut verdict));
            verdict
        };
        let holds = self.expression.as_ref().is_none_or(|e| e.holds(&verdict));
        if part.is_empty() || !holds {
            return Ok(());
        }
        found.count += 1;
        let json = assemble(part, fields, Arrays::AsObjects, &mut Padding::default())?;
        if json.as_object().is_none_or(|members| !members.is_empty()) {
            found.parts.push(json);
        }
        Ok(())
    }
}

/// Returns the path of the part that a row belongs to.
fn key(row: &Row, depth: usize) -> Vec<String> {
    (0..depth)
        .map(|at| row.path.get(at).cloned().unwrap_or_default())
        .collect()
}
