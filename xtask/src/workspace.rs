//! Where the workspace is and what it consists of.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The root of the workspace that this command was built from.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// What Cargo knows about the workspace and its dependencies.
pub fn metadata() -> Result<Value> {
    let output = stack::cargo()
        .args(["metadata", "--format-version", "1"])
        .current_dir(root())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}

/// Where imports are looked for beside the contracts themselves.
pub fn includes() -> Result<Vec<PathBuf>> {
    Ok(vec![google_api_protos()?])
}

/// The directory that holds `google/api/{http,annotations}.proto`.
///
/// These contracts are Google's. They come inside a crate that the lock file pins
/// by version and checksum, so that the generator needs neither the network nor a
/// copy in this repository.
pub fn google_api_protos() -> Result<PathBuf> {
    const CARRIER: &str = "temporalio-protos";
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let carrier = packages.iter().find(|package| package["name"] == CARRIER);
    let manifest = carrier.and_then(|package| package["manifest_path"].as_str());
    let directory = manifest
        .and_then(|manifest| Path::new(manifest).parent())
        .map(|directory| directory.join("protos/api_upstream"));
    match directory {
        Some(directory) if directory.join("google/api/http.proto").is_file() => Ok(directory),
        _ => bail!(
            "google/api/http.proto was not found in crate {CARRIER}, which carries it: run \
             `cargo fetch`, and if a new version of the crate has moved it, change \
             `google_api_protos` in xtask/src/workspace.rs"
        ),
    }
}
