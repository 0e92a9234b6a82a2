//! Misbehaving servers for tests of the samples.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::sync::watch;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, Stream};

use crate::astra::{RUN_LIMIT, Running, block_on};

/// Returns a port that refuses connections.
pub fn refusing() -> u16 {
    listener().local_addr().unwrap().port()
}

/// Starts a server that accepts connections and never responds.
pub fn silent() -> u16 {
    let listener = listener();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let held: Vec<_> = listener.incoming().collect();
        drop(held);
    });
    port
}

/// Starts a server that responds to every request, over HTTP/1.1 or HTTP/2, with an HTML error page, like a gateway in
/// front of Astra.
pub fn broken() -> u16 {
    let page = format!(
        "<html><head><title>500 Internal Server Error</title></head><body>{}</body></html>",
        "<p>something went wrong</p>".repeat(500)
    );
    let app = Router::new().fallback(async move || {
        let html = [(CONTENT_TYPE, "text/html")];
        (StatusCode::INTERNAL_SERVER_ERROR, html, page.clone())
    });
    let listener = listener();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        block_on(async {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let (_never, stop) = watch::channel(false);
            gateway::serve(listener, None, app, stop).await;
        });
    });
    port
}

/// A response that is sent to every request.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    /// Header lines, each with its end.
    pub headers: &'static str,
    pub body: Vec<u8>,
    /// The body ends before its length is reached.
    pub is_cut: bool,
    /// The wait before each byte.
    pub pace: Duration,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            status,
            headers: "",
            body: body.into(),
            is_cut: false,
            pace: Duration::ZERO,
        }
    }

    /// The bytes of a response over HTTP/1.1.
    fn http1(&self) -> Vec<u8> {
        let length = self.body.len() + usize::from(self.is_cut);
        let head = format!(
            "HTTP/1.1 {} Any\r\n{}content-length: {length}\r\nconnection: close\r\n\r\n",
            self.status, self.headers
        );
        [head.as_bytes(), &self.body].concat()
    }

    /// The bytes of a response to the first request over HTTP/2, with the status alone.
    fn http2(&self) -> Vec<u8> {
        let status = self.status.to_string();
        let settings: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
        let accepted: &[u8] = &[0, 0, 0, 4, 1, 0, 0, 0, 0];
        let headers: &[u8] = &[0, 0, 5, 1, 5, 0, 0, 0, 1, 8, 3];
        [settings, accepted, headers, status.as_bytes()].concat()
    }

    fn send(&self, client: &mut TcpStream) {
        let mut request = [0; 65536];
        let Ok(read @ 1..) = client.read(&mut request) else {
            return;
        };
        let is_http2 = request[..read].starts_with(b"PRI ");
        let bytes = if is_http2 { self.http2() } else { self.http1() };
        if self.pace.is_zero() {
            let _ended = client.write_all(&bytes);
        }
        for byte in bytes.chunks(1).filter(|_| !self.pace.is_zero()) {
            thread::sleep(self.pace);
            if client.write_all(byte).is_err() {
                return;
            }
        }
        // What the client still sends is read, or it would lose the response.
        let _ended = client.shutdown(Shutdown::Write);
        while client.read(&mut request).is_ok_and(|read| read > 0) {}
    }
}

/// Sends one response to all requests.
pub fn replying(reply: Reply) -> u16 {
    serve(move |client| reply.send(client))
}

/// Sends one response to the first connections, and forwards all later ones.
pub fn replying_first(times: usize, reply: Reply, target: u16) -> u16 {
    let seen = AtomicUsize::new(0);
    serve(move |client| {
        if seen.fetch_add(1, Ordering::SeqCst) < times {
            return reply.send(client);
        }
        let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
            return;
        };
        let (Ok(mut back), Ok(mut answers)) = (client.try_clone(), server.try_clone()) else {
            return;
        };
        let answering = thread::spawn(move || {
            let _ended = std::io::copy(&mut answers, &mut back);
            let _ended = back.shutdown(Shutdown::Both);
        });
        let _ended = std::io::copy(client, &mut server);
        let _ended = server.shutdown(Shutdown::Both);
        answering.join().unwrap();
    })
}

/// The defect of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    UnknownAuthority,
    WrongName,
    Expired,
}

/// Starts a server whose certificate has one defect. Returns its port and the authority to trust, as PEM.
pub fn with_certificate(wrong: Certificate) -> (u16, String) {
    let authority = |name: &str| {
        let mut parameters = CertificateParams::new([]).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        (certificate, Issuer::new(parameters, key))
    };
    let (certificate, issuer) = authority("known");
    let issuer = match wrong {
        Certificate::UnknownAuthority => authority("unknown").1,
        _ => issuer,
    };
    let name = match wrong {
        Certificate::WrongName => "elsewhere.example",
        _ => "localhost",
    };
    let mut server = CertificateParams::new([name.to_owned()]).unwrap();
    let day = time::Duration::DAY;
    let now = time::OffsetDateTime::now_utc();
    server.not_before = now - day * 2;
    server.not_after = match wrong {
        Certificate::Expired => now - day,
        _ => now + day,
    };
    let key = KeyPair::generate().unwrap();
    let chain = server.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![chain.der().clone()], key)
        .unwrap();
    let tls = Arc::new(tls);
    let port = serve(move |client| {
        let mut connection = ServerConnection::new(Arc::clone(&tls)).unwrap();
        // It ends with the client's refusal.
        let _ended = connection.complete_io(client);
        let _ended = Stream::new(&mut connection, client).read(&mut [0; 1024]);
    });
    (port, certificate.pem())
}

