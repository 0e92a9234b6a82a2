//! Code shared by Stargate's HTTP services: reading requests, writing responses, and reporting errors of the bridge
//! behind them (recorded).
//!
//! - [`request`]: the token and its login, the query parameters, the body; [`text`]: texts as Java reads them
//! - [`response`]: responses; [`error`]: the errors that all services report alike
//! - [`message`]: the size limit of statements and of pages of rows

mod error;
mod message;
mod request;
pub mod response;
mod text;

pub use error::{BridgeError, error_body};
pub use message::{BatchSize, check_rows, check_statement};
pub use request::{BODY_LIMIT, Body, Caller, Parameters, first_json, require_token, token};
pub use text::{
    decoded, is_encoded, lossy, mark_lone_surrogates, with_lone_surrogates, without_lone_surrogates,
};

/// The scheme through which a client reached a door, for URLs in responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}
