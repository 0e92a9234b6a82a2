//! `find` and `findOne`.

use super::filter::Parsed;
use super::plan::Plan;
use super::position::{PageState, Position};
use super::projection::Projection;
use super::reading::{Document, Documents, by_position};
use super::sort::{self, Sort, page_state_with_sort};
use super::vector::{MAX_NEAREST, nearest};
use super::{Collection, PAGE};
use crate::command::{Command, invalid_value};
use crate::error::ApiError;
use crate::json::{Decimal, Json};
use crate::response::Response;
use store::values::numbers::single_text;

/// `findOne`
pub async fn one(collection: &Collection, command: &Command) -> Result<Response, ApiError> {
    let finder = Finder::read(collection, command)?;
    let (mut found, _) = finder.find(1, 0, None).await?;
    let document = (!found.is_empty()).then(|| found.swap_remove(0));
    Ok(finder.with_sort_vector(Response::document(document)))
}

/// `find`
pub async fn many(collection: &Collection, command: &Command) -> Result<Response, ApiError> {
    let (limit, skip) = (command.integer("limit"), command.integer("skip"));
    check_options(command, limit, skip)?;
    let finder = Finder::read(collection, command)?;
    let state = command.text_option("pageState");
    if state.is_some_and(|state| !state.is_empty()) && !matches!(finder.sort, Sort::None) {
        return Err(page_state_with_sort());
    }
    let state = state.map(PageState::read).transpose()?;
    let size = |number: i64| usize::try_from(number).unwrap_or(0);
    let limit = limit.map_or(usize::MAX, size);
    let (documents, next) = finder.find(limit, skip.map_or(0, size), state).await?;
    let next = next.map_or(Json::Null, |next| Json::Text(next.text()));
    let data = Json::object([
        ("documents", Json::Array(documents)),
        ("nextPageState", next),
    ]);
    Ok(finder.with_sort_vector(Response {
        data: Some(data),
        ..Response::default()
    }))
}

fn check_options(command: &Command, limit: Option<i64>, skip: Option<i64>) -> Result<(), ApiError> {
    let sort = command.field("sort").filter(|sort| !sort.is_null());
    let by_vector =
        sort.is_some_and(|sort| sort.get("$vector").is_some() || sort.get("$vectorize").is_some());
    if let Some(limit) = limit.filter(|limit| *limit < 1) {
        return Err(invalid_value(
            "command.options.limit",
            limit,
            "must be greater than 0",
        ));
    }
    if let Some(limit) = limit
        && by_vector
        && usize::try_from(limit).is_ok_and(|limit| limit > MAX_NEAREST)
    {
        let reason = format!("must not be greater than {MAX_NEAREST} with a vector sort");
        return Err(invalid_value("command.options.limit", limit, &reason));
    }
    let Some(skip) = skip else {
        return Ok(());
    };
    let reason = if skip < 0 {
        "must not be negative"
    } else if sort.is_none() {
        "can be used only with a sort"
    } else if by_vector {
        "cannot be used with a vector sort"
    } else {
        return Ok(());
    };
    Err(invalid_value("command.options.skip", skip, reason))
}

struct Finder<'a> {
    collection: &'a Collection,
    parsed: Parsed,
    sort: Sort,
    projection: Projection,
    with_similarity: bool,
    with_sort_vector: bool,
}

impl<'a> Finder<'a> {
    fn read(collection: &'a Collection, command: &Command) -> Result<Finder<'a>, ApiError> {
        Ok(Finder {
            collection,
            parsed: Parsed::read(command.field("filter"), collection)?,
            sort: Sort::read(command.field("sort"), collection)?,
            projection: Projection::read(command.field("projection"))?,
            with_similarity: command.flag("includeSimilarity"),
            with_sort_vector: command.flag("includeSortVector"),
        })
    }

    async fn find(
        &self,
        limit: usize,
        skip: usize,
        state: Option<PageState>,
    ) -> Result<(Vec<Json>, Option<PageState>), ApiError> {
        match &self.sort {
            Sort::None => self.unsorted(limit, state).await,
            Sort::By(by) => {
                let (filter, count) = (&self.parsed.filter, limit.min(PAGE));
                let found = sort::first(self.collection, filter, by, skip, count).await?;
                let documents = by_position(self.collection, found).await?.into_iter();
                let documents = documents.map(|(_, document)| document.projected(&self.projection));
                Ok((documents.collect::<Result<_, _>>()?, None))
            }
            Sort::Vector(vector) => {
                let documents = self.nearest(vector, limit.min(MAX_NEAREST)).await?;
                Ok((documents, None))
            }
        }
    }

    async fn unsorted(
        &self,
        limit: usize,
        state: Option<PageState>,
    ) -> Result<(Vec<Json>, Option<PageState>), ApiError> {
        let limited = (limit != usize::MAX).then(|| u32::try_from(limit).unwrap_or(u32::MAX));
        let (after, remaining) = match state {
            Some(state) => (Some(state.after), state.remaining),
            None => (None, limited),
        };
        let remaining = remaining.map(|remaining| usize::try_from(remaining).unwrap_or(usize::MAX));
        let filter = &self.parsed.filter;
        // Documents that are asked for by their ids come all at once.
        let plan = Plan::of(filter);
        let ids = plan.is_by_key().then_some(plan.leads.len());
        let count = remaining.unwrap_or(usize::MAX).min(ids.unwrap_or(PAGE));
        let mut stream = Documents::new(self.collection, filter, after.as_ref(), count);
        let found = stream.next(count).await?;
        // A response with the vector of the sort never offers a page.
        let has_pages = ids.is_none() && !self.with_sort_vector;
        let next = next_page(&found, count, remaining).filter(|_| has_pages);
        let documents = found.into_iter().take(limit);
        let documents = documents.map(|(_, document)| document.projected(&self.projection));
        Ok((documents.collect::<Result<_, _>>()?, next))
    }

    async fn nearest(&self, vector: &[f32], count: usize) -> Result<Vec<Json>, ApiError> {
        let filter = &self.parsed.filter;
        let found = nearest(self.collection, filter, vector, count, self.with_similarity).await?;
        let shown = found.into_iter().map(|(document, similarity)| {
            let mut shown = document.projected(&self.projection)?;
            if let (Json::Object(members), Some(similarity)) = (&mut shown, similarity) {
                members.insert("$similarity".to_owned(), float(similarity));
            }
            Ok(shown)
        });
        shown.collect()
    }

    fn with_sort_vector(&self, response: Response) -> Response {
        if !self.with_sort_vector {
            return response;
        }
        let vector = match &self.sort {
            Sort::Vector(vector) => vector.iter().copied().map(float).collect(),
            _ => Json::Null,
        };
        response.with_status("sortVector", vector)
    }
}

/// Returns the page state after a full page. The next page may be empty.
pub fn next_page(
    found: &[(Position, Document)],
    count: usize,
    remaining: Option<usize>,
) -> Option<PageState> {
    let (last, _) = found.last().filter(|_| found.len() == count)?;
    let remaining = remaining.map(|remaining| remaining.saturating_sub(found.len()));
    if remaining == Some(0) {
        return None;
    }
    Some(PageState {
        after: last.clone(),
        remaining: remaining.and_then(|remaining| u32::try_from(remaining).ok()),
    })
}

/// A float as Java prints it.
fn float(value: f32) -> Json {
    Json::Number(Decimal::of_float_text(&single_text(value)))
}
