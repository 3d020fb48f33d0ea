//! Passes on where the descriptors of the server's messages are, by which histories are read. They
//! are there when the feature `testing` is on.

fn main() {
    println!("cargo:rerun-if-env-changed=DEP_TEMPORALIO_PROTOS_DESCRIPTOR_PATH");
    if let Ok(path) = std::env::var("DEP_TEMPORALIO_PROTOS_DESCRIPTOR_PATH") {
        println!("cargo:rustc-env=TREATY_TEMPORAL_DESCRIPTORS={path}");
    }
}
