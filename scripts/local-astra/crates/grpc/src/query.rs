//! Queries: one statement, prepared, bound and executed.

use scylla::deserialize::row::ColumnIterator;
use scylla::response::query_result::QueryResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::prepared::PreparedStatement;
use tonic::Code;

use super::error::GrpcError;
use super::options::{QueryOptions, Serial};
use super::proto::stargate::response::Result as Content;
use super::proto::stargate::{Query, Response, ResultSet, Row};
use super::schema_change::Change;
use super::{bind, decode, traces, type_spec};
use access::{Interface, Logins, TokenSession};
use store::error::is_unreadable_notice;
use store::{Schema, Session, lexer};

/// Runs a statement with a token.
///
/// # Errors
/// Those of the token, of the parameters, and Cassandra's.
pub async fn run(logins: &Logins, token: &str, query: Query) -> Result<Response, GrpcError> {
    let parameters = query.parameters.unwrap_or_default();
    let keyspace = parameters.keyspace.as_deref();
    let session = logins.session_in(token, keyspace).await?;
    may_run(&session, &query.cql, keyspace, &logins.schema()).await?;
    let mut statement = session.prepare(&query.cql).await?;
    if lexer::is_use(&query.cql) {
        return Err(GrpcError::invalid("USE <keyspace> not supported"));
    }
    let given = QueryOptions::of_query(&parameters)?;
    let bound = bind::query(&statement, &query.values.unwrap_or_default())?;
    configure(&mut statement, &given, &query.cql)?;

    let change = match Change::of(&query.cql, keyspace, &logins.schema()) {
        Some(_) => {
            // Includes objects that others have just created, such as the table of an index.
            let schema = logins.refresh().await?;
            Change::of(&query.cql, keyspace, &schema)
        }
        None => None,
    };
    let before = match &change {
        Some(change) => Some(change.look(&session).await?),
        None => None,
    };
    let state = given
        .paging_state
        .clone()
        .map_or_else(PagingState::start, PagingState::new_from_raw_bytes);
    let driver = session.driver();
    let executed = driver.execute_single_page(&statement, bound, state).await;
    let executed = match executed {
        Err(error) if is_unreadable_notice(&error) => None,
        executed => Some(executed?),
    };
    let mut response = match &executed {
        Some((result, _)) => without_result(driver, &given, result).await,
        None => Response::default(),
    };
    if let Some(change) = change {
        logins.refresh().await?;
        if before != Some(change.look(&session).await?) {
            response.result = Some(Content::SchemaChange(change.into_message()));
        }
    } else if let Some((result, next)) = executed
        && result.is_rows()
    {
        let set = result_set(result, next, &given, &logins.schema())?;
        response.result = Some(Content::ResultSet(set));
    }
    Ok(response)
}

/// Rejects a token whose roles do not open this interface to the databases of the keyspaces in a statement.
///
/// # Errors
/// PERMISSION_DENIED, and Cassandra's own.
pub async fn may_run(
    session: &TokenSession,
    cql: &str,
    keyspace: Option<&str>,
    schema: &Schema,
) -> Result<(), GrpcError> {
    session.require(Interface::Grpc)?;
    if session.rights().open_to_all(Interface::Grpc) {
        return Ok(());
    }
    let named = lexer::qualifiers(cql)
        .into_iter()
        .chain(keyspace.map(str::to_owned));
    let mut keyspaces: Vec<String> = named
        .filter(|name| schema.keyspaces.contains_key(name))
        .collect();
    keyspaces.sort_unstable();
    keyspaces.dedup();
    for keyspace in keyspaces {
        session.require_in(Interface::Grpc, &keyspace).await?;
    }
    Ok(())
}

fn configure(
    statement: &mut PreparedStatement,
    given: &QueryOptions,
    cql: &str,
) -> Result<(), GrpcError> {
    statement.set_consistency(given.consistency);
    statement.set_page_size(given.page_size);
    statement.set_timestamp(given.timestamp);
    statement.set_tracing(given.tracing.is_some());
    match given.serial_consistency {
        Serial::Of(level) => statement.set_serial_consistency(Some(level)),
        Serial::Unfit => unfit_serial(cql)?,
    }
    Ok(())
}

/// Rejects an invalid serial consistency level if the statement has a condition.
///
/// # Errors
/// Cassandra's words.
pub fn unfit_serial(cql: &str) -> Result<(), GrpcError> {
    if lexer::is_conditional(cql) {
        return Err(GrpcError::invalid(
            "Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL",
        ));
    }
    Ok(())
}

/// Returns the response without its result: the warnings, and the trace if requested.
pub async fn without_result(
    driver: &Session,
    given: &QueryOptions,
    result: &QueryResult,
) -> Response {
    let traces = match (given.tracing, result.tracing_id()) {
        (Some(consistency), Some(id)) => traces::read(driver, id, consistency).await,
        _ => None,
    };
    Response {
        warnings: result.warnings().map(str::to_owned).collect(),
        traces,
        result: None,
    }
}

/// Returns the rows of a response, and the paging state if another page may follow.
///
/// # Errors
/// UNIMPLEMENTED for a type without a value in the protocol.
pub fn result_set(
    result: QueryResult,
    next: PagingStateResponse,
    given: &QueryOptions,
    schema: &Schema,
) -> Result<ResultSet, GrpcError> {
    let unreadable = |cause: &dyn std::fmt::Display| {
        GrpcError::Refused(
            Code::Internal,
            format!("cannot read Cassandra's response: {cause}"),
        )
    };
    let result = result
        .into_rows_result()
        .map_err(|error| unreadable(&error))?;
    let columns = if given.skip_metadata {
        Vec::new()
    } else {
        let specs = result.column_specs().iter();
        specs.map(|spec| type_spec::column(spec, schema)).collect()
    };
    let mut rows = Vec::with_capacity(result.rows_num());
    for row in result
        .rows::<ColumnIterator>()
        .map_err(|error| unreadable(&error))?
    {
        let mut values = Vec::new();
        for column in row.map_err(|error| unreadable(&error))? {
            let column = column.map_err(|error| unreadable(&error))?;
            let bytes = column.slice.map(|slice| slice.as_slice());
            values.push(decode::value(bytes, column.spec.typ())?);
        }
        rows.push(Row { values });
    }
    let paging_state = match next {
        PagingStateResponse::HasMorePages { state } => {
            state.as_bytes_slice().map(|bytes| bytes.to_vec())
        }
        PagingStateResponse::NoMorePages => None,
    };
    Ok(ResultSet {
        columns,
        rows,
        paging_state,
    })
}
