//! Traces of statements, from `system_traces`.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use scylla::deserialize::row::DeserializeRow;
use scylla::statement::{Consistency, Statement};
use scylla::value::{CqlTimestamp, CqlTimeuuid};
use uuid::Uuid;

use super::proto::stargate::Traces;
use super::proto::stargate::traces::Event;
use store::Session;

/// Pause before a trace is read again. Cassandra writes traces event by event after its response.
const WAIT: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(10);

/// Reads a trace once it is complete; any role can. `None` if that takes too long or fails, so that the response is
/// sent without its trace.
pub async fn read(session: &Session, id: Uuid, consistency: Consistency) -> Option<Traces> {
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        let cql = "SELECT duration, started_at FROM system_traces.sessions WHERE session_id = ?";
        let rows: Vec<(Option<i32>, Option<CqlTimestamp>)> =
            rows(session, cql, id, consistency).await?;
        if let Some((Some(duration), started_at)) = rows.first() {
            return Some(Traces {
                // A real Stargate leaves it empty.
                id: String::new(),
                duration: i64::from(*duration),
                started_at: started_at.map_or(-1, |at| at.0),
                events: events(session, id, consistency).await?,
            });
        }
        tokio::time::sleep(WAIT).await;
    }
    None
}

type EventRow = (
    CqlTimeuuid,
    Option<String>,
    Option<IpAddr>,
    Option<i32>,
    Option<String>,
);

async fn events(session: &Session, id: Uuid, consistency: Consistency) -> Option<Vec<Event>> {
    let cql = "SELECT event_id, activity, source, source_elapsed, thread \
               FROM system_traces.events WHERE session_id = ?";
    let rows: Vec<EventRow> = rows(session, cql, id, consistency).await?;
    let events = rows
        .into_iter()
        .map(|(event_id, activity, source, elapsed, thread)| Event {
            activity: activity.unwrap_or_default(),
            source: source.map(address).unwrap_or_default(),
            source_elapsed: elapsed.unwrap_or_default().into(),
            thread: thread.unwrap_or_default(),
            event_id: event_id.to_string(),
        })
        .collect();
    Some(events)
}

/// Reads all rows; `None` if they may be incomplete.
async fn rows<R>(session: &Session, cql: &str, id: Uuid, consistency: Consistency) -> Option<Vec<R>>
where
    R: for<'f, 'm> DeserializeRow<'f, 'm>,
{
    let mut statement = Statement::new(cql);
    statement.set_consistency(consistency);
    let result = session.query_unpaged(statement, (id,)).await.ok()?;
    let result = result.into_rows_result().ok()?;
    result.rows::<R>().ok()?.collect::<Result<_, _>>().ok()
}

/// Formats an address without a host name as Java does: with a slash, and IPv6 unabbreviated.
fn address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("/{address}"),
        IpAddr::V6(address) => {
            let groups = address.segments().map(|group| format!("{group:x}"));
            format!("/{}", groups.join(":"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_java_does() {
        assert_eq!(address("127.0.0.2".parse().unwrap()), "/127.0.0.2");
        assert_eq!(
            address("2001:db8::1".parse().unwrap()),
            "/2001:db8:0:0:0:0:0:1"
        );
    }
}
