//! The only code that touches the disk.
//!
//! The output directory belongs to the generator: whatever is found there and not
//! asked for is stale. Nothing outside of it is touched, neither through a path
//! with `..` nor through a symbolic link.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::File;

/// Below the output directory, what another verb writes: `cargo xtask clients`.
const OF_OTHERS: [&str; 1] = ["clients"];

/// What interpreters and package managers leave beside the sources that they run.
const LEFTOVERS: [&str; 2] = ["__pycache__", "node_modules"];

/// How the output directory differs from what would be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files that are missing.
    pub added: Vec<String>,
    /// Files with another content.
    pub changed: Vec<String>,
    /// Files that no contract asks for any more.
    pub stale: Vec<String>,
}

impl Changes {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.stale.is_empty()
    }
}

/// Why writing failed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk refused.
    #[error("{}: {source}", path.display())]
    Disk {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file would not land inside of the output directory.
    #[error("`{0}` is no path below the output directory")]
    Outside(String),
    /// Two files would land at one path.
    #[error("`{0}` is generated twice")]
    Twice(String),
}

/// Compares without writing.
///
/// # Errors
/// When the directory cannot be read, or a path is not usable.
pub fn check(directory: &Path, files: &[File]) -> Result<Changes, WriteError> {
    let wanted = wanted(files)?;
    let mut present = BTreeSet::new();
    list(directory, directory, &mut present)?;
    let mut changes = Changes::default();
    for (path, contents) in &wanted {
        if !present.contains(*path) {
            changes.added.push((*path).to_owned());
        } else if read(&directory.join(path))? != *contents {
            changes.changed.push((*path).to_owned());
        }
    }
    changes.stale = present
        .into_iter()
        .filter(|path| !wanted.contains_key(path.as_str()) && !is_of_others(path))
        .collect();
    Ok(changes)
}

/// Writes what differs, leaves the rest untouched, and deletes what is stale.
///
/// # Errors
/// When a file cannot be read, written or deleted, or a path is not usable.
pub fn write(directory: &Path, files: &[File]) -> Result<Changes, WriteError> {
    let changes = check(directory, files)?;
    // First, because a stale file may stand where a directory is wanted.
    for stale in &changes.stale {
        let path = directory.join(stale);
        fs::remove_file(&path).map_err(|source| at(&path, source))?;
    }
    remove_empty(directory)?;
    let differing: BTreeSet<_> = changes.added.iter().chain(&changes.changed).collect();
    for file in files.iter().filter(|file| differing.contains(&file.path)) {
        let path = directory.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|source| at(parent, source))?;
        }
        if path.is_symlink() {
            fs::remove_file(&path).map_err(|source| at(&path, source))?;
        }
        fs::write(&path, &file.contents).map_err(|source| at(&path, source))?;
    }
    Ok(changes)
}

/// Whether a file that was found is none of the generator's business.
fn is_of_others(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.clone().next().is_some_and(|first| OF_OTHERS.contains(&first))
        || parts.any(|part| LEFTOVERS.contains(&part))
}

/// The files by path, when every path is safe.
fn wanted(files: &[File]) -> Result<BTreeMap<&str, &[u8]>, WriteError> {
    let mut wanted = BTreeMap::new();
    for file in files {
        let safe = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']);
        if !file.path.split('/').all(safe) {
            return Err(WriteError::Outside(file.path.clone()));
        }
        if wanted.insert(file.path.as_str(), file.contents.as_slice()).is_some() {
            return Err(WriteError::Twice(file.path.clone()));
        }
    }
    Ok(wanted)
}

fn at(path: &Path, source: io::Error) -> WriteError {
    WriteError::Disk { path: path.to_path_buf(), source }
}

fn read(path: &Path) -> Result<Vec<u8>, WriteError> {
    fs::read(path).map_err(|source| at(path, source))
}

/// Paths of all files below `directory`, relative to `root`, with `/`. A symbolic
/// link is a file, whatever it points to.
fn list(root: &Path, directory: &Path, found: &mut BTreeSet<String>) -> Result<(), WriteError> {
    for (path, is_directory) in entries(directory)? {
        if is_directory {
            list(root, &path, found)?;
        } else if let Ok(relative) = path.strip_prefix(root) {
            let parts: Vec<_> =
                relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            found.insert(parts.join("/"));
        }
    }
    Ok(())
}

/// Removes the directories below `directory` that hold no file.
fn remove_empty(directory: &Path) -> Result<(), WriteError> {
    for (path, is_directory) in entries(directory)? {
        if is_directory {
            remove_empty(&path)?;
            if entries(&path)?.is_empty() {
                fs::remove_dir(&path).map_err(|source| at(&path, source))?;
            }
        }
    }
    Ok(())
}

/// What a directory holds, and whether it is a directory; nothing when it does not exist.
fn entries(directory: &Path) -> Result<Vec<(PathBuf, bool)>, WriteError> {
    let failed = |source| at(directory, source);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(source)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        found.push((entry.path(), entry.file_type().map_err(failed)?.is_dir()));
    }
    Ok(found)
}

/// Writes files into the directory of a build, for a build script. Beside each `lib.rs`
/// stands an `included.rs`, the same without what speaks of a crate (`//!`, `#![…]`), with
/// which nothing that is included into a module can begin.
///
/// # Errors
/// The disk refused.
pub fn for_build_script(output: &Path, files: &[File]) -> io::Result<()> {
    for file in files {
        let path = output.join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(output))?;
        fs::write(&path, &file.contents)?;
        if path.ends_with("lib.rs") {
            let text = file.text();
            let lines =
                text.lines().filter(|line| !line.starts_with("//!") && !line.starts_with("#!["));
            let text: String = lines.flat_map(|line| [line, "\n"]).collect();
            fs::write(path.with_file_name("included.rs"), text)?;
        }
    }
    Ok(())
}
