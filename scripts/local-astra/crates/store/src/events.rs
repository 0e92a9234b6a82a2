//! Schema events of Cassandra's nodes, which the driver does not expose.
//!
//! See `native_protocol_v4.spec`, 4.1.8 and 4.2.6. A node announces a change before it responds to the statement, so a
//! client that has the response finds the change announced here.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::frame;
use crate::frame::{Frame, put_short, put_string};

/// Limit for a node to accept the connection and the login.
const LOGIN_LIMIT: Duration = Duration::from_secs(5);
/// Pause before a lost connection is opened again.
const RECONNECT: Duration = Duration::from_secs(1);

/// A role and its password.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: SecretString,
}

/// Calls `changed` for each schema change that a node announces, and after each login, because earlier changes were
/// missed. Ends when `changed` returns false.
pub async fn follow(node: SocketAddr, login: Login, changed: impl Fn() -> bool) {
    while changed() {
        // A node that is down is found again later; until then the store polls the version.
        if let Ok(mut stream) = register(node, &login).await
            && !announced(&mut stream, &changed).await
        {
            return;
        }
        sleep(RECONNECT).await;
    }
}

/// Calls `changed` until the connection ends. Returns false if `changed` did.
async fn announced(stream: &mut TcpStream, changed: &impl Fn() -> bool) -> bool {
    // For changes before the registration.
    let mut is_wanted = changed();
    while is_wanted {
        match Frame::read(stream).await {
            Ok(Some(event)) if event.opcode == frame::EVENT => is_wanted = changed(),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return true,
        }
    }
    false
}

/// Opens a connection on which a node announces schema changes.
async fn register(node: SocketAddr, login: &Login) -> io::Result<TcpStream> {
    let registered = async {
        let mut stream = TcpStream::connect(node).await?;
        stream.set_nodelay(true)?;
        start(&mut stream, login).await?;
        Ok(stream)
    };
    timeout(LOGIN_LIMIT, registered).await?
}

async fn start(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    login: &Login,
) -> io::Result<()> {
    let mut options = Vec::new();
    put_short(&mut options, 1);
    put_string(&mut options, "CQL_VERSION");
    put_string(&mut options, "3.0.0");
    request(stream, frame::STARTUP, options, frame::AUTHENTICATE).await?;
    let plain = format!("\0{}\0{}", login.user, login.password.expose_secret());
    let length = u32::try_from(plain.len()).map_err(io::Error::other)?;
    let mut response = length.to_be_bytes().to_vec();
    response.extend(plain.as_bytes());
    request(stream, frame::AUTH_RESPONSE, response, frame::AUTH_SUCCESS).await?;
    let mut events = Vec::new();
    put_short(&mut events, 1);
    put_string(&mut events, "SCHEMA_CHANGE");
    request(stream, frame::REGISTER, events, frame::READY).await
}

/// Sends a request, and checks the kind of the response.
async fn request(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    opcode: u8,
    body: Vec<u8>,
    wanted: u8,
) -> io::Result<()> {
    let request = Frame {
        version: frame::VERSION_4,
        flags: 0,
        stream: [0, 0],
        opcode,
        body,
    };
    request.write(stream).await?;
    match Frame::read(stream).await? {
        Some(response) if response.opcode == wanted => Ok(()),
        Some(response) => Err(io::Error::other(format!(
            "Cassandra responds to {opcode:#04x} with {:#04x}",
            response.opcode
        ))),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;

    use super::*;

    async fn respond(client: &mut TcpStream, opcode: u8) -> Frame {
        let request = Frame::read(client).await.unwrap().unwrap();
        announce(client, opcode).await;
        request
    }

    async fn announce(client: &mut TcpStream, opcode: u8) {
        let frame = Frame {
            version: 0x80 | frame::VERSION_4,
            flags: 0,
            stream: [0, 0],
            opcode,
            body: Vec::new(),
        };
        frame.write(client).await.unwrap();
    }

    /// Accepts a connection and its login, as a node does.
    async fn accept(listener: &TcpListener) -> TcpStream {
        let (mut client, _) = listener.accept().await.unwrap();
        assert_eq!(
            respond(&mut client, frame::AUTHENTICATE).await.opcode,
            frame::STARTUP
        );
        let login = respond(&mut client, frame::AUTH_SUCCESS).await;
        assert_eq!(login.body, b"\0\0\0\x08\0me\0word");
        let register = respond(&mut client, frame::READY).await;
        assert_eq!(register.body, b"\0\x01\0\x0dSCHEMA_CHANGE");
        client
    }

    #[tokio::test]
    async fn each_event_is_reported_and_so_is_a_lost_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let node = listener.local_addr().unwrap();
        let login = Login {
            user: "me".to_owned(),
            password: SecretString::from("word"),
        };
        let (reported, mut reports) = tokio::sync::mpsc::unbounded_channel();
        let count = Arc::new(AtomicUsize::new(0));
        let followed = tokio::spawn(follow(node, login, move || {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            reported.send(number).unwrap();
            number < 6
        }));
        assert_eq!(reports.recv().await, Some(1));
        let mut client = accept(&listener).await;
        assert_eq!(reports.recv().await, Some(2));
        announce(&mut client, frame::EVENT).await;
        assert_eq!(reports.recv().await, Some(3));
        drop(client);
        assert_eq!(reports.recv().await, Some(4));
        let mut client = accept(&listener).await;
        assert_eq!(reports.recv().await, Some(5));
        announce(&mut client, frame::EVENT).await;
        assert_eq!(reports.recv().await, Some(6));
        followed.await.unwrap();
    }
}
