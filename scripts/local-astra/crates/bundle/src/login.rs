//! The start of a CQL connection as on Astra, in front of a Cassandra.
//!
//! Astra supports v3 and v4 without compression, and reports its product name. Its login is the user `token` with a
//! whole token as the password, or a client id with its secret. Cassandra's login is the role that both stand for.

use std::io;

use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};

use settings::token::Token;
use store::frame;
use store::frame::{Body, Frame};

/// Maximum number of frames before the login. Drivers send two or three.
const MAX_FRAMES: usize = 16;
const COMPRESSED: u8 = 0x01;
const PAYLOAD: u8 = 0x04;

/// Forwards a client's login to `node`, and returns the role that logged in. Afterwards both sides communicate
/// directly. `None`: the client disconnected, or received an error. `permitted` decides if a role with a correct
/// password can log in.
///
/// # Errors
/// A connection fails, or the client sends something other than a login.
pub async fn login(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    node: &mut (impl AsyncRead + AsyncWrite + Unpin),
    permitted: impl Fn(String) -> BoxFuture<'static, io::Result<bool>>,
) -> io::Result<Option<String>> {
    let mut role = None;
    for _ in 0..MAX_FRAMES {
        let Some(request) = Frame::read(client).await? else {
            return Ok(None);
        };
        if let Some(refusal) = refuse_version(&request) {
            // Respond and close, as Cassandra does.
            refusal.write(client).await?;
            return Ok(None);
        }
        let request = match translate(request, &mut role) {
            Ok(request) => request,
            Err(refusal) => {
                refusal.write(client).await?;
                continue;
            }
        };
        request.write(node).await?;
        let Some(mut response) = Frame::read(node).await? else {
            return Ok(None);
        };
        if response.opcode == frame::SUPPORTED {
            response.body = supported(&response.body)?;
        }
        if response.opcode == frame::AUTH_SUCCESS
            && let Some(role) = &role
            && !permitted(role.clone()).await?
        {
            let message = format!("The role of {role} does not allow db-cql on this database");
            let refusal = request.error(frame::BAD_CREDENTIALS, &message);
            refusal.write(client).await?;
            return Ok(None);
        }
        response.write(client).await?;
        match response.opcode {
            frame::AUTH_SUCCESS => return Ok(role),
            // This Cassandra requires no password.
            frame::READY => return Err(io::Error::other("the node asks for no login")),
            _ => {}
        }
    }
    Err(io::Error::other("too many frames before the login"))
}

/// Rejects an unsupported version. Drivers start with the highest version they know and downgrade because of this text.
fn refuse_version(request: &Frame) -> Option<Frame> {
    if matches!(request.version, 3 | 4) {
        return None;
    }
    let version = request.version & 0x7F;
    let message = format!(
        "Invalid or unsupported protocol version ({version}); supported versions are (3/v3, 4/v4)"
    );
    // On stream 0, as Cassandra: gocql ignores other responses about the version.
    let mut refusal = request.error(frame::PROTOCOL_ERROR, &message);
    refusal.stream = [0, 0];
    Some(refusal)
}

/// Returns the frame for Cassandra, or as an error the response to the client.
fn translate(mut request: Frame, role: &mut Option<String>) -> Result<Frame, Frame> {
    let protocol_error =
        |request: &Frame, message: &str| Err(request.error(frame::PROTOCOL_ERROR, message));
    if request.flags & (COMPRESSED | PAYLOAD) != 0 {
        return protocol_error(
            &request,
            "Frames before the login are neither compressed nor carry a payload",
        );
    }
    match request.opcode {
        frame::STARTUP => match compression(&request.body) {
            Some(None) => Ok(request),
            Some(Some(name)) => {
                protocol_error(&request, &format!("Unknown compression algorithm: {name}"))
            }
            None => protocol_error(&request, "STARTUP is no map of strings"),
        },
        frame::AUTH_RESPONSE => {
            let Some((user, password)) = credentials(&request.body) else {
                return protocol_error(&request, "AUTH_RESPONSE holds no user name and password");
            };
            let Some(token) = token(user, &password) else {
                // Cassandra's own words.
                let message = format!("Provided username {user} and/or password are incorrect");
                return Err(request.error(frame::BAD_CREDENTIALS, &message));
            };
            request.body = auth_response(&token);
            *role = Some(token.client_id().to_owned());
            Ok(request)
        }
        // OPTIONS. Cassandra itself rejects everything else.
        _ => Ok(request),
    }
}

/// The compression requested by a STARTUP; `None` if it is not a map of strings.
fn compression(startup: &[u8]) -> Option<Option<&str>> {
    let mut body = Body(startup);
    let mut compression = None;
    for _ in 0..body.short()? {
        let (key, value) = (body.string()?, body.string()?);
        if key.eq_ignore_ascii_case("COMPRESSION") {
            compression = Some(value);
        }
    }
    Some(compression)
}

/// User and password of SASL PLAIN: `[authzid] NUL user NUL password` (RFC 4616).
fn credentials(auth_response: &[u8]) -> Option<(&str, SecretString)> {
    let bytes = Body(auth_response).bytes()?;
    let mut parts = std::str::from_utf8(bytes).ok()?.split('\0');
    let (_, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    let complete = parts.next().is_none();
    complete.then(|| (user, SecretString::from(password)))
}

/// Returns the token of a login: the password itself, or the one composed of a client id and its secret.
fn token(user: &str, password: &SecretString) -> Option<Token> {
    match user {
        "token" => Token::parse(password.expose_secret()),
        client_id => Token::of(client_id, password),
    }
}

fn auth_response(token: &Token) -> Vec<u8> {
    let (role, password) = (token.client_id(), token.password().expose_secret());
    let plain = format!("\0{role}\0{password}");
    // A token has at most some hundred bytes.
    let length = i32::try_from(plain.len()).unwrap_or(i32::MAX);
    [&length.to_be_bytes(), plain.as_bytes()].concat()
}

/// Rewrites SUPPORTED to match Astra: v3 and v4, no compression (but its key, which the Python driver requires), and
/// the product, which makes drivers choose LOCAL_QUORUM.
fn supported(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut options = multimap(body).ok_or(io::ErrorKind::InvalidData)?;
    for (key, values) in &mut options {
        match *key {
            "PROTOCOL_VERSIONS" => {
                values.retain(|value| value.starts_with("3/") || value.starts_with("4/"));
            }
            "COMPRESSION" => values.clear(),
            _ => {}
        }
    }
    options.retain(|(key, _)| *key != "PRODUCT_TYPE");
    options.push(("PRODUCT_TYPE", vec!["DATASTAX_APOLLO"]));

    let mut body = Vec::new();
    frame::put_short(&mut body, options.len());
    for (key, values) in options {
        frame::put_string(&mut body, key);
        frame::put_short(&mut body, values.len());
        for value in values {
            frame::put_string(&mut body, value);
        }
    }
    Ok(body)
}

/// Reads a `[string multimap]`.
fn multimap(body: &[u8]) -> Option<Vec<(&str, Vec<&str>)>> {
    let mut body = Body(body);
    let mut options = Vec::new();
    for _ in 0..body.short()? {
        let key = body.string()?;
        let mut values = Vec::new();
        for _ in 0..body.short()? {
            values.push(body.string()?);
        }
        options.push((key, values));
    }
    Some(options)
}

#[cfg(test)]
mod tests;
