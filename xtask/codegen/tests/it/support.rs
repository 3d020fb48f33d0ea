//! Contracts for tests, and where the imports that they need are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use codegen::load::Contracts;
use codegen::{Diagnostics, File};

/// The contracts that the snapshots are made of.
pub fn acme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts")
}

/// Where `treaty/v1`, `google/api` and `buf/validate` are.
pub fn includes() -> &'static [PathBuf] {
    static INCLUDES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    INCLUDES.get_or_init(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let carried =
            [("temporalio-protos", "protos/api_upstream"), ("prost-protovalidate-types", "proto")];
        let carried = carried.map(|(carrier, directory)| in_crate(carrier).join(directory));
        std::iter::once(workspace.join("contracts")).chain(carried).collect()
    })
}

/// The directory of a crate, pinned by the lock file, that carries contracts.
fn in_crate(name: &str) -> PathBuf {
    static METADATA: OnceLock<serde_json::Value> = OnceLock::new();
    let metadata = METADATA.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    });
    let packages = metadata["packages"].as_array().unwrap();
    let carrier = packages.iter().find(|package| package["name"] == name).unwrap();
    let manifest = Path::new(carrier["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().to_owned()
}

/// Loads a directory of contracts.
pub fn load(directory: &Path) -> Result<Contracts, Diagnostics> {
    codegen::load::load(directory, includes())
}

/// From contracts to files, in memory.
pub fn generate(contracts: &Contracts) -> Result<Vec<File>, Diagnostics> {
    let model = codegen::lower::lower(contracts)?;
    Ok(codegen::emit::emit(&model, contracts))
}

/// Every file that the contracts of the snapshots give.
pub fn acme_files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| generate(&load(&acme()).unwrap()).unwrap())
}
