//! `find` and `findOne`.

use scylla::value::CqlValue;

use super::page::{PageState, Place};
use super::plan::{Lead, Plan};
use super::projection::schema;
use super::row_tests::Filter;
use super::sort::{self, MAX_NEAREST, Sort, SortColumn, Window};
use super::stream::{Row, Selection, Stream};
use super::values_out::{float, to_json};
use super::warnings::of_select;
use super::{PAGE, Table};
use crate::codes::Code;
use crate::collections::{Metric, vector_value};
use crate::command::{Command, invalid_value};
use crate::error::ApiError;
use crate::json::{Json, Members};
use crate::nearest::Nearest;
use crate::response::Response;
use store::cql::{self, Expression};
use store::types::quote;
use store::{Column, Page};

/// `findOne`
pub async fn one(table: &Table, command: &Command) -> Result<Response, ApiError> {
    let finder = Finder::read(table, command, Window::default())?;
    let found = finder.find(1, 0, None).await?;
    let document = found.documents.first().cloned();
    Ok(finder.response(Response::document(document), found.sorted))
}

/// `find`
pub async fn many(table: &Table, command: &Command) -> Result<Response, ApiError> {
    let (limit, skip) = (command.integer("limit"), command.integer("skip"));
    check_window(command, limit, skip)?;
    let finder = Finder::read(table, command, Window { limit, skip })?;
    let size = |number: i64| usize::try_from(number).unwrap_or(0);
    let state = command
        .text_option("pageState")
        .filter(|state| !state.is_empty());
    let found = finder
        .find(limit.map_or(usize::MAX, size), skip.map_or(0, size), state)
        .await?;
    let next = found
        .next
        .map_or(Json::Null, |next| Json::Text(next.text()));
    let data = Json::object([
        ("documents", Json::Array(found.documents)),
        ("nextPageState", next),
    ]);
    let response = Response {
        data: Some(data),
        ..Response::default()
    };
    Ok(finder.response(response, found.sorted))
}

fn check_window(command: &Command, limit: Option<i64>, skip: Option<i64>) -> Result<(), ApiError> {
    if let Some(limit) = limit.filter(|limit| *limit < 1) {
        let reason = "must be greater than 0";
        return Err(invalid_value("command.options.limit", limit, reason));
    }
    let Some(skip) = skip else {
        return Ok(());
    };
    let reason = if skip < 0 {
        "must not be negative"
    } else if command.field("sort").is_none_or(Json::is_null) {
        "can be used only with a sort"
    } else {
        return Ok(());
    };
    Err(invalid_value("command.options.skip", skip, reason))
}

struct Finder<'a> {
    table: &'a Table,
    filter: Filter,
    sort: Sort,
    columns: Vec<&'a Column>,
    with_similarity: bool,
    with_sort_vector: bool,
    warnings: Vec<ApiError>,
}

#[derive(Default)]
struct Found {
    documents: Vec<Json>,
    next: Option<PageState>,
    /// The number of rows that were sorted in memory.
    sorted: Option<usize>,
}

