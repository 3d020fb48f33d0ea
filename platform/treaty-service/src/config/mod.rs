//! Configuration: defaults, then a TOML file, then the environment.
//!
//! Structs derive `Deserialize`, with `#[serde(deny_unknown_fields)]` so that a
//! misspelt key is found and `#[serde(default)]` where there is a default. The
//! environment is text, and what a key expects decides how it is read: `12345`
//! is a number for a port and a password for a password. Lists are separated by
//! commas. Not supported, because they hide what is expected: `flatten`,
//! `untagged`.
//!
//! No error shows a value, since any value may be a secret.

mod de;
mod tree;

use std::fmt;
use std::path::Path;

use serde::de::DeserializeOwned;

use tree::Node;

/// Checks what types cannot say.
pub trait Validate {
    /// Checks the values among each other.
    ///
    /// # Errors
    /// The first key whose value cannot be used; see [`ConfigError::invalid`].
    fn validate(&self) -> Result<(), ConfigError>;
}

/// What is wrong with the configuration. Names the key in both its forms, and
/// shows no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    key: Option<String>,
    environment: Option<String>,
    origin: Option<String>,
    problem: String,
}

impl ConfigError {
    /// A key whose value cannot be used. `key` has the form `http.listen`;
    /// `problem` says what is expected and must not show the value.
    pub fn invalid(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: Some(key.into()), environment: None, origin: None, problem: problem.into() }
    }

    fn file(path: &Path, problem: impl fmt::Display) -> Self {
        Self {
            key: None,
            environment: None,
            origin: Some(path.display().to_string()),
            problem: problem.to_string(),
        }
    }

    /// The key, in the form `http.listen`.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Adds the form that the key has in the environment of this service.
    pub(crate) fn of_service(mut self, service: &str) -> Self {
        let prefix = environment_prefix(service);
        self.environment = self
            .key
            .as_ref()
            .map(|key| format!("{prefix}{}", key.replace('.', "__").to_ascii_uppercase()));
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("configuration")?;
        if let Some(key) = &self.key {
            write!(f, " key {key}")?;
        }
        if let Some(environment) = &self.environment {
            write!(f, " (environment {environment})")?;
        }
        if let Some(origin) = &self.origin {
            write!(f, ", set in {origin}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// What the environment variables of a service begin with: `API__` for `api`.
#[must_use]
pub fn environment_prefix(service: &str) -> String {
    format!("{}__", service.replace('-', "_").to_ascii_uppercase())
}

/// Reads the configuration of a service from the file, if there is one, and the
/// environment of the process.
///
/// # Errors
/// The file cannot be read, or a key is missing, unknown or wrong.
pub fn load<T>(service: &str, file: Option<&Path>) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Validate,
{
    // A variable that is not text cannot be one of ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    load_from(service, file, environment)
}

/// As [`load`], with an environment of the caller's.
///
/// # Errors
/// As [`load`].
pub fn load_from<T>(
    service: &str,
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigError>
where
    T: DeserializeOwned + Validate,
{
    let prefix = environment_prefix(service);
    let mut tree = match file {
        Some(path) => tree::read_file(path)?,
        None => Node::empty(),
    };
    for (name, value) in environment {
        if let Some(key) = name.strip_prefix(&prefix) {
            tree.set(&key.to_ascii_lowercase(), &name, value);
        }
    }
    let config: T = de::from_tree(tree).map_err(|error| error.of_service(service))?;
    config.validate().map_err(|error| error.of_service(service))?;
    Ok(config)
}
