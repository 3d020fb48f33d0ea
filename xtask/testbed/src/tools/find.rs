//! Looking for a tool without installing it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Source, Tool, Tools, Version};

/// A usable tool.
#[derive(Debug)]
pub(super) struct Found {
    /// What `Tools::ensure` gives.
    pub(super) path: PathBuf,
    pub(super) source: Source,
    pub(super) version: Option<Version>,
}

/// What a search came to.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) found: Option<Found>,
    /// Why what was seen on the way will not do.
    pub(super) rejected: Vec<String>,
}

/// Looks where the environment says, then on PATH and in the places where systems put Postgres, then
/// in the cache. An environment variable that names nothing usable is an error: whoever set it meant it.
pub(super) fn search(tools: &Tools, tool: Tool) -> Result<Search> {
    let entry = tools.catalog.entry(tool);
    if let Some(value) = std::env::var_os(&entry.override_variable).filter(|v| !v.is_empty()) {
        let path = PathBuf::from(value);
        if is_mute(tool) {
            if !path.is_file() {
                bail!("{} names {}, which is no file", entry.override_variable, path.display());
            }
            let found = Found { path, source: Source::Environment, version: None };
            return Ok(Search { found: Some(found), rejected: Vec::new() });
        }
        let version = version_of(tool, &path).with_context(|| {
            format!("{} names {}, which will not do", entry.override_variable, path.display())
        })?;
        let found = Found { path, source: Source::Environment, version: Some(version) };
        return Ok(Search { found: Some(found), rejected: Vec::new() });
    }
    let mut search = Search::default();
    for path in on_this_machine(tool) {
        match version_of(tool, &path) {
            Ok(version) if entry.admits(version) => {
                search.found =
                    Some(Found { path, source: Source::Machine, version: Some(version) });
                return Ok(search);
            }
            Ok(version) if version.is_unset() => {
                search.rejected.push(format!("{} does not tell its version", path.display()))
            }
            Ok(version) => search.rejected.push(format!(
                "{} is {version}, {} {}",
                path.display(),
                if entry.exact { "not" } else { "older than" },
                entry.minimum
            )),
            Err(error) => search.rejected.push(format!("{}: {error:#}", path.display())),
        }
    }
    if let Some(path) = cached(tools, tool) {
        let version = match entry.pinned {
            Some(pinned) => Some(pinned),
            None => Some(version_of(tool, &path)?),
        };
        search.found = Some(Found { path, source: Source::Cache, version });
    }
    Ok(search)
}

/// The tool in the cache, if it was installed there. The directory appears under its name only when
/// it is complete, so there is no need to run what is in it.
pub(super) fn cached(tools: &Tools, tool: Tool) -> Option<PathBuf> {
    let bin = tools.cached_home(tool).join("bin");
    let executable = bin.join(tool.name());
    executable.is_file().then_some(if tool == Tool::Postgres { bin } else { executable })
}

/// Whether the tool cannot tell its version; then none but the pinned one and one that somebody
/// names is used.
fn is_mute(tool: Tool) -> bool {
    matches!(tool, Tool::HelmUnittest | Tool::ComposeSpec | Tool::ManifestSchemas)
}

/// How the tool is asked for its version.
fn version_arguments(tool: Tool) -> &'static [&'static str] {
    match tool {
        Tool::Helm => &["version", "--short"],
        Tool::Kubeconform => &["-v"],
        _ => &["--version"],
    }
}

/// Asks the tool for its version, and Postgres also for its companions.
fn version_of(tool: Tool, path: &Path) -> Result<Version> {
    if tool == Tool::GoogleProtoFiles {
        return packaged_version(path);
    }
    let executable = match tool {
        Tool::Postgres => {
            for name in ["initdb", "postgres", "psql"] {
                if !path.join(name).is_file() {
                    bail!("there is no {name}");
                }
            }
            path.join("postgres")
        }
        _ => path.to_owned(),
    };
    let output = Command::new(&executable)
        .args(version_arguments(tool))
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("asking {} for its version", executable.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match Version::find_in(&text) {
        Some(version) if output.status.success() => Ok(version),
        _ => bail!("{} tells no version: {}", executable.display(), text.trim()),
    }
}

/// The version of contracts in a package of npm, by its `google/api/http.proto`.
fn packaged_version(path: &Path) -> Result<Version> {
    let home = path.ancestors().nth(3).context("it is not below a package")?;
    let manifest = home.join("package.json");
    let text =
        fs::read_to_string(&manifest).with_context(|| format!("reading {}", manifest.display()))?;
    let version = text.lines().find(|line| line.trim_start().starts_with("\"version\""));
    let quoted = version.and_then(|line| line.split('"').nth(3));
    quoted
        .and_then(|text| text.parse().ok())
        .with_context(|| format!("{} has no version", manifest.display()))
}

fn on_this_machine(tool: Tool) -> Vec<PathBuf> {
    if is_mute(tool) {
        return Vec::new();
    }
    let Some(path) = std::env::var_os("PATH") else { return Vec::new() };
    let executables = on_path(&path, tool.name());
    if tool != Tool::Postgres {
        return executables;
    }
    // A link to `postgres` alone is common; its companions are where it points to.
    let mut directories: Vec<PathBuf> = executables
        .iter()
        .filter_map(|executable| fs::canonicalize(executable).ok()?.parent().map(Path::to_owned))
        .collect();
    directories.extend(postgres_directories());
    directories.dedup();
    directories
}

/// The executables of that name on the search path, first one first.
fn on_path(path: &OsStr, name: &str) -> Vec<PathBuf> {
    std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .filter(|file| file.is_file())
        .collect()
}

/// Whether a command is on PATH.
pub(super) fn is_on_path(name: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| !on_path(&path, name).is_empty())
}

/// Where Debian and Homebrew put Postgres, off PATH; newest version first.
fn postgres_directories() -> Vec<PathBuf> {
    let mut found: Vec<(Version, PathBuf)> = Vec::new();
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
    ] {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse().ok());
            if let Some(version) = version {
                found.push((version, entry.path().join("bin")));
            }
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, directory)| directory).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_contracts_is_their_package_s() {
        let package = tempfile::tempdir().unwrap();
        let file = package.path().join("google/api/http.proto");
        assert!(version_of(Tool::GoogleProtoFiles, &file).is_err());
        let manifest = "{\n  \"name\": \"google-proto-files\",\n  \"version\": \"5.0.3\",\n}";
        fs::write(package.path().join("package.json"), manifest).unwrap();
        let version = version_of(Tool::GoogleProtoFiles, &file).unwrap();
        assert_eq!(version.to_string(), "5.0.3");
    }

    #[test]
    fn path_is_searched_in_order() {
        let first = tempfile::tempdir().unwrap();
        let second = tempfile::tempdir().unwrap();
        fs::write(first.path().join("other"), "").unwrap();
        fs::write(second.path().join("tool"), "").unwrap();
        let path = std::env::join_paths([first.path(), second.path()]).unwrap();
        assert_eq!(on_path(&path, "tool"), [second.path().join("tool")]);
        assert!(on_path(&path, "none").is_empty());
    }
}
