//! Creates the messages and the service from `proto/stargate.bin`, the compiled API.

use prost::Message;
use tonic_prost_build::FileDescriptorSet;

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=proto/stargate.bin");
    let files = std::fs::read("proto/stargate.bin")?;
    Ok(tonic_prost_build::configure()
        .build_client(false)
        .compile_fds(FileDescriptorSet::decode(files.as_slice())?)?)
}