impl<'a> Finder<'a> {
    fn read(table: &'a Table, command: &Command, window: Window) -> Result<Finder<'a>, ApiError> {
        let conditions = table.read_filter(command.field("filter"))?;
        let (sort, warning) = table.read_sort(command.field("sort"), &conditions, window)?;
        let columns = table.projected(command.field("projection"))?;
        let is_by_vector = matches!(sort, Sort::Vector { .. });
        let mut warnings: Vec<ApiError> = warning.into_iter().collect();
        warnings.extend(of_select(table, &conditions)?);
        // The nearest rows are found by the index.
        warnings.retain(|warning| !is_by_vector || warning.code != Code::ZeroFilterOperations);
        Ok(Finder {
            table,
            filter: table.tests(&conditions)?,
            sort,
            columns,
            with_similarity: is_by_vector && command.flag("includeSimilarity"),
            with_sort_vector: command.flag("includeSortVector"),
            warnings,
        })
    }

    async fn find(
        &self,
        limit: usize,
        skip: usize,
        state: Option<&str>,
    ) -> Result<Found, ApiError> {
        match &self.sort {
            Sort::None => {
                let plan = Plan::of(self.table, &self.filter);
                self.page(plan, Vec::new(), limit, state).await
            }
            Sort::Database(by) => match Plan::of_partition(self.table, &self.filter) {
                Some(plan) => self.page(plan, order_by(by), limit, state).await,
                None => self.sorted(by, limit, skip, state).await,
            },
            Sort::Memory(by) => self.sorted(by, limit, skip, state).await,
            Sort::Vector {
                column,
                vector,
                metric,
            } => {
                let limit = limit.min(MAX_NEAREST);
                let documents = self.nearest(column, vector, *metric, limit).await?;
                Ok(Found {
                    documents,
                    ..Found::default()
                })
            }
        }
    }

    async fn page(
        &self,
        plan: Plan,
        order: Vec<Expression>,
        limit: usize,
        state: Option<&str>,
    ) -> Result<Found, ApiError> {
        let state = state.map(|state| PageState::read(state, plan.leads.len()));
        let limited = (limit != usize::MAX).then(|| u32::try_from(limit).unwrap_or(u32::MAX));
        let (places, remaining) = match state.transpose()? {
            Some(state) => (state.places, state.remaining),
            None => (vec![Place::START; plan.leads.len()], limited),
        };
        let remaining = remaining.map(|remaining| usize::try_from(remaining).unwrap_or(usize::MAX));
        let count = remaining.unwrap_or(usize::MAX).min(PAGE);
        let selection = Selection {
            columns: self.names(),
            order,
            ..Selection::default()
        };
        let mut stream = Stream::new(self.table, plan, &selection, places, count);
        let mut documents = Vec::new();
        while documents.len() < count
            && let Some(row) = stream.next().await?
        {
            documents.push(self.document(row));
        }
        let remaining = remaining.map(|remaining| remaining - documents.len().min(remaining));
        let is_full = documents.len() == count && remaining != Some(0);
        let places = stream.places().filter(|_| is_full);
        let next = places.map(|places| PageState {
            remaining: remaining.and_then(|remaining| u32::try_from(remaining).ok()),
            places,
        });
        Ok(Found {
            documents,
            next,
            sorted: None,
        })
    }

    async fn sorted(
        &self,
        by: &[SortColumn],
        limit: usize,
        skip: usize,
        state: Option<&str>,
    ) -> Result<Found, ApiError> {
        if state.is_some() {
            let text = "'pageState' cannot be used with a sort in memory.";
            let code = Code::UnsupportedPaginationWithInMemorySorting;
            return Err(ApiError::new(code, text));
        }
        let mut columns: Vec<String> = by.iter().map(|by| by.name.clone()).collect();
        columns.extend(self.names());
        let selection = Selection {
            columns,
            ..Selection::default()
        };
        let plan = Plan::of(self.table, &self.filter);
        let places = vec![Place::START; plan.leads.len()];
        let stream = Stream::new(self.table, plan, &selection, places, 100);
        let (rows, sorted) = sort::first(stream, by, skip, limit.min(PAGE)).await?;
        let documents = rows.into_iter().map(|row| self.document(row));
        Ok(Found {
            documents: documents.collect(),
            next: None,
            sorted: Some(sorted),
        })
    }

    async fn nearest(
        &self,
        column: &str,
        vector: &[f32],
        metric: Metric,
        count: usize,
    ) -> Result<Vec<Json>, ApiError> {
        let similarity = cql::raw(format!("{}({}, ?)", metric.function(), quote(column)));
        let similarity = similarity.bind(vector_value(vector));
        let plan = Plan::of(self.table, &self.filter);
        let rows = if plan.takes_vectors(self.table) {
            let names = self.names();
            let columns = names.iter().map(|name| cql::column(name));
            // Cassandra reads each vector for it, so it is selected on request only.
            let similarity = self.with_similarity.then_some(similarity);
            let count = i32::try_from(count).unwrap_or(i32::MAX);
            let nearest = cql::column(column).op("ANN OF", vector_value(vector));
            let select = self
                .table
                .select(columns.chain(similarity))
                .filter(plan.leads.iter().flat_map(Lead::conditions))
                .order_by([nearest])
                .limit(Some(count));
            // Cassandra returns all of such a query in one page.
            self.table.query(select, Page::first(count)).await?.rows
        } else {
            let selection = Selection {
                columns: self.names(),
                function: Some(similarity),
                order: Vec::new(),
            };
            best_of_all(self.table, plan, &selection, count).await?
        };
        let documents = rows.into_iter().map(|mut row| {
            let is_selected = row.len() > self.columns.len();
            let similarity = is_selected.then(|| row.pop().flatten()).flatten();
            let mut document = self.document(row);
            if let (Json::Object(members), Some(CqlValue::Float(similarity))) =
                (&mut document, similarity)
                && self.with_similarity
            {
                members.insert("$similarity".to_owned(), float(similarity));
            }
            document
        });
        Ok(documents.collect())
    }

    fn names(&self) -> Vec<String> {
        self.columns
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }

    /// A row without its nulls.
    fn document(&self, row: Row) -> Json {
        let values = self.columns.iter().zip(row);
        let members = values.filter_map(|(column, value)| {
            let value = value.as_ref().and_then(to_json)?;
            Some((column.name.clone(), value))
        });
        Json::Object(members.collect::<Members>())
    }

    fn response(self, response: Response, sorted: Option<usize>) -> Response {
        let mut response = response.with_status("projectionSchema", schema(&self.columns));
        if let Some(sorted) = sorted {
            let sorted = Json::integer(i64::try_from(sorted).unwrap_or(i64::MAX));
            response = response.with_status("sortedRowCount", sorted);
        }
        if let Sort::Vector { vector, .. } = &self.sort
            && self.with_sort_vector
        {
            let vector = vector.iter().copied().map(float).collect();
            response = response.with_status("sortVector", vector);
        }
        for warning in self.warnings {
            response = response.with_warning(warning);
        }
        response
    }
}

fn order_by(by: &[SortColumn]) -> Vec<Expression> {
    let by = by.iter();
    by.map(|by| cql::order(&by.name, !by.ascending)).collect()
}

/// The index finds the nearest of all, of which none may fit: so every row that fits is compared.
async fn best_of_all(
    table: &Table,
    plan: Plan,
    selection: &Selection,
    count: usize,
) -> Result<Vec<Row>, ApiError> {
    let places = vec![Place::START; plan.leads.len()];
    let mut stream = Stream::new(table, plan, selection, places, 100);
    let mut nearest = Nearest::new(count);
    let mut number = 0;
    while let Some(row) = stream.next().await? {
        // A row without a vector is never near.
        let Some(Some(CqlValue::Float(similarity))) = row.last() else {
            continue;
        };
        number += 1;
        nearest.add(*similarity, number, row);
    }
    Ok(nearest.into_sorted().map(|(_, _, row)| row).collect())
}
