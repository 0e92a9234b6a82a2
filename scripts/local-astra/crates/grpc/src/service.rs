//! The four calls, with their token, deadline and streams.

use std::pin::Pin;
use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status, Streaming};

use super::deadline::Deadline;
use super::error::GrpcError;
use super::proto::stargate::stargate_server::Stargate;
use super::proto::stargate::streaming_response::Message;
use super::proto::stargate::{self as proto, Batch, Query, StreamingResponse};
use super::{batch, query};
use access::Logins;

/// Maximum number of messages of one stream that run concurrently. The client holds back the others.
const STREAM_WIDTH: usize = 64;

const TOKEN: &str = "x-cassandra-token";

/// `stargate.Stargate`.
pub struct Service {
    logins: Logins,
}

impl Service {
    pub fn new(logins: Logins) -> Service {
        Service { logins }
    }

    /// Runs one statement or batch for its caller, within the deadline.
    async fn unary<M, R>(
        &self,
        request: Request<M>,
        run: impl AsyncFnOnce(&Logins, &str, M) -> Result<R, GrpcError>,
    ) -> Result<Response<R>, Status> {
        let deadline = Deadline::of(request.metadata());
        let token = token(request.metadata())?;
        let response = run(&self.logins, &token, request.into_inner());
        Ok(Response::new(deadline.wait(response).await??))
    }

    /// Runs the messages of a stream as they arrive, and responds to each when it is done, also with an error. The
    /// stream ends only for an invalid token, the deadline, or a broken request.
    async fn stream<M, F>(
        &self,
        request: Request<Streaming<M>>,
        run: impl Fn(Logins, Arc<str>, M) -> F + Send + 'static,
    ) -> Result<Response<Answers>, Status>
    where
        M: Send + 'static,
        F: Future<Output = Result<proto::Response, GrpcError>> + Send + 'static,
    {
        let deadline = Deadline::of(request.metadata());
        let token = token(request.metadata())?;
        deadline
            .wait(self.logins.session(&token))
            .await?
            .map_err(GrpcError::from)?;
        let logins = self.logins.clone();
        let responses = request.into_inner().map(move |message| {
            let response = message.map(|message| run(logins.clone(), Arc::clone(&token), message));
            async move {
                let message = match response?.await {
                    Ok(response) => Message::Response(response),
                    Err(error) if error.code() == Code::Unauthenticated => return Err(error.into()),
                    Err(error) => Message::Status(error.into_stream_status()),
                };
                Ok(StreamingResponse {
                    message: Some(message),
                })
            }
        });
        let responses = Box::pin(responses.buffer_unordered(STREAM_WIDTH));
        Ok(Response::new(Box::pin(in_time(responses, deadline))))
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<StreamingResponse, Status>> + Send>>;

/// Ends a stream with DEADLINE_EXCEEDED after the deadline.
fn in_time(
    responses: impl Stream<Item = Result<StreamingResponse, Status>> + Unpin + Send + 'static,
    deadline: Deadline,
) -> impl Stream<Item = Result<StreamingResponse, Status>> + Send {
    stream::unfold(Some(responses), move |responses| async move {
        let mut responses = responses?;
        match deadline.wait(responses.next()).await {
            Ok(Some(response)) => Some((response, Some(responses))),
            Ok(None) => None,
            Err(late) => Some((Err(late), None)),
        }
    })
}

/// The token of a call.
fn token(metadata: &MetadataMap) -> Result<Arc<str>, Status> {
    let token = metadata
        .get(TOKEN)
        .ok_or_else(|| Status::unauthenticated("No token provided"))?
        .to_str()
        .unwrap_or_default();
    Ok(Arc::from(token))
}

#[tonic::async_trait]
impl Stargate for Service {
    async fn execute_query(
        &self,
        request: Request<Query>,
    ) -> Result<Response<proto::Response>, Status> {
        self.unary(request, query::run).await
    }

    async fn execute_batch(
        &self,
        request: Request<Batch>,
    ) -> Result<Response<proto::Response>, Status> {
        self.unary(request, batch::run).await
    }

    type ExecuteQueryStreamStream = Answers;

    async fn execute_query_stream(
        &self,
        request: Request<Streaming<Query>>,
    ) -> Result<Response<Answers>, Status> {
        self.stream(request, |logins, token, message| async move {
            query::run(&logins, &token, message).await
        })
        .await
    }

    type ExecuteBatchStreamStream = Answers;

    async fn execute_batch_stream(
        &self,
        request: Request<Streaming<Batch>>,
    ) -> Result<Response<Answers>, Status> {
        self.stream(request, |logins, token, message| async move {
            batch::run(&logins, &token, message).await
        })
        .await
    }
}