/// Behavior of a proxy for the request that it does not forward, and for later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Closes its connection; later requests pass.
    Cut,
    /// Closes its connection, and those of all later requests.
    CutAll,
    /// Forwards it when the test calls [`Proxy::release`]; later requests pass.
    Hold,
    /// Never responds to it; later requests pass.
    Stall,
    /// Never responds to it, nor to any later request.
    StallAll,
    /// Responds with 500; later requests pass.
    Fail,
    /// Responds with 500 to it and all later requests.
    FailAll,
}

const FAILED: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\
    content-type: application/json\r\nconnection: close\r\n\r\nnull";

/// A proxy in front of a plain port.
pub struct Proxy {
    pub port: u16,
    seen: Arc<AtomicUsize>,
    released: watch::Sender<bool>,
}

impl Proxy {
    /// Forwards the held request.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// Returns the number of requests so far.
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// Waits for the request after `whole` others. Fails the test with the sample's output if the sample ends earlier,
    /// or hangs.
    pub fn wait_past(&self, whole: usize, mut running: Running) -> Running {
        let limit = Instant::now() + RUN_LIMIT;
        loop {
            let seen = self.seen();
            if seen > whole {
                return running;
            }
            let ended = running.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() > limit {
                panic!("it sent {seen} requests: {:#?}", running.kill());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Starts a proxy that forwards `whole` requests, but not the next.
pub fn failing(target: u16, whole: usize, then: Then) -> Proxy {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let released = watch::Sender::new(false);
    let release = released.subscribe();
    let port = serve(move |client| {
        let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
            return;
        };
        let (Ok(mut back), Ok(mut answers)) = (client.try_clone(), server.try_clone()) else {
            return;
        };
        let stalled = Arc::new(AtomicBool::new(false));
        let stays = Arc::clone(&stalled);
        let answering = thread::spawn(move || {
            // Either side may end first; both are cut then. But a server that gives up an idle connection does not
            // end a stall.
            let _ended = std::io::copy(&mut answers, &mut back);
            if !stays.load(Ordering::SeqCst) {
                let _ended = back.shutdown(Shutdown::Both);
            }
        });
        let mut bytes = [0; 65536];
        let mut heads = Heads::default();
        while let Ok(n @ 1..) = client.read(&mut bytes) {
            // The samples send one request at a time.
            if heads.begin_in(&bytes[..n]) {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let hit = match then {
                    Then::Cut | Then::Hold | Then::Stall | Then::Fail => number == whole,
                    Then::CutAll | Then::StallAll | Then::FailAll => number >= whole,
                };
                if hit && then == Then::Hold {
                    // The proxy is gone when its test has failed.
                    let _gone = block_on(release.clone().wait_for(|released| *released)).is_err();
                } else if hit {
                    match then {
                        Then::Hold | Then::Cut | Then::CutAll => (),
                        // Until the client gives up.
                        Then::Stall | Then::StallAll => {
                            stalled.store(true, Ordering::SeqCst);
                            while client.read(&mut bytes).is_ok_and(|n| n > 0) {}
                        }
                        Then::Fail | Then::FailAll => {
                            let _ended = client.write_all(FAILED);
                        }
                    }
                    break;
                }
            }
            if server.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        let _ended = server.shutdown(Shutdown::Both);
        let _ended = client.shutdown(Shutdown::Both);
        answering.join().unwrap();
    });
    Proxy {
        port,
        seen,
        released,
    }
}

/// Finds the start of each request in the bytes from a client.
#[derive(Default)]
struct Heads {
    /// Bytes of HTTP/2 that were sent but not parsed yet. Each request begins with a frame of its own.
    frames: Option<Vec<u8>>,
}

impl Heads {
    fn begin_in(&mut self, bytes: &[u8]) -> bool {
        const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        const HEADERS: u8 = 1;
        let Some(frames) = &mut self.frames else {
            if let Some(frames) = bytes.strip_prefix(HTTP2) {
                self.frames = Some(Vec::new());
                return self.begin_in(frames);
            }
            // A command of Pulsar's protocol begins with its size, of less than 16 MB; it comes in one piece.
            if bytes.starts_with(&[0]) {
                return true;
            }
            // The head of a request comes in one piece.
            return ["GET ", "POST ", "PUT ", "PATCH ", "DELETE ", "HEAD "]
                .iter()
                .any(|method| bytes.starts_with(method.as_bytes()));
        };
        frames.extend(bytes);
        let mut begins = false;
        while let [a, b, c, kind, ..] = frames[..] {
            let length = 9 + usize::from_be_bytes([0, 0, 0, 0, 0, a, b, c]);
            if frames.len() < length {
                break;
            }
            begins |= kind == HEADERS;
            frames.drain(..length);
        }
        begins
    }
}

fn serve(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = listener();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || answer(&mut stream));
        }
    });
    port
}

fn listener() -> TcpListener {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
}
