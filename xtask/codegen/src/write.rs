//! The only code that touches the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::File;

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
#[error("{}: {source}", path.display())]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// Compares without writing.
///
/// # Errors
/// When the directory cannot be read.
pub fn check(directory: &Path, files: &[File]) -> Result<Changes, WriteError> {
    let wanted: BTreeMap<_, _> =
        files.iter().map(|file| (file.path.as_str(), file.contents.as_slice())).collect();
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
    changes.stale = present.into_iter().filter(|path| !wanted.contains_key(path.as_str())).collect();
    Ok(changes)
}

/// Writes what differs, leaves the rest untouched, and deletes what is stale.
///
/// # Errors
/// When a file cannot be read, written or deleted.
pub fn write(directory: &Path, files: &[File]) -> Result<Changes, WriteError> {
    let changes = check(directory, files)?;
    let differing: BTreeSet<_> = changes.added.iter().chain(&changes.changed).collect();
    for file in files.iter().filter(|file| differing.contains(&file.path)) {
        let path = directory.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|source| at(parent, source))?;
        }
        fs::write(&path, &file.contents).map_err(|source| at(&path, source))?;
    }
    for stale in &changes.stale {
        let path = directory.join(stale);
        fs::remove_file(&path).map_err(|source| at(&path, source))?;
        remove_empty_parents(directory, &path);
    }
    Ok(changes)
}

fn at(path: &Path, source: io::Error) -> WriteError {
    WriteError { path: path.to_path_buf(), source }
}

fn read(path: &Path) -> Result<Vec<u8>, WriteError> {
    fs::read(path).map_err(|source| at(path, source))
}

/// Paths of all files below `directory`, relative to `root`, with `/`.
fn list(root: &Path, directory: &Path, found: &mut BTreeSet<String>) -> Result<(), WriteError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(at(directory, source)),
    };
    for entry in entries {
        let path = entry.map_err(|source| at(directory, source))?.path();
        if path.is_dir() {
            list(root, &path, found)?;
        } else if let Ok(relative) = path.strip_prefix(root) {
            let parts: Vec<_> =
                relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            found.insert(parts.join("/"));
        }
    }
    Ok(())
}

/// Directories without files are stale too; one that is not empty stays.
fn remove_empty_parents(root: &Path, path: &Path) {
    let mut parent = path.parent();
    while let Some(directory) = parent.filter(|directory| *directory != root) {
        if fs::remove_dir(directory).is_err() {
            return;
        }
        parent = directory.parent();
    }
}
