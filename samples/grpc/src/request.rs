//! Sends a request. Waits while a hibernated database resumes; makes one readable message of any failure.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};
use shared::{ExposeSecret, SecretString};
use tonic::codegen::InterceptedService;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{Channel, ClientTlsConfig};
use tonic::{Code, Request, Status};

use crate::api::response::Result as Answer;
use crate::api::{Batch, Query, Response, ResultSet, StargateClient, Value, Values};

/// How long a connection, or an answer, may take.
const LIMIT: Duration = Duration::from_secs(30);

/// How long a hibernated database may take to resume, and how often we look.
const RESUME: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_secs(5);

/// A client whose every call carries the token and ends within 30 seconds.
pub type Client = StargateClient<InterceptedService<Channel, Token>>;

#[derive(Clone)]
pub struct Token {
    key: &'static str,
    token: MetadataValue<Ascii>,
}

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        metadata.insert(self.key, self.token.clone());
        request.set_timeout(LIMIT);
        Ok(request)
    }
}

/// Connects with TLS, which trusts whom the system trusts; with an http:// URL to a plain port, as a
/// self-hosted Stargate has. The token goes into the metadata `key`.
pub async fn connect(url: &str, key: &'static str, token: &SecretString) -> Result<Client> {
    let mut token: MetadataValue<Ascii> = token.expose_secret().parse()?;
    token.set_sensitive(true);
    let mut endpoint = Channel::from_shared(url.to_owned())?.connect_timeout(LIMIT);
    if url.starts_with("https:") {
        endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?;
    }
    // The handshakes have no limit of their own.
    let channel = tokio::time::timeout(LIMIT, endpoint.connect()).await;
    let cause = match channel {
        Ok(Ok(channel)) => {
            return Ok(Client::new(InterceptedService::new(
                channel,
                Token { key, token },
            )));
        }
        Ok(Err(error)) => innermost(&error).to_string(),
        Err(_) => format!("no answer within {} s", LIMIT.as_secs()),
    };
    Err(anyhow!(
        "{url} cannot be connected to: {cause}\n  \
         Look at ASTRA_DB_GRPC_URL, or ASTRA_DB_ID and ASTRA_DB_REGION, and at the network."
    ))
}

/// The server refused a call, or did not answer it.
#[derive(Debug)]
pub struct Refused {
    call: &'static str,
    pub code: Code,
    /// What the server said about it, or why it said nothing.
    pub said: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Refused { call, code, said } = self;
        write!(f, "{call} was refused: {code:?} ({code})\n  {said}")?;
        f.write_str(match code {
            Code::Unauthenticated => "\n  Look at ASTRA_DB_APPLICATION_TOKEN: is it of this database's organization?",
            Code::PermissionDenied => "\n  Look at ASTRA_DB_KEYSPACE: is it there? And at ASTRA_DB_APPLICATION_TOKEN: may its role do this?",
            Code::InvalidArgument => "\n  Look at ASTRA_DB_KEYSPACE: is it there?",
            Code::Unimplemented => "\n  Look at ASTRA_DB_GRPC_URL, or ASTRA_DB_ID and ASTRA_DB_REGION. If they are right, this database has\n  no Stargate API; README.md tells what takes its place.",
            Code::AlreadyExists | Code::FailedPrecondition | Code::ResourceExhausted => "",
            _ => "\n  Look at ASTRA_DB_GRPC_URL, or ASTRA_DB_ID and ASTRA_DB_REGION, and at the network: is it the gRPC API that answers?",
        })
    }
}

impl std::error::Error for Refused {}

/// Whether the server may have done it after all: it failed on the way, or its answer did not arrive.
pub fn may_be_done(error: &Error) -> bool {
    error.downcast_ref::<Refused>().is_none_or(|refused| {
        !matches!(
            refused.code,
            Code::AlreadyExists
                | Code::FailedPrecondition
                | Code::InvalidArgument
                | Code::PermissionDenied
                | Code::Unauthenticated
                | Code::Unimplemented
        )
    })
}

/// A statement, with a value for each of its markers.
pub fn query<const N: usize>(cql: impl Into<String>, values: [Value; N]) -> Query {
    Query {
        cql: cql.into(),
        values: Some(Values {
            values: values.into(),
            ..Values::default()
        }),
        parameters: None,
    }
}

/// Runs one statement. Where it answers no rows, the result is empty.
pub async fn execute(stargate: &Client, query: Query) -> Result<ResultSet> {
    let call = async || stargate.clone().execute_query(query.clone()).await;
    match exchange("ExecuteQuery", call).await?.result {
        Some(Answer::ResultSet(result)) => Ok(result),
        Some(Answer::SchemaChange(_)) | None => Ok(ResultSet::default()),
    }
}

/// Runs several statements as one.
pub async fn execute_batch(stargate: &Client, batch: Batch) -> Result<()> {
    let call = async || stargate.clone().execute_batch(batch.clone()).await;
    exchange("ExecuteBatch", call).await?;
    Ok(())
}

async fn exchange(
    name: &'static str,
    call: impl AsyncFn() -> Result<tonic::Response<Response>, Status>,
) -> Result<Response> {
    let start = Instant::now();
    loop {
        let status = match call().await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => status,
        };
        // Of an answer that is not gRPC tonic tells the HTTP status alone: 503 is a database that resumes.
        let resuming = status.message().contains("HTTP status code 503");
        if !resuming || start.elapsed() + PAUSE > RESUME {
            return Err(Refused {
                call: name,
                code: status.code(),
                said: said(&status),
            }
            .into());
        }
        eprintln!(
            "The database is resuming: {} s of at most {}",
            start.elapsed().as_secs(),
            RESUME.as_secs()
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// The cause that tells most.
fn innermost(error: &dyn std::error::Error) -> &dyn std::error::Error {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause
}

/// The server's message, or what kept it from coming: one line, not too long, and without a token should
/// there be one in it.
fn said(status: &Status) -> String {
    let cause = std::error::Error::source(status).map(|cause| innermost(cause).to_string());
    let text = cause.as_deref().unwrap_or(status.message());
    let words = text.split_whitespace();
    let words = words.map(|word| {
        if word.contains("AstraCS:") {
            "(a token)"
        } else {
            word
        }
    });
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None if line.is_empty() => "(it said nothing)".into(),
        None => line,
    }
}
