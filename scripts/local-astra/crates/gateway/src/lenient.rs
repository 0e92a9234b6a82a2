//! Connections whose request lines may contain unencoded characters, as in the examples of DataStax's documentation:
//! `?where={"name":{"$eq":"Ida"}}`. Stargate's images disable the check. The HTTP library used here has no such option,
//! so this module encodes the characters before the library reads them.
//!
//! Only for HTTP/1: HTTP/2 compresses the address.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Characters that the HTTP library rejects in an address.
const REFUSED: &[u8] = b"\"<>`";
/// Size of a read, in bytes.
const READ: usize = 16 * 1024;
/// Longer first lines are passed through unchanged.
const LINE_LIMIT: usize = 64 * 1024;

/// A connection that encodes the request lines it reads.
pub struct Lenient<S> {
    stream: S,
    reader: Reader,
    /// Bytes that are ready but not consumed yet.
    ready: Vec<u8>,
    taken: usize,
}

impl<S> Lenient<S> {
    pub fn new(stream: S) -> Lenient<S> {
        Lenient {
            stream,
            reader: Reader::default(),
            ready: Vec::new(),
            taken: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lenient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.taken == this.ready.len() {
            if this.reader.state == State::Rest {
                return Pin::new(&mut this.stream).poll_read(context, buffer);
            }
            let mut bytes = [0; READ];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut read))?;
            this.ready.clear();
            this.taken = 0;
            if read.filled().is_empty() {
                // End of the stream: pass on an incomplete line unchanged.
                this.ready.append(&mut this.reader.line);
                this.reader.state = State::Rest;
                if this.ready.is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
            this.reader.read(read.filled(), &mut this.ready);
        }
        let rest = &this.ready[this.taken..];
        let length = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..length]);
        this.taken += length;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lenient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Finds the start of each request, which requires the lengths of the bodies.
#[derive(Default)]
struct Reader {
    state: State,
    /// The part of the current line that has arrived.
    line: Vec<u8>,
    length: u64,
    is_chunked: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    RequestLine,
    Header,
    Body(u64),
    ChunkSize,
    /// The chunk and the end of its line.
    Chunk(u64),
    Trailer,
    /// Everything that follows is passed through: HTTP/2, or a request that the library has to reject.
    Rest,
}

impl Reader {
    fn read(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Rest => {
                    out.extend(bytes);
                    return;
                }
                State::Body(left) => self.pass(bytes, left, State::Body, State::RequestLine, out),
                State::Chunk(left) => self.pass(bytes, left, State::Chunk, State::ChunkSize, out),
                _ => self.line(bytes, out),
            };
        }
    }

    /// Copies bytes of a body.
    fn pass<'a>(
        &mut self,
        bytes: &'a [u8],
        left: u64,
        same: fn(u64) -> State,
        next: State,
        out: &mut Vec<u8>,
    ) -> &'a [u8] {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let (passed, rest) = bytes.split_at(length);
        out.extend(passed);
        self.state = match left - passed.len() as u64 {
            0 => next,
            left => same(left),
        };
        rest
    }

    /// Reads to the end of the line, and returns the bytes after it.
    fn line<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.line.extend(bytes);
            if self.line.len() > LINE_LIMIT {
                out.append(&mut self.line);
                self.state = State::Rest;
            }
            return &[];
        };
        let (last, rest) = bytes.split_at(end + 1);
        let mut line = std::mem::take(&mut self.line);
        line.extend(last);
        let before = std::mem::replace(&mut self.state, State::Rest);
        self.state = self.after(before, &line);
        if before == State::RequestLine && self.state == State::Header {
            line = encoded(&line);
        }
        out.append(&mut line);
        rest
    }

    /// Returns the state after a complete line.
    fn after(&mut self, state: State, line: &[u8]) -> State {
        let text = line.trim_ascii();
        match state {
            // Clients may send empty lines between requests.
            State::RequestLine if text.is_empty() => State::RequestLine,
            State::RequestLine if !is_request(text) => State::Rest,
            State::RequestLine => {
                (self.length, self.is_chunked) = (0, false);
                State::Header
            }
            State::Header if text.is_empty() => match (self.is_chunked, self.length) {
                (true, _) => State::ChunkSize,
                (false, 0) => State::RequestLine,
                (false, length) => State::Body(length),
            },
            State::Header => self.header(text),
            State::ChunkSize => match chunk_size(text) {
                Some(0) => State::Trailer,
                Some(size) => State::Chunk(size + 2),
                None => State::Rest,
            },
            State::Trailer if text.is_empty() => State::RequestLine,
            state => state,
        }
    }

    fn header(&mut self, line: &[u8]) -> State {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next(), parts.next());
        let name = name.unwrap_or_default().to_ascii_lowercase();
        let value = String::from_utf8_lossy(value.unwrap_or_default());
        match name.as_slice() {
            b"content-length" => match value.trim().parse() {
                Ok(length) => self.length = length,
                Err(_) => return State::Rest,
            },
            b"transfer-encoding" => self.is_chunked = true,
            // Another protocol may follow.
            b"upgrade" => return State::Rest,
            _ => {}
        }
        State::Header
    }
}

