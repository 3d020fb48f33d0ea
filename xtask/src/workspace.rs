//! Where the workspace is and what it consists of.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;

/// Names another workspace to work on than the one that this command was built from.
const OVERRIDE: &str = "TREATY_WORKSPACE";

/// The root of the workspace to work on: the one that this command was built from, unless the
/// environment names another.
pub fn root() -> PathBuf {
    if let Some(named) = std::env::var_os(OVERRIDE) {
        return PathBuf::from(named);
    }
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// What Cargo knows about the workspace and its dependencies.
pub fn metadata() -> Result<Value> {
    codegen::cargo::metadata(&root())
}

/// Where imports are looked for beside the contracts themselves.
pub fn includes() -> Result<Vec<PathBuf>> {
    codegen::carried::includes(&root())
}
