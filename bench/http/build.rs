//! Generates the contract for every gateway that is measured.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo names it"));
    let output = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo names it"));
    println!("cargo::rerun-if-changed={}", here.join("contracts").display());
    let includes = bench_contracts::includes();
    ours(&here.join("contracts"), &includes, &output);
    theirs(&here.join("contracts"), &includes, &output);
}

fn ours(contracts: &Path, includes: &[PathBuf], output: &Path) {
    let contracts =
        codegen::load::load(contracts, includes).unwrap_or_else(|error| panic!("{error}"));
    let model = codegen::lower::lower(&contracts).unwrap_or_else(|error| panic!("{error}"));
    let files = codegen::emit::emit(&model, &contracts);
    codegen::write::for_build_script(output, &files).expect("writable");
}

fn theirs(contracts: &Path, includes: &[PathBuf], output: &Path) {
    let roots = std::iter::once(contracts.to_owned()).chain(includes.iter().cloned());
    let compiler = bench_contracts::compile(roots, &["bench/v1/bench.proto"]);
    let descriptors = compiler.encode_file_descriptor_set();
    let output = output.join("theirs");
    std::fs::create_dir_all(&output).expect("writable");
    prost_build::Config::new()
        .out_dir(&output)
        .compile_fds(compiler.file_descriptor_set())
        .expect("messages");
    pbjson_build::Builder::new()
        .register_descriptors(&descriptors)
        .expect("descriptors")
        .out_dir(&output)
        .build(&[".bench"])
        .expect("JSON");
    let options = rest_over_grpc::build::DescriptorOptions::new().package(".bench.v1");
    let services = rest_over_grpc::build::ServiceDefinition::from_fds(&descriptors, &options)
        .expect("annotations");
    rest_over_grpc::build::Generator::builder()
        .emit_tonic_bridge(false)
        .build()
        .add_all(services)
        .write(&output)
        .expect("routes");
}
