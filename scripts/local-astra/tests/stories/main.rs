//! All stories: local Astra and the samples as their users run them. They are one test program, so that the binaries
//! are built once and all share one local Astra.
//!
//! - [`samples`]: the samples, their failures and what they leave
//! - [`pages`]: their pages; [`copies`]: copies of them, and projects made from their pages
//! - [`stand_in`]: local Astra itself
//! - [`astra`], [`http`], [`recorded`]: what the stories use

mod astra;
mod copies;
mod http;
mod pages;
#[path = "../exchanges/mod.rs"]
mod recorded;
mod samples;
mod stand_in;
