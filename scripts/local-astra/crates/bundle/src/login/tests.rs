use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use settings::token::Credentials;

/// A role with a correct password that is not permitted to log in.
const FORBIDDEN: &str = "forbidden";

fn request(opcode: u8, body: &[u8]) -> Frame {
    Frame {
        version: frame::VERSION_4,
        flags: 0,
        stream: [1, 7],
        opcode,
        body: body.to_vec(),
    }
}

fn response(opcode: u8, body: &[u8]) -> Frame {
    Frame {
        version: 0x84,
        ..request(opcode, body)
    }
}

fn map(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    frame::put_short(&mut body, pairs.len());
    for (key, value) in pairs {
        frame::put_string(&mut body, key);
        frame::put_string(&mut body, value);
    }
    body
}

fn plain(user: &str, password: &str) -> Vec<u8> {
    let plain = format!("\0{user}\0{password}");
    let length = i32::try_from(plain.len()).unwrap();
    [&length.to_be_bytes(), plain.as_bytes()].concat()
}

/// Outcome of a login: its result, the frames that the node received, and those that the client received.
struct LoginOutcome {
    role: io::Result<Option<String>>,
    node: Vec<Frame>,
    client: Vec<Frame>,
}

async fn frames(mut from: DuplexStream) -> Vec<Frame> {
    let mut all = Vec::new();
    while let Ok(Some(frame)) = Frame::read(&mut from).await {
        all.push(frame);
    }
    all
}

/// Runs a login. The client sends `bytes` and disconnects; the node sends `responses`.
async fn run_login(bytes: &[u8], responses: &[Frame]) -> LoginOutcome {
    let (mut client, mut client_far) = duplex(1 << 20);
    let (mut node, mut node_far) = duplex(1 << 20);
    client.write_all(bytes).await.unwrap();
    client.shutdown().await.unwrap();
    for response in responses {
        response.write(&mut node).await.unwrap();
    }
    node.shutdown().await.unwrap();
    let permitted = |role: String| -> BoxFuture<'static, io::Result<bool>> {
        Box::pin(async move { Ok(role != FORBIDDEN) })
    };
    let role = login(&mut client_far, &mut node_far, permitted).await;
    drop((client_far, node_far));
    LoginOutcome {
        role,
        node: frames(node).await,
        client: frames(client).await,
    }
}

async fn bytes(frames: &[Frame]) -> Vec<u8> {
    let (mut near, mut far) = duplex(1 << 20);
    for frame in frames {
        frame.write(&mut near).await.unwrap();
    }
    drop(near);
    let mut bytes = Vec::new();
    far.read_to_end(&mut bytes).await.unwrap();
    bytes
}

fn error(frame: &Frame) -> (u32, &str) {
    assert_eq!((frame.version, frame.opcode), (0x84, frame::ERROR));
    let (code, rest) = frame.body.split_at(4);
    (
        u32::from_be_bytes(code.try_into().unwrap()),
        Body(rest).string().unwrap(),
    )
}

