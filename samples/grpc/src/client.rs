//! A gRPC client that sends the token with every call, and errors that say what to check.

use std::error::Error;
use std::time::Duration;

use anyhow::{Chain, Result, bail};
use tokio::time::{sleep, timeout};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, ClientTlsConfig};
use tonic::{Code, Request, Status};

use crate::stargate::{Response, stargate_client::StargateClient};

const URL: &str = "check ASTRA_DB_GRPC_URL, or ASTRA_DB_ID and ASTRA_DB_REGION";
const TOKEN: &str = "check ASTRA_DB_APPLICATION_TOKEN, its role and its age, and ASTRA_DB_KEYSPACE";
const REQUEST: &str = "check ASTRA_DB_KEYSPACE and the CQL";
const LIMIT: Duration = Duration::from_secs(30);

pub type Stargate = StargateClient<Channel>;
pub type Answer = Result<tonic::Response<Response>, Status>;

pub struct Client {
    stargate: Stargate,
    token: MetadataValue<Ascii>,
    url: String,
}

impl Client {
    /// Returns a client that connects with its first call, without TLS if the URL begins with `http:`.
    pub fn new(url: &str, token: &str) -> Result<Client> {
        let mut token: MetadataValue<Ascii> = token.parse()?;
        token.set_sensitive(true);
        let mut endpoint = Channel::from_shared(url.to_owned())?;
        if url.starts_with("https:") {
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?;
        }
        Ok(Client {
            stargate: Stargate::new(endpoint.connect_lazy()),
            token,
            url: url.to_owned(),
        })
    }

    /// Returns a request with the token and a deadline.
    pub fn request<T: Clone>(&self, message: &T) -> Request<T> {
        let mut request = Request::new(message.clone());
        let metadata = request.metadata_mut();
        metadata.insert("x-cassandra-token", self.token.clone());
        request.set_timeout(LIMIT);
        request
    }

    /// Makes a call and returns the response. Waits up to two minutes for a hibernated database.
    pub async fn send(&self, call: impl AsyncFn(Stargate) -> Answer) -> Result<Response> {
        let mut pauses = 0;
        loop {
            let late = Status::deadline_exceeded("no response within 30 s");
            let response = timeout(LIMIT, call(self.stargate.clone())).await;
            let status = match response.unwrap_or(Err(late)) {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) => status,
            };
            // The HTTP status of a response that is not gRPC: tonic has it in its text alone.
            let http = |number| status.message().split(' ').any(|word| word == number);
            let limit = if http("503") { 24 } else { http("429").into() };
            if pauses < limit {
                pauses += 1;
                eprintln!("{:?}, trying again in 5 s", status.code());
                sleep(Duration::from_secs(5)).await;
                continue;
            }
            let (code, url) = (status.code(), &self.url);
            let hint = match code {
                Code::Unauthenticated | Code::PermissionDenied => TOKEN,
                Code::Unimplemented => "check ASTRA_DB_GRPC_URL; a vector database has no gRPC API",
                Code::InvalidArgument | Code::FailedPrecondition => REQUEST,
                _ => URL,
            };
            let cause = status.source().and_then(|source| Chain::new(source).last());
            let text = cause.map_or(status.message().into(), |cause| cause.to_string());
            let text = shared::printable(&text);
            bail!("{code:?} from {url}; {hint}\n  {text}");
        }
    }
}
