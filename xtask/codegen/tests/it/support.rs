//! Contracts for tests, and where the imports that they need are.

use std::path::{Path, PathBuf};
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
        let carried = codegen::carried::includes(&workspace).unwrap();
        std::iter::once(workspace.join("contracts")).chain(carried).collect()
    })
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
