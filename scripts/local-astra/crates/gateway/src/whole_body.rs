//! Reads every request to its end, even if its interface has rejected it after the first bytes.
//!
//! Over HTTP/1.1 many clients read the response only after they have sent the whole request. If the server closes the
//! connection earlier, they report a broken pipe and never see the response.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::Version;
use futures::StreamExt;
use tokio::time::timeout;

/// Limits for reading the rest of a rejected body, in bytes and in time.
const REST_LIMIT: usize = 64 * 1024 * 1024;
const REST_TIME: Duration = Duration::from_secs(10);

/// Returns the request with a body that is read to its end after its interface has dropped it. HTTP/2 does not need
/// this, because a stream can end without its connection.
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
        // Outside a runtime there is no connection.
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
