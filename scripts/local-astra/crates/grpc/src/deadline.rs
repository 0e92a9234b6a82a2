//! Deadline of the client: the header `grpc-timeout`.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Status;
use tonic::metadata::MetadataMap;

/// The time until which the client waits for the response.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Returns the client's deadline, counted from now. `None` if the header is missing or malformed.
    pub fn of(metadata: &MetadataMap) -> Deadline {
        let timeout = metadata.get("grpc-timeout").and_then(|v| v.to_str().ok());
        Deadline(timeout.and_then(parse).map(|wait| Instant::now() + wait))
    }

    /// Waits for a response until the deadline.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED.
    pub async fn wait<T>(self, response: impl Future<Output = T>) -> Result<T, Status> {
        let Some(deadline) = self.0 else {
            return Ok(response.await);
        };
        tokio::time::timeout_at(deadline, response)
            .await
            .map_err(|_| Status::deadline_exceeded("the client's deadline has passed"))
    }
}

/// Parses at most eight digits and a unit (gRPC over HTTP/2, "Timeout").
fn parse(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if number.is_empty() || number.len() > 8 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_digits_and_a_unit() {
        assert_eq!(parse("5S"), Some(Duration::from_secs(5)));
        assert_eq!(
            parse("99999999H"),
            Some(Duration::from_secs(359_999_996_400))
        );
        assert_eq!(parse("4999968u"), Some(Duration::from_micros(4_999_968)));
        for text in ["", "S", "5", "5s", "+5S", "-1S", "123456789n", "5 S", "5é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn an_answer_after_the_deadline_is_not_waited_for() {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-timeout", "1m".parse().unwrap());
        let late = Deadline::of(&metadata).wait(std::future::pending::<()>());
        assert_eq!(
            late.await.unwrap_err().code(),
            tonic::Code::DeadlineExceeded
        );
        let soon = Deadline::of(&MetadataMap::new()).wait(async { 1 });
        assert_eq!(soon.await.unwrap(), 1);
    }
}
