//! The one function of `prost-build` that the build script of the `pulsar` crate calls, without `protoc`.
//!
//! The `[patch]` in the workspace's manifest puts this crate in place of prost-build 0.13.

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
