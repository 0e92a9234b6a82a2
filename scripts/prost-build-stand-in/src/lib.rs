//! A stand-in for `prost-build` 0.13 that lets the `pulsar` crate build without `protoc`: the one function that its build
//! script calls.
//!
//! The `[patch]` in the workspace's manifest puts it in place.

use std::{io, path::Path};

/// Compiles `.proto` files, looked for in the folders `includes`, to Rust in cargo's `OUT_DIR`.
///
/// # Errors
///
/// The parser's message with file and line, or what writing to `OUT_DIR` met.
pub fn compile_protos(
    protos: &[impl AsRef<Path>],
    includes: &[impl AsRef<Path>],
) -> io::Result<()> {
    let files = protox::compile(protos, includes).map_err(io::Error::other)?;
    real::Config::new().compile_fds(files)
}
