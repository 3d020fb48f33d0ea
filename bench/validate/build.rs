//! Generates the messages for prost-build and the two ways of prost-protovalidate. Ours are
//! those of gen/.

use std::env;
use std::path::PathBuf;

const CONTRACTS: [&str; 2] =
    ["stravasync/activities/v1/activities.proto", "stravasync/sync/v1/sync.proto"];

fn main() {
    let output = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo names it"));
    let compiler = bench_contracts::compile(bench_contracts::includes(), &CONTRACTS);
    let descriptors = compiler.encode_file_descriptor_set();
    std::fs::write(output.join("descriptors.binpb"), &descriptors).expect("writable");
    let pool = compiler.descriptor_pool();
    let mut messages = prost_build::Config::new();
    messages.out_dir(&output);
    for message in pool.all_messages() {
        let name = message.full_name();
        if name.starts_with("stravasync.") {
            messages.type_attribute(name, "#[derive(::prost_reflect::ReflectMessage)]");
            let reflect = format!(
                "#[prost_reflect(message_name = {name:?}, descriptor_pool = \"crate::theirs::POOL\")]"
            );
            messages.type_attribute(name, reflect);
        }
    }
    messages.compile_fds(compiler.file_descriptor_set()).expect("messages");
    prost_protovalidate_build::Builder::new()
        .file_descriptor_set_bytes(descriptors)
        // Not of interest: what is elsewhere gets no checks.
        .extern_path(".google.api", "::google_api")
        .out_dir(&output)
        .compile()
        .expect("checks");
}
