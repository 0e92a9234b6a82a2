//! Compiles the gRPC API in `proto/`, in pure Rust: no `protoc` is needed.

use std::path::PathBuf;

use protox::prost::Message;

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["stargate.proto"], ["proto"])?;
    // Server reflection tells clients these descriptors.
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("stargate.bin"), files.encode_to_vec())?;
    Ok(tonic_prost_build::configure()
        .build_client(false)
        .compile_fds(files)?)
}
