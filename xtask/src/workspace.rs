//! Where the workspace is and what it consists of.

mod registry;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
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

/// Contracts that are not ours and that contracts may import. They come inside crates
/// that the lock file pins by version and checksum, so that the generator needs neither
/// the network nor a copy in this repository.
struct Carried {
    /// The crate.
    carrier: &'static str,
    /// Where in the crate they begin.
    directory: &'static str,
    /// The files, by their names as imports.
    files: &'static [&'static str],
}

const CARRIED: [Carried; 2] = [
    Carried {
        carrier: "temporalio-protos",
        directory: "protos/api_upstream",
        files: &["google/api/annotations.proto", "google/api/http.proto"],
    },
    // Never compiled: xtask/Cargo.toml names it for a target that does not exist.
    Carried {
        carrier: "prost-protovalidate-types",
        directory: "proto",
        files: &["buf/validate/validate.proto"],
    },
];

/// Where imports are looked for beside the contracts themselves.
pub fn includes() -> Result<Vec<PathBuf>> {
    if let Some(found) = CARRIED.iter().map(Carried::locked).collect() {
        return Ok(found);
    }
    let metadata = metadata()?;
    CARRIED.iter().map(|carried| carried.find(&metadata)).collect()
}

/// The files in them that contracts may import: where each is, and its name as an import.
pub fn imports() -> Result<Vec<(PathBuf, &'static str)>> {
    let directories = includes()?;
    let files = CARRIED.iter().zip(directories).flat_map(|(carried, directory)| {
        carried.files.iter().map(move |name| (directory.join(name), *name))
    });
    Ok(files.collect())
}

impl Carried {
    /// Where it is by the lock file alone; nothing when that does not tell.
    fn locked(&self) -> Option<PathBuf> {
        let found = registry::source(&root(), self.carrier)?.join(self.directory);
        self.files.iter().all(|file| found.join(file).is_file()).then_some(found)
    }

    fn find(&self, metadata: &Value) -> Result<PathBuf> {
        let Self { carrier, directory, files } = self;
        let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let package = packages.iter().find(|package| package["name"] == *carrier);
        let manifest = package.and_then(|package| package["manifest_path"].as_str());
        let found = manifest.and_then(|manifest| Path::new(manifest).parent());
        match found.map(|found| found.join(directory)) {
            Some(found) if files.iter().all(|file| found.join(file).is_file()) => Ok(found),
            _ => bail!(
                "{} was not found in crate {carrier}, which carries it: run `cargo fetch`, and if \
                 a new version of the crate has moved it, change `CARRIED` in \
                 xtask/src/workspace.rs",
                files.join(" and ")
            ),
        }
    }
}
