//! Options of a call in addition to the statement, with Stargate's defaults.

use scylla::statement::{Consistency, SerialConsistency};
use tonic::Code;

use super::error::GrpcError;
use super::proto::stargate::{self as proto, BatchParameters, ConsistencyValue, QueryParameters};

const PAGE_SIZE: i32 = 100;

/// The options of a query or a batch. A batch has no paging.
#[derive(Debug)]
pub struct QueryOptions {
    pub consistency: Consistency,
    pub serial_consistency: Serial,
    /// Microseconds since 1970.
    pub timestamp: Option<i64>,
    pub page_size: i32,
    pub paging_state: Option<Vec<u8>>,
    /// Consistency level for reading the trace, if one is requested.
    pub tracing: Option<Consistency>,
    pub skip_metadata: bool,
}

/// The consistency of a condition (`IF`). Invalid levels are only rejected if there is a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serial {
    Of(SerialConsistency),
    Unfit,
}

impl QueryOptions {
    /// # Errors
    /// UNKNOWN for a page size below 1 or a level without a name, UNIMPLEMENTED for `now_in_seconds`.
    pub fn of_query(given: &QueryParameters) -> Result<QueryOptions, GrpcError> {
        let page_size = given.page_size.unwrap_or(PAGE_SIZE);
        if page_size < 1 {
            return Err(GrpcError::Refused(
                Code::Unknown,
                format!("Invalid page size {page_size}: must be strictly positive"),
            ));
        }
        no_clock(given.now_in_seconds)?;
        Ok(QueryOptions {
            consistency: level(given.consistency, Consistency::LocalQuorum)?,
            serial_consistency: serial(given.serial_consistency)?,
            timestamp: given.timestamp,
            page_size,
            paging_state: given.paging_state.clone(),
            tracing: tracing(given.tracing, given.tracing_consistency)?,
            skip_metadata: given.skip_metadata,
        })
    }

    /// # Errors
    /// As for [`QueryOptions::of_query`].
    pub fn of_batch(given: &BatchParameters) -> Result<QueryOptions, GrpcError> {
        no_clock(given.now_in_seconds)?;
        Ok(QueryOptions {
            consistency: level(given.consistency, Consistency::LocalQuorum)?,
            serial_consistency: serial(given.serial_consistency)?,
            timestamp: given.timestamp,
            page_size: PAGE_SIZE,
            paging_state: None,
            tracing: tracing(given.tracing, given.tracing_consistency)?,
            skip_metadata: given.skip_metadata,
        })
    }
}

fn no_clock(now_in_seconds: Option<i32>) -> Result<(), GrpcError> {
    match now_in_seconds {
        None => Ok(()),
        Some(_) => Err(GrpcError::Refused(
            Code::Unimplemented,
            "Local Astra does not serve now_in_seconds: it speaks native protocol 4 with Cassandra, which \
             cannot carry it"
                .to_owned(),
        )),
    }
}

fn tracing(
    wanted: bool,
    level_of: Option<ConsistencyValue>,
) -> Result<Option<Consistency>, GrpcError> {
    wanted
        .then(|| level(level_of, Consistency::One))
        .transpose()
}

/// Returns a consistency level. An empty value means ANY, not the default.
fn level(given: Option<ConsistencyValue>, default: Consistency) -> Result<Consistency, GrpcError> {
    let Some(given) = given else {
        return Ok(default);
    };
    Ok(match named(given)? {
        proto::Consistency::Any => Consistency::Any,
        proto::Consistency::One => Consistency::One,
        proto::Consistency::Two => Consistency::Two,
        proto::Consistency::Three => Consistency::Three,
        proto::Consistency::Quorum => Consistency::Quorum,
        proto::Consistency::All => Consistency::All,
        proto::Consistency::LocalQuorum => Consistency::LocalQuorum,
        proto::Consistency::EachQuorum => Consistency::EachQuorum,
        proto::Consistency::Serial => Consistency::Serial,
        proto::Consistency::LocalSerial => Consistency::LocalSerial,
        proto::Consistency::LocalOne => Consistency::LocalOne,
    })
}

fn serial(given: Option<ConsistencyValue>) -> Result<Serial, GrpcError> {
    let Some(given) = given else {
        return Ok(Serial::Of(SerialConsistency::Serial));
    };
    Ok(match named(given)? {
        proto::Consistency::Serial => Serial::Of(SerialConsistency::Serial),
        proto::Consistency::LocalSerial => Serial::Of(SerialConsistency::LocalSerial),
        _ => Serial::Unfit,
    })
}

/// Converts a number to a level. An unknown one causes an exception on a real Stargate, and therefore UNKNOWN.
fn named(given: ConsistencyValue) -> Result<proto::Consistency, GrpcError> {
    proto::Consistency::try_from(given.value).map_err(|_| {
        GrpcError::Refused(
            Code::Unknown,
            format!("there is no consistency level {}", given.value),
        )
    })
}
