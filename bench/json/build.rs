//! Generates the api's messages for prost-build and pbjson-build. Ours are those of gen/.

use std::env;
use std::path::PathBuf;

const CONTRACTS: [&str; 2] =
    ["stravasync/activities/v1/activities.proto", "stravasync/athletes/v1/athletes.proto"];

fn main() {
    let output = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo names it"));
    println!("cargo::rerun-if-env-changed=TREATY_INCLUDES");
    let includes = env::var_os("TREATY_INCLUDES").expect("`cargo xtask bench json` sets it");
    let includes: Vec<_> = env::split_paths(&includes).collect();
    for directory in &includes {
        println!("cargo::rerun-if-changed={}", directory.display());
    }
    let mut compiler = protox::Compiler::new(includes).expect("a compiler");
    compiler.include_imports(true);
    for contract in CONTRACTS {
        compiler.open_file(contract).unwrap_or_else(|error| panic!("{error}"));
    }
    let descriptors = compiler.encode_file_descriptor_set();
    prost_build::Config::new()
        .out_dir(&output)
        .compile_well_known_types()
        .extern_path(".google.protobuf", "::pbjson_types")
        .compile_fds(compiler.file_descriptor_set())
        .expect("messages");
    pbjson_build::Builder::new()
        .register_descriptors(&descriptors)
        .expect("descriptors")
        .extern_path(".google.protobuf", "::pbjson_types")
        .out_dir(&output)
        .build(&[".stravasync"])
        .expect("JSON");
}
