//! Generates the contract for every gateway that is measured.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo names it"));
    let output = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo names it"));
    println!("cargo::rerun-if-env-changed=TREATY_INCLUDES");
    println!("cargo::rerun-if-changed={}", here.join("contracts").display());
    let includes = env::var_os("TREATY_INCLUDES").expect("`cargo xtask bench http` sets it");
    let includes: Vec<_> = env::split_paths(&includes).collect();
    ours(&here.join("contracts"), &includes, &output);
    theirs(&here.join("contracts"), &includes, &output);
}

fn ours(contracts: &Path, includes: &[PathBuf], output: &Path) {
    let contracts =
        codegen::load::load(contracts, includes).unwrap_or_else(|error| panic!("{error}"));
    let model = codegen::lower::lower(&contracts).unwrap_or_else(|error| panic!("{error}"));
    for file in codegen::emit::emit(&model, &contracts) {
        let path = output.join(&file.path);
        std::fs::create_dir_all(path.parent().expect("it lies in a directory")).expect("writable");
        std::fs::write(&path, &file.contents).expect("writable");
        if path.ends_with("lib.rs") {
            // What is included into a module cannot begin with what speaks of a crate.
            let text = String::from_utf8_lossy(&file.contents).into_owned();
            let inner = |line: &&str| !line.starts_with("//!") && !line.starts_with("#![");
            let text: String = text.lines().filter(inner).flat_map(|line| [line, "\n"]).collect();
            std::fs::write(path.with_file_name("included.rs"), text).expect("writable");
        }
    }
}

fn theirs(contracts: &Path, includes: &[PathBuf], output: &Path) {
    let roots = std::iter::once(contracts.to_owned()).chain(includes.iter().cloned());
    let mut compiler = protox::Compiler::new(roots).expect("a compiler");
    compiler.include_imports(true);
    compiler.open_file("bench/v1/bench.proto").expect("the contract");
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
