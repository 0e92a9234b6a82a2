//! Compiles `proto/stargate.proto` to `proto/stargate.bin`, from which `build.rs` creates the code. Only a change of the
//! API needs this, so the compiler is no part of other builds:
//!
//! ```sh
//! cargo run --package local-astra-grpc --example descriptors
//! ```

use std::path::Path;

use protox::prost::Message;

fn main() -> anyhow::Result<()> {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let files = protox::compile(["stargate.proto"], [&proto])?;
    Ok(std::fs::write(
        proto.join("stargate.bin"),
        files.encode_to_vec(),
    )?)
}
