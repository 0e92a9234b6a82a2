//! Readiness probes for a Cassandra node, for use with [`wait_until`](super::process::wait_until).

use std::{io::ErrorKind, net::SocketAddr, num::NonZeroUsize, time::Duration};

use scylla::client::{PoolSize, session::Session, session_builder::SessionBuilder};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::EngineError;

/// Limit for each step of a probe.
const LIMIT: Duration = Duration::from_secs(5);

/// Logs in and reads one row. This is the decisive probe, because a port may accept connections before the node is
/// ready.
///
/// The session has one connection, no schema metadata, and limits of a few seconds; 15 s in total.
pub async fn login(
    address: SocketAddr,
    user: &str,
    password: &SecretString,
) -> Result<Session, EngineError> {
    // Checked first, because the driver takes longer and logs more for a closed port.
    answers(address).await?;
    let failed = |why: String| EngineError::Login { address, why };
    let builder = SessionBuilder::new()
        .known_node_addr(address)
        .user(user, password.expose_secret())
        .fetch_schema_metadata(false)
        .pool_size(PoolSize::PerHost(NonZeroUsize::MIN))
        .disallow_shard_aware_port(true)
        .connection_timeout(LIMIT);
    let session = match timeout(LIMIT, builder.build()).await {
        Ok(session) => session.map_err(|error| failed(error.to_string()))?,
        Err(_) => {
            return Err(failed(format!("no login within {} s", LIMIT.as_secs())));
        }
    };
    match timeout(
        LIMIT,
        session.query_unpaged(
            "SELECT release_version FROM system.local WHERE key = 'local'",
            (),
        ),
    )
    .await
    {
        Ok(answer) => answer
            .map(|_| session)
            .map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed(format!("no answer within {} s", LIMIT.as_secs()))),
    }
}

/// Checks, without a login, that a CQL server responds at `address`. Takes at most 5 s.
///
/// See sections 2 and 4.1.3 of
/// <https://cassandra.apache.org/doc/latest/cassandra/_attachments/native_protocol_v4.html>.
pub async fn answers(address: SocketAddr) -> Result<(), EngineError> {
    const OPTIONS_REQUEST: [u8; 9] = [4, 0, 0, 0, 5, 0, 0, 0, 0];
    const SUPPORTED: u8 = 6;
    let ask = async {
        let mut stream = connect(address).await?;
        stream.write_all(&OPTIONS_REQUEST).await?;
        let mut header = [0; 9];
        stream.read_exact(&mut header).await?;
        std::io::Result::Ok(header[4])
    };
    let failed = |why: String| EngineError::Login { address, why };
    match timeout(LIMIT, ask).await {
        Ok(Ok(SUPPORTED)) => Ok(()),
        Ok(Ok(other)) => Err(failed(format!("answer {other:#04x} instead of SUPPORTED"))),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed(format!("no answer within {} s", LIMIT.as_secs()))),
    }
}

/// Connects to another process, never to itself.
///
/// A connection to a closed loopback port may be assigned that same port and connect to itself. No server can then
/// listen on the port for a minute, unless both sides allow address reuse.
async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    let stream = socket.connect(address).await?;
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Starts a server that responds to the first request with `answer`.
    async fn server(answer: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 9];
            stream.read_exact(&mut request).await.unwrap();
            assert_eq!(request, [4, 0, 0, 0, 5, 0, 0, 0, 0]);
            stream.write_all(answer).await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn only_a_server_for_cql_counts() {
        answers(server(&[0x84, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0]).await)
            .await
            .unwrap();
        let other = answers(server(b"HTTP/1.1 400 Bad Request").await)
            .await
            .unwrap_err();
        assert!(
            other.to_string().ends_with("instead of SUPPORTED"),
            "{other}"
        );
        assert!(answers(server(&[0x84]).await).await.is_err());
    }
}
