//! What `build.rs` made of the files in `proto`: a client for the service, and a struct for each message.

#![allow(dead_code, reason = "the API has more than this sample needs")]

include!(concat!(env!("OUT_DIR"), "/api.rs"));

pub use stargate::stargate_client::StargateClient;
pub use stargate::*;
