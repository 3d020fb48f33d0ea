//! Generates the api's messages for prost-build and pbjson-build. Ours are those of gen/.

use std::env;
use std::path::PathBuf;

const CONTRACTS: [&str; 2] =
    ["stravasync/activities/v1/activities.proto", "stravasync/athletes/v1/athletes.proto"];

fn main() {
    let output = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo names it"));
    let compiler = bench_contracts::compile(bench_contracts::includes(), &CONTRACTS);
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
