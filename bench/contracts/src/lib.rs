//! Contracts for the build scripts of benchmarks.

use std::env;
use std::path::PathBuf;

use protox::Compiler;

/// Where contracts are looked up: `cargo xtask bench` names the directories.
pub fn includes() -> Vec<PathBuf> {
    println!("cargo::rerun-if-env-changed=TREATY_INCLUDES");
    let includes = env::var_os("TREATY_INCLUDES").expect("`cargo xtask bench` sets it");
    let includes: Vec<_> = env::split_paths(&includes).collect();
    for directory in &includes {
        println!("cargo::rerun-if-changed={}", directory.display());
    }
    includes
}

/// Compiles contracts with all that they import.
pub fn compile(includes: impl IntoIterator<Item = PathBuf>, contracts: &[&str]) -> Compiler {
    let mut compiler = Compiler::new(includes).expect("a compiler");
    compiler.include_imports(true);
    for contract in contracts {
        compiler.open_file(contract).unwrap_or_else(|error| panic!("{error}"));
    }
    compiler
}
