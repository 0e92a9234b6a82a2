use std::error::Error as StdError;
use std::io;
use std::iter::successors;
use std::path::PathBuf;

use tokio_rustls::rustls;

/// The reason why a secure connect bundle does not lead to its database.
///
/// A message is complete: it includes the cause and what to check. It shows no key, no password and nothing else of
/// the bundle's contents but the address of the metadata service. `source` therefore returns `None`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read, or the path leads to something other than a file.
    #[error("cannot read the secure connect bundle {}: {cause}", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// The system's reason.
        cause: io::Error,
    },

    /// The bytes are not a bundle, only part of one, or one of its files cannot be used.
    #[error("the secure connect bundle is not usable: {0}. Download it again, and leave it packed")]
    Invalid(String),

    /// The client certificate in the bundle has expired, or is not valid yet.
    #[error(
        "the secure connect bundle is not valid now: {0}. Download it again, or check the clock of this machine"
    )]
    Expired(String),

    /// There is no connection to a server, or it ended too early or took too long.
    #[error(
        "cannot reach {server}: {cause}. Check the network, and in the console that the database is not terminated"
    )]
    Unreachable {
        /// Kind, host and port of the server.
        server: String,
        /// The innermost cause.
        cause: String,
    },

    /// A server's certificate is not issued by the bundle's authority, or not for that server's host.
    #[error(
        "the secure connect bundle does not trust {server}: {cause}. Check that it is this database's, and that no \
         proxy is in between"
    )]
    Untrusted {
        /// Kind, host and port of the server.
        server: String,
        /// The innermost cause.
        cause: String,
    },

    /// A server does not accept the client certificate in the bundle.
    #[error("{server} rejects the secure connect bundle: {cause}. Download it again")]
    Rejected {
        /// Kind, host and port of the server.
        server: String,
        /// The innermost cause.
        cause: String,
    },

    /// The metadata service returned 401, as it does for a hibernated or terminated database.
    #[error(
        "the metadata service returned 401: the database is hibernated or terminated. Resume it in the console ({0})"
    )]
    NotActive(String),

    /// The metadata service returned another status, or something else than the addresses of a database.
    #[error("the metadata service returned {0}")]
    Metadata(String),

    /// The system does not allow another listener on 127.0.0.1.
    #[error("cannot listen on 127.0.0.1: {0}. Check the limit of open files")]
    Listen(io::Error),
}

impl Error {
    /// Sorts a failed connection to a server: by certificates, if TLS says so, or no connection at all.
    pub(crate) fn connection(server: String, error: &(dyn StdError + 'static)) -> Error {
        let tls = causes(error).find_map(|cause| cause.downcast_ref());
        // The innermost says most: "connection refused" rather than "error sending request".
        let cause = causes(error).last().map(ToString::to_string);
        let cause = cause.unwrap_or_default();
        match tls {
            Some(rustls::Error::InvalidCertificate(_)) => Error::Untrusted { server, cause },
            Some(rustls::Error::AlertReceived(_)) => Error::Rejected { server, cause },
            _ => Error::Unreachable { server, cause },
        }
    }
}

/// An error, the error that caused it, and so on.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>() {
            // Its `source` skips the error that it wraps.
            Some(error) => error.get_ref().map(|wrapped| wrapped as _),
            None => error.source(),
        }
    })
}