#[tokio::test]
async fn a_token_and_a_client_id_with_secret_become_the_same_role() {
    let credentials = Credentials::generate().unwrap();
    let token = Token::of(&credentials.client_id, &credentials.secret).unwrap();
    let wanted = plain(token.client_id(), token.password().expose_secret());
    for body in [
        plain("token", token.text().expose_secret()),
        plain(&credentials.client_id, credentials.secret.expose_secret()),
    ] {
        let startup = request(frame::STARTUP, &map(&[("CQL_VERSION", "3.0.0")]));
        let login = request(frame::AUTH_RESPONSE, &body);
        let responses = [response(0x03, &[]), response(frame::AUTH_SUCCESS, &[])];
        let outcome = run_login(&bytes(&[startup.clone(), login]).await, &responses).await;
        assert_eq!(outcome.role.unwrap().as_deref(), Some(token.client_id()));
        assert_eq!(
            outcome.node,
            [startup, request(frame::AUTH_RESPONSE, &wanted)]
        );
        assert_eq!(outcome.client, responses);
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_asking_cassandra() {
    let hash = "0".repeat(64);
    for (user, password) in [
        ("token", "AstraCS:short"),
        ("token", ""),
        ("token", &format!("astracs:id:{hash}")),
        ("cassandra'; --", "cassandra"),
        ("", ""),
    ] {
        let login = request(frame::AUTH_RESPONSE, &plain(user, password));
        let outcome = run_login(&bytes(&[login]).await, &[]).await;
        assert_eq!(outcome.role.unwrap(), None);
        assert_eq!(outcome.node, []);
        let message = format!("Provided username {user} and/or password are incorrect");
        assert_eq!(error(&outcome.client[0]), (0x0100, &*message));
        assert_eq!(outcome.client[0].stream, [1, 7]);
    }
}

#[tokio::test]
async fn cassandras_own_superuser_cannot_log_in_with_its_password() {
    let login = request(frame::AUTH_RESPONSE, &plain("cassandra", "cassandra"));
    let outcome = run_login(&bytes(&[login]).await, &[response(frame::ERROR, &[0; 6])]).await;
    // A matching secret would need this password as its hash.
    assert_ne!(outcome.node[0].body, plain("cassandra", "cassandra"));
    assert_eq!(outcome.role.unwrap(), None);
}

#[tokio::test]
async fn other_versions_are_told_to_step_down() {
    // The stream id has one byte up to v2, unless a client sends a later header with an early version.
    for (version, stream_bytes) in [
        (1, 1),
        (2, 1),
        (1, 2),
        (2, 2),
        (5, 2),
        (6, 2),
        (0x41, 2),
        (0x42, 2),
        (0x84, 2),
    ] {
        let mut options = bytes(&[request(0x05, &[])]).await;
        options[0] = version;
        if stream_bytes == 1 {
            options.remove(2);
        }
        let outcome = run_login(&options, &[]).await;
        assert_eq!(outcome.role.unwrap(), None);
        assert_eq!(outcome.node, []);
        let message = format!(
            "Invalid or unsupported protocol version ({}); supported versions are (3/v3, 4/v4)",
            version & 0x7F
        );
        assert_eq!(error(&outcome.client[0]), (0x000A, &*message));
        assert_eq!(outcome.client[0].stream, [0, 0]);
    }
}

#[tokio::test]
async fn supported_is_astras() {
    let mut body = Vec::new();
    frame::put_short(&mut body, 3);
    for (key, values) in [
        (
            "PROTOCOL_VERSIONS",
            &["3/v3", "4/v4", "5/v5", "6/v6-beta"][..],
        ),
        ("COMPRESSION", &["snappy", "lz4"]),
        ("CQL_VERSION", &["3.4.7"]),
    ] {
        frame::put_string(&mut body, key);
        frame::put_short(&mut body, values.len());
        values
            .iter()
            .for_each(|value| frame::put_string(&mut body, value));
    }
    let options = bytes(&[request(0x05, &[])]).await;
    let outcome = run_login(&options, &[response(frame::SUPPORTED, &body)]).await;
    assert_eq!(
        multimap(&outcome.client[0].body).unwrap(),
        [
            ("PROTOCOL_VERSIONS", vec!["3/v3", "4/v4"]),
            ("COMPRESSION", vec![]),
            ("CQL_VERSION", vec!["3.4.7"]),
            ("PRODUCT_TYPE", vec!["DATASTAX_APOLLO"]),
        ]
    );
}

#[tokio::test]
async fn compression_is_refused_and_the_login_may_go_on() {
    let lz4 = map(&[("CQL_VERSION", "3.0.0"), ("COMPRESSION", "lz4")]);
    let mut compressed = request(frame::STARTUP, &map(&[]));
    compressed.flags = COMPRESSED;
    let plain = request(frame::STARTUP, &map(&[("CQL_VERSION", "3.0.0")]));
    let sent = bytes(&[request(frame::STARTUP, &lz4), compressed, plain.clone()]).await;
    let outcome = run_login(&sent, &[response(0x03, b"x")]).await;
    assert_eq!(
        error(&outcome.client[0]),
        (0x000A, "Unknown compression algorithm: lz4")
    );
    assert_eq!(error(&outcome.client[1]).0, 0x000A);
    assert_eq!(outcome.client[2], response(0x03, b"x"));
    assert_eq!(outcome.node, [plain]);
}

#[tokio::test]
async fn strange_bytes_are_an_error_and_never_a_panic() {
    let mut huge = bytes(&[request(frame::STARTUP, &[])]).await;
    huge[5..].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(run_login(&huge, &[]).await.role.is_err());

    let valid = bytes(&[
        request(frame::STARTUP, &map(&[("CQL_VERSION", "3.0.0")])),
        request(frame::AUTH_RESPONSE, &plain("token", "x")),
    ])
    .await;
    for end in 0..valid.len() {
        let _ = run_login(&valid[..end], &[]).await;
        let mut changed = valid.clone();
        for value in [0, 1, 0x7F, 0xFF] {
            changed[end] = value;
            let _ = run_login(&changed, &[response(frame::SUPPORTED, &[0xFF; 9])]).await;
        }
    }
    let endless = bytes(&vec![request(0x0B, &[]); MAX_FRAMES + 1]).await;
    let refusals = vec![response(frame::ERROR, &[0; 6]); MAX_FRAMES + 1];
    assert!(run_login(&endless, &refusals).await.role.is_err());
}

#[tokio::test]
async fn a_role_without_the_right_is_refused_after_its_password_was_right() {
    let startup = request(frame::STARTUP, &map(&[("CQL_VERSION", "3.0.0")]));
    let login = request(frame::AUTH_RESPONSE, &plain(FORBIDDEN, "secret"));
    let responses = [response(0x03, &[]), response(frame::AUTH_SUCCESS, &[])];
    let outcome = run_login(&bytes(&[startup, login]).await, &responses).await;
    assert_eq!(outcome.role.unwrap(), None);
    let (code, message) = error(&outcome.client[1]);
    assert_eq!(code, frame::BAD_CREDENTIALS);
    assert!(message.contains("db-cql"), "{message}");
}
