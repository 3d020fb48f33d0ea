//! What is wanted, from files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// Streams and consumers as the contracts declare them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    /// Streams by name.
    pub streams: Vec<Definition>,
    /// Durable consumers by stream and name.
    pub consumers: Vec<Definition>,
}

/// One stream or consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The stream, or the stream of the consumer.
    pub stream: String,
    /// The consumer; none for a stream.
    pub durable: Option<String>,
    /// Configuration in JetStream's JSON.
    pub config: Map<String, Value>,
}

/// Why definitions cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionsError {
    /// The disk refused.
    #[error("{} cannot be read", path.display())]
    Disk {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{} is no definition: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory has no definitions at all.
    #[error(
        "{} holds no streams/*.json: name the directory that `cargo xtask codegen` writes, \
         gen/ops/nats", path.display()
    )]
    Empty {
        /// The directory.
        path: PathBuf,
    },
}

impl Definitions {
    /// Reads `streams/<stream>.json` and `consumers/<stream>/<durable>.json`.
    ///
    /// # Errors
    /// When a file cannot be read or is not what its place says.
    pub fn read(directory: &Path) -> Result<Self, DefinitionsError> {
        let streams = directory.join("streams");
        let mut definitions = Self::default();
        for path in files(&streams)? {
            definitions.streams.push(stream(&path)?);
        }
        if definitions.streams.is_empty() {
            return Err(DefinitionsError::Empty { path: directory.to_path_buf() });
        }
        for folder in entries(&directory.join("consumers"))? {
            let stream = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for path in files(&folder)? {
                definitions.consumers.push(consumer(&path, &stream)?);
            }
        }
        Ok(definitions)
    }
}

fn stream(path: &Path) -> Result<Definition, DefinitionsError> {
    let config = object(path)?;
    let stream = named(path, &config, "name")?;
    Ok(Definition { stream, durable: None, config })
}

fn consumer(path: &Path, stream: &str) -> Result<Definition, DefinitionsError> {
    let config = object(path)?;
    let durable = Some(named(path, &config, "durable_name")?);
    Ok(Definition { stream: stream.to_owned(), durable, config })
}

/// The name that a definition gives itself, which must be that of its file.
fn named(path: &Path, config: &Map<String, Value>, key: &str) -> Result<String, DefinitionsError> {
    let name = config.get(key).and_then(Value::as_str);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match name {
        Some(name) if name == stem => Ok(name.to_owned()),
        _ => Err(DefinitionsError::Malformed {
            path: path.to_path_buf(),
            reason: format!("`{key}` is not the name of the file"),
        }),
    }
}

fn object(path: &Path) -> Result<Map<String, Value>, DefinitionsError> {
    let text = fs::read(path)
        .map_err(|source| DefinitionsError::Disk { path: path.to_path_buf(), source })?;
    serde_json::from_slice(&text).map_err(|error| DefinitionsError::Malformed {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

/// The `.json` files of a directory, sorted.
fn files(directory: &Path) -> Result<Vec<PathBuf>, DefinitionsError> {
    let is_json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    Ok(entries(directory)?.into_iter().filter(is_json).collect())
}

/// What a directory holds, sorted; nothing when there is none.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, DefinitionsError> {
    let failed = |source| DefinitionsError::Disk { path: directory.to_path_buf(), source };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(source)),
    };
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}
