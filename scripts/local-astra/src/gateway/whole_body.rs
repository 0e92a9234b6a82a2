//! Reads a request to its end, also when its interface has refused it by the first bytes.
//!
//! Over HTTP/1.1 many clients read no answer before they have sent all. A connection that is closed under them
//! is a broken pipe to them, and the refusal is lost.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::Version;
use futures::StreamExt;
use tokio::time::timeout;

/// What is read of a refused body: at most this many bytes, for at most this long.
const REST_LIMIT: usize = 64 * 1024 * 1024;
const REST_TIME: Duration = Duration::from_secs(10);

/// The same request, whose body is read to its end after its interface has dropped it. HTTP/2 needs no such thing:
/// there a stream ends without its connection.
pub fn read_to_its_end(request: Request) -> Request {
    if request.version() == Version::HTTP_2 {
        return request;
    }
    request.map(|body| Body::new(WholeBody(Some(body))))
}

struct WholeBody(Option<Body>);

impl HttpBody for WholeBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for WholeBody {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        // Outside a runtime there is no connection either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(timeout(REST_TIME, discard(body)));
        }
    }
}

async fn discard(body: Body) {
    let mut read = 0;
    let mut chunks = body.into_data_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        read += chunk.len();
        if read > REST_LIMIT {
            return;
        }
    }
}
