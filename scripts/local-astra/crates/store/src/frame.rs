//! Frames of the CQL binary protocol v3 and v4 that a login needs (Cassandra's `native_protocol_v4.spec`, 2 and 4).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Maximum size of a body before the login, in bytes.
const MAX_BODY: u32 = 64 * 1024;

pub const VERSION_4: u8 = 0x04;
const RESPONSE: u8 = 0x80;

pub const ERROR: u8 = 0x00;
pub const STARTUP: u8 = 0x01;
pub const READY: u8 = 0x02;
pub const AUTHENTICATE: u8 = 0x03;
pub const SUPPORTED: u8 = 0x06;
pub const REGISTER: u8 = 0x0B;
pub const EVENT: u8 = 0x0C;
pub const AUTH_RESPONSE: u8 = 0x0F;
pub const AUTH_SUCCESS: u8 = 0x10;

pub const PROTOCOL_ERROR: u32 = 0x000A;
pub const BAD_CREDENTIALS: u32 = 0x0100;

/// One frame. The first byte contains version and direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub version: u8,
    pub flags: u8,
    pub stream: [u8; 2],
    pub opcode: u8,
    pub body: Vec<u8>,
}

impl Frame {
    /// Reads one frame; `None` if the connection ends before it.
    ///
    /// # Errors
    /// The connection ends inside a frame, or the body is too large for a login.
    pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
        let mut version = [0];
        if from.read(&mut version).await? == 0 {
            return Ok(None);
        }
        let [version] = version;
        // Up to v2 the stream id had one byte.
        let mut rest = [0; 8];
        let rest = match version & !RESPONSE {
            0..=2 => &mut rest[1..],
            _ => &mut rest[..],
        };
        from.read_exact(rest).await?;
        let (flags, stream, rest) = match *rest {
            [flags, stream, ref rest @ ..] if rest.len() == 5 => (flags, [0, stream], rest),
            [flags, high, low, ref rest @ ..] => (flags, [high, low], rest),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        let (opcode, length) = match *rest {
            [opcode, a, b, c, d] => (opcode, u32::from_be_bytes([a, b, c, d])),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        let length = match version & !RESPONSE {
            _ if length <= MAX_BODY => length,
            3 | 4 => return Err(io::Error::other("a frame is too large for a login")),
            // Only its version counts: the bytes for the length may mean something else.
            _ => 0,
        };
        let mut body = Vec::new();
        let mut limited = from.take(u64::from(length));
        if limited.read_to_end(&mut body).await? < usize::try_from(length).unwrap_or(usize::MAX) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some(Frame {
            version,
            flags,
            stream,
            opcode,
            body,
        }))
    }

    /// Writes the frame and flushes.
    ///
    /// # Errors
    /// The connection fails.
    pub async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let length = u32::try_from(self.body.len()).map_err(io::Error::other)?;
        let [high, low] = self.stream;
        let mut bytes = vec![self.version, self.flags, high, low, self.opcode];
        bytes.extend(length.to_be_bytes());
        bytes.extend(&self.body);
        to.write_all(&bytes).await?;
        to.flush().await
    }

    /// Returns an ERROR in v4 as the response to this frame.
    pub fn error(&self, code: u32, message: &str) -> Frame {
        let mut body = code.to_be_bytes().to_vec();
        put_string(&mut body, message);
        Frame {
            version: RESPONSE | VERSION_4,
            flags: 0,
            stream: self.stream,
            opcode: ERROR,
            body,
        }
    }
}

/// Reads values from the start of a body. `None`: the body ends too early or is not text.
pub struct Body<'a>(pub &'a [u8]);

impl<'a> Body<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Reads a `[short]`.
    pub fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// Reads a `[string]`.
    pub fn string(&mut self) -> Option<&'a str> {
        let length = self.short()?;
        std::str::from_utf8(self.take(length.into())?).ok()
    }

    /// Reads `[bytes]` that are not null.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = i32::from_be_bytes(self.take(4)?.try_into().ok()?);
        self.take(usize::try_from(length).ok()?)
    }
}

/// Appends a `[short]`. Larger numbers are capped; no caller passes one.
pub fn put_short(body: &mut Vec<u8>, number: usize) {
    body.extend(u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes());
}

/// Appends a `[string]`, truncated to the maximum of its length field.
pub fn put_string(body: &mut Vec<u8>, text: &str) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    put_short(body, end);
    body.extend(&text.as_bytes()[..end]);
}