fn is_request(line: &[u8]) -> bool {
    let version = line.rsplit(|byte| *byte == b' ').next();
    version.is_some_and(|version| version.starts_with(b"HTTP/1."))
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Encodes the characters of a request line that the HTTP library rejects.
fn encoded(line: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(line.len());
    for byte in line {
        if REFUSED.contains(byte) {
            encoded.extend(format!("%{byte:02X}").as_bytes());
        } else {
            encoded.push(*byte);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn read(sent: &str, step: usize) -> String {
        let mut reader = Reader::default();
        let mut out = Vec::new();
        for bytes in sent.as_bytes().chunks(step) {
            reader.read(bytes, &mut out);
        }
        out.append(&mut reader.line);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_request_lines_are_encoded() {
        let bait = "GET /\"<>` HTTP/1.1\r\n";
        let first = format!(
            "GET /x?where={{\"a\":\"<`>\"}} HTTP/1.1\r\nA: \"b\"\r\nContent-Length: {}\r\n\r\n{bait}",
            bait.len()
        );
        let second = format!(
            "\r\nPOST /\"y\" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{:x};a=\"b\"\r\n{bait}\r\n0\r\nT: \"u\"\r\n\r\n",
            bait.len()
        );
        let third = "GET /\"z\" HTTP/1.0\n\nGET /\"z\" HTTP/1.1\r\nUpgrade: \"h2c\"\r\n\r\nGET /\" HTTP/1.1\r\n";
        let sent = format!("{first}{second}{third}");
        let wanted = sent
            .replace(
                "/x?where={\"a\":\"<`>\"}",
                "/x?where={%22a%22:%22%3C%60%3E%22}",
            )
            .replace("/\"y\"", "/%22y%22")
            .replace("/\"z\"", "/%22z%22");
        for step in [1, 2, 7, sent.len()] {
            assert_eq!(read(&sent, step), wanted, "{step}");
        }
    }

    #[test]
    fn what_is_no_request_passes_as_it_is() {
        for sent in [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\"<>",
            "\u{0}\u{1}\"\n\"\n",
            "GET /\"\r\nGET /\" HTTP/1.1\r\n",
            "GET /x HTTP/1.1\r\nContent-Length: \"\r\n\r\nGET /\" HTTP/1.1\r\n",
            "GET /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\"\r\nGET /\" HTTP/1.1\r\n",
            "GET /\"unfinished",
        ] {
            assert_eq!(read(sent, 3), sent);
        }
    }

    #[tokio::test]
    async fn a_connection_is_read_to_its_end() {
        let (mut client, server) = duplex(1 << 20);
        let body = "\"".repeat(100_000);
        let sent = format!("POST /\" HTTP/1.1\r\nContent-Length: 100000\r\n\r\n{body}GET /\"");
        client.write_all(sent.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut read = String::new();
        let mut lenient = Lenient::new(server);
        lenient.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, sent.replacen("POST /\"", "POST /%22", 1));
        lenient.write_all(b"back").await.unwrap();
        let mut back = [0; 4];
        client.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"back");
    }
}
