//! Contracts of others that contracts may import, and where they are found.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::cargo;

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

/// The message of Google's that the platform has a type for: where in this workspace, and
/// its name as an import. No crate carries it.
const BODY: (&str, &str) = ("platform/treaty-json/proto", "google/api/httpbody.proto");

/// Where it is, in a workspace that has the platform's sources.
fn body(workspace: &Path) -> Option<PathBuf> {
    let (directory, file) = BODY;
    let directory = workspace.join(directory);
    directory.join(file).is_file().then_some(directory)
}

/// Where imports are looked for beside the contracts themselves, for a workspace that has
/// the carriers in its lock file.
///
/// # Errors
/// Cargo has not fetched a carrier, or it no longer has what it carried.
pub fn includes(workspace: &Path) -> Result<Vec<PathBuf>> {
    let mut found = in_crates(workspace)?;
    found.extend(body(workspace));
    Ok(found)
}

fn in_crates(workspace: &Path) -> Result<Vec<PathBuf>> {
    if let Some(found) = CARRIED.iter().map(|carried| carried.locked(workspace)).collect() {
        return Ok(found);
    }
    let metadata = cargo::metadata(workspace)?;
    CARRIED.iter().map(|carried| carried.find(&metadata)).collect()
}

/// The files in them that contracts may import: where each is, and its name as an import.
///
/// # Errors
/// As of [`includes`].
pub fn imports(workspace: &Path) -> Result<Vec<(PathBuf, &'static str)>> {
    let directories = in_crates(workspace)?;
    let files = CARRIED.iter().zip(directories).flat_map(|(carried, directory)| {
        carried.files.iter().map(move |name| (directory.join(name), *name))
    });
    let body = body(workspace).map(|directory| (directory.join(BODY.1), BODY.1));
    Ok(files.chain(body).collect())
}

impl Carried {
    /// Where it is by the lock file alone; nothing when that does not tell.
    fn locked(&self, workspace: &Path) -> Option<PathBuf> {
        let found = cargo::source(workspace, self.carrier)?.join(self.directory);
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
                 xtask/codegen/src/carried.rs",
                files.join(" and ")
            ),
        }
    }
}
