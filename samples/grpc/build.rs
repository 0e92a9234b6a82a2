//! Compiles the API's description in `proto/` to Rust. `protox` is a compiler in Rust: no `protoc` is needed.

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["stargate.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .build_server(false)
        .include_file("api.rs")
        .compile_fds(files)?;
    Ok(())
}
