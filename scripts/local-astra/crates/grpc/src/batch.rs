//! Batches of statements.

use scylla::response::PagingStateResponse;
use scylla::statement::batch::{Batch as Statements, BatchType};

use super::error::GrpcError;
use super::options::{QueryOptions, Serial};
use super::proto::stargate::response::Result as Content;
use super::proto::stargate::{Batch, Response, batch};
use super::{bind, query};
use access::Logins;
use store::lexer;

/// Runs a batch with a token.
///
/// # Errors
/// Those of the token, of the parameters, and Cassandra's.
pub async fn run(logins: &Logins, token: &str, given: Batch) -> Result<Response, GrpcError> {
    // The token is checked first.
    logins.session(token).await?;
    if given.queries.is_empty() {
        return Err(GrpcError::invalid("No queries in batch"));
    }
    let parameters = given.parameters.unwrap_or_default();
    let session = logins
        .session_in(token, parameters.keyspace.as_deref())
        .await?;
    let mut values = Vec::with_capacity(given.queries.len());
    let mut all = Vec::with_capacity(given.queries.len());
    let mut conditional = None;
    let keyspace = parameters.keyspace.as_deref();
    for single in &given.queries {
        query::may_run(&session, &single.cql, keyspace, &logins.schema()).await?;
    }
    for single in given.queries {
        let prepared = session.prepare(&single.cql).await?;
        if lexer::is_use(&single.cql) {
            return Err(GrpcError::invalid("USE <keyspace> not supported"));
        }
        values.push(bind::batch(&prepared, &single.values.unwrap_or_default())?);
        all.push(prepared);
        if lexer::is_conditional(&single.cql) {
            conditional = Some(single.cql);
        }
    }
    // An unknown type causes an exception on a real Stargate, and therefore UNKNOWN.
    let kind = batch::Type::try_from(given.r#type).map_err(|_| {
        let number = given.r#type;
        GrpcError::Refused(
            tonic::Code::Unknown,
            format!("there is no batch type {number}"),
        )
    })?;
    let mut statements = Statements::new(match kind {
        batch::Type::Logged => BatchType::Logged,
        batch::Type::Unlogged => BatchType::Unlogged,
        batch::Type::Counter => BatchType::Counter,
    });
    for prepared in all {
        statements.append_statement(prepared);
    }
    let given = QueryOptions::of_batch(&parameters)?;
    statements.set_consistency(given.consistency);
    statements.set_timestamp(given.timestamp);
    statements.set_tracing(given.tracing.is_some());
    match given.serial_consistency {
        Serial::Of(level) => statements.set_serial_consistency(Some(level)),
        Serial::Unfit => query::unfit_serial(conditional.as_deref().unwrap_or_default())?,
    }

    let driver = session.driver();
    let result = driver.batch(&statements, values).await?;
    let mut response = query::without_result(driver, &given, &result).await;
    if result.is_rows() {
        let end = PagingStateResponse::NoMorePages;
        let set = query::result_set(result, end, &given, &logins.schema())?;
        response.result = Some(Content::ResultSet(set));
    }
    Ok(response)
}
