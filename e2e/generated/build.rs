//! Generates the crates of `contracts/` into the build's own directory.

#![allow(clippy::expect_used, reason = "a build that cannot go on says why and ends")]

use std::env;
use std::path::PathBuf;

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo names it"));
    let output = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo names it"));
    let own = here.join("contracts");
    let vocabulary = here.join("../../contracts");
    for watched in [&own, &vocabulary] {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    let mut includes =
        codegen::carried::includes(&here.join("../..")).unwrap_or_else(|error| panic!("{error}"));
    includes.push(vocabulary);
    let contracts = codegen::load::load(&own, &includes).unwrap_or_else(|error| panic!("{error}"));
    let model = codegen::lower::lower(&contracts).unwrap_or_else(|error| panic!("{error}"));
    let files = codegen::emit::emit(&model, &contracts);
    codegen::write::for_build_script(&output, &files).expect("writable");
}
