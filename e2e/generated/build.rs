//! Generates the crates of `contracts/` into the build's own directory.

#![allow(clippy::expect_used, reason = "a build that cannot go on says why and ends")]

use std::env;
use std::path::{Path, PathBuf};

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
    for file in codegen::emit::emit(&model, &contracts) {
        write(&output.join(&file.path), &file.contents);
    }
}

fn write(path: &Path, contents: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("it lies in a directory")).expect("writable");
    std::fs::write(path, contents).expect("writable");
    if path.ends_with("lib.rs") {
        // What is included into a module cannot begin with what speaks of a crate.
        let text = String::from_utf8_lossy(contents);
        let lines =
            text.lines().filter(|line| !line.starts_with("//!") && !line.starts_with("#!["));
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        std::fs::write(path.with_file_name("included.rs"), text).expect("writable");
    }
}
