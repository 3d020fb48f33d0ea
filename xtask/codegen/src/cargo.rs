//! What Cargo knows: of a workspace, and where the source of a locked crate is.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// What Cargo knows about the workspace and its dependencies.
///
/// # Errors
/// Cargo does not run, or the workspace is not one.
pub fn metadata(workspace: &Path) -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1"])
        .current_dir(workspace)
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}

/// The directory of a crate's source, by the version in the lock file: what `cargo
/// metadata` says in a third of a second, most of what the generator takes. Nothing where
/// Cargo keeps sources elsewhere, or has not fetched this one.
pub fn source(root: &Path, name: &str) -> Option<PathBuf> {
    let lock: toml::Table = std::fs::read_to_string(root.join("Cargo.lock")).ok()?.parse().ok()?;
    let packages = lock.get("package")?.as_array()?;
    let text = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    let mut named =
        packages.iter().filter(|package| text(package, "name").as_deref() == Some(name));
    let package = named.next()?;
    let from_registry = text(package, "source").is_some_and(|from| from.starts_with("registry+"));
    if named.next().is_some() || !from_registry {
        return None;
    }
    let directory = format!("{name}-{}", text(package, "version")?);
    let mut registries: Vec<_> = std::fs::read_dir(home()?.join("registry/src"))
        .ok()?
        .flatten()
        .map(|registry| registry.path().join(&directory))
        .filter(|found| found.join("Cargo.toml").is_file())
        .collect();
    // One registry or several: the lock's checksum makes their copies the same.
    registries.sort();
    registries.into_iter().next()
}

/// Cargo's own directory (The Cargo Book, "Cargo Home").
fn home() -> Option<PathBuf> {
    let home = || {
        let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        std::env::var_os(variable).map(|home| PathBuf::from(home).join(".cargo"))
    };
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_locked_crate_is_found_and_another_is_not() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let found = super::source(&root, "temporalio-protos");
        assert!(found.is_none_or(|found| found.join("Cargo.toml").is_file()));
        assert_eq!(super::source(&root, "no-such-crate"), None);
        assert_eq!(super::source(&root, "codegen"), None, "it is no crate of a registry");
    }
}
