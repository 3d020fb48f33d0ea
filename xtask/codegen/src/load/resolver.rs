//! Where files are found: well-known ones in the compiler, others below includes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use protox::Error;
use protox::file::{File, FileResolver, GoogleFileResolver, IncludeFileResolver};

use super::editions::{self, Features, Outcome};
use crate::Diagnostic;

/// What was learned while files were opened.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) features: Features,
    pub(super) refused: Vec<Diagnostic>,
}

/// Opens files for the compiler.
pub(super) struct Resolver {
    /// `google/protobuf` as this compiler understands it: a newer copy among the includes
    /// may be written in a syntax that it does not.
    bundled: GoogleFileResolver,
    texts: BTreeMap<String, String>,
    includes: Vec<(PathBuf, IncludeFileResolver)>,
    findings: Arc<Mutex<Findings>>,
}

/// Whether a file comes with the compiler.
pub(super) fn is_bundled(name: &str) -> bool {
    name.starts_with("google/protobuf/") && GoogleFileResolver::new().open_file(name).is_ok()
}

impl Resolver {
    pub(super) fn new<'a>(includes: impl Iterator<Item = &'a Path>) -> Self {
        let includes = includes.map(|include| {
            (include.to_path_buf(), IncludeFileResolver::new(include.to_path_buf()))
        });
        Self {
            bundled: GoogleFileResolver::new(),
            texts: BTreeMap::new(),
            includes: includes.collect(),
            findings: Arc::default(),
        }
    }

    /// The same with texts that are found before files.
    pub(super) fn with(self, texts: BTreeMap<String, String>) -> Self {
        Self { texts, ..self }
    }

    /// What is learned while this is used.
    pub(super) fn findings(&self) -> Arc<Mutex<Findings>> {
        Arc::clone(&self.findings)
    }

    /// The file, if it is one of an edition.
    fn edition(&self, name: &str, text: &str) -> Result<Option<File>, Error> {
        let outcome = editions::read(name, text)?;
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Outcome::Other => Ok(None),
            Outcome::File(file, features) => {
                findings.features.extend(features);
                Ok(Some(*file))
            }
            Outcome::Refused(mistake) => {
                let error = Error::new(mistake.message.clone());
                findings.refused.push(mistake);
                Err(error)
            }
        }
    }
}

impl FileResolver for Resolver {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        self.includes.iter().find_map(|(_, include)| include.resolve_path(path))
    }

    fn open_file(&self, name: &str) -> Result<File, Error> {
        match self.bundled.open_file(name) {
            Err(error) if error.is_file_not_found() => {}
            found => return found,
        }
        if let Some(text) = self.texts.get(name) {
            let edition = self.edition(name, text)?;
            return edition.map_or_else(|| File::from_source(name, text), Ok);
        }
        for (directory, include) in &self.includes {
            // A file that cannot be read as text is left to the compiler, which says so.
            if let Ok(text) = std::fs::read_to_string(directory.join(name))
                && let Some(file) = self.edition(name, &text)?
            {
                return Ok(file);
            }
            match include.open_file(name) {
                Err(error) if error.is_file_not_found() => {}
                found => return found,
            }
        }
        Err(Error::file_not_found(name))
    }
}
