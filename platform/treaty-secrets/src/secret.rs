//! Secrets, and the paths under which they are kept.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::SecretsError;

/// Longest path, in bytes: a file system takes no more for a name, and a segment may be all of it.
const MAX_PATH: usize = 200;

/// Where a secret is kept: segments of letters, digits, `.`, `_` and `-`, with `/` between.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretPath(String);

impl SecretPath {
    /// A path.
    ///
    /// # Errors
    /// [`SecretsError::Path`] when it is empty, has more than 200 bytes, or a segment that is empty,
    /// begins with a dot or holds another character: it becomes part of a file's name and of an address.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretsError> {
        let text = text.into();
        let valid = |segment: &str| {
            !segment.is_empty()
                && !segment.starts_with('.')
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        if text.len() > MAX_PATH || !text.split('/').all(valid) {
            return Err(SecretsError::Path(text));
        }
        Ok(Self(text))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Named values that belong together. They are wiped from memory when dropped, and Debug shows the names
/// alone.
#[derive(Clone, Default)]
pub struct Secret {
    fields: BTreeMap<String, SecretString>,
}

impl Secret {
    /// Without any value.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value, or replaces the one of that name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// The value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.fields.get(name)
    }

    /// All values by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The values in plain.
    pub(crate) fn exposed(&self) -> BTreeMap<&str, &str> {
        self.fields().map(|(name, value)| (name, value.expose_secret())).collect()
    }

    /// The values as a JSON object of texts.
    pub(crate) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        // A map of texts is always JSON.
        Zeroizing::new(serde_json::to_vec(&self.exposed()).unwrap_or_default())
    }

    /// Values from a JSON object, as a person may have written it: a number stands for its text.
    /// `None` for anything else than an object of texts, numbers and truths.
    #[must_use]
    pub fn from_json(value: Value) -> Option<Self> {
        let Value::Object(object) = value else { return None };
        let mut fields = BTreeMap::new();
        for (name, value) in object {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            fields.insert(name, text.into());
        }
        Some(Self { fields })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields.keys()).finish()
    }
}

/// A secret as it is kept.
#[derive(Clone, Debug)]
pub struct StoredSecret {
    /// The values.
    pub secret: Secret,
    /// Counts the writes since the path came to be; from 1 on.
    pub version: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_store() {
        for path in ["a", "strava-credentials", "athletes/0190-ab/x_y.z"] {
            assert_eq!(SecretPath::new(path).unwrap().to_string(), path);
        }
        let long = "x".repeat(201);
        for path in ["", "/a", "a/", "a//b", "..", "a/../b", ".check", "a b", "a?b", "ä", &long] {
            assert!(SecretPath::new(path).is_err(), "{path}");
        }
    }

    #[test]
    fn debug_shows_names_alone() {
        let secret = Secret::new().with("name", "hunter2").with("other", "hunter3");
        let stored = StoredSecret { secret, version: 3 };
        assert_eq!(
            format!("{stored:?}"),
            r#"StoredSecret { secret: {"name", "other"}, version: 3 }"#
        );
    }

    #[test]
    fn json_comes_back() {
        let secret = Secret::new().with("a", "1").with("b", "two");
        let value: Value = serde_json::from_slice(&secret.to_json()).unwrap();
        assert_eq!(value, serde_json::json!({"a": "1", "b": "two"}));
        let read = Secret::from_json(serde_json::json!({"a": 1, "b": "two"})).unwrap();
        assert_eq!(read.to_json(), secret.to_json());
        assert!(Secret::from_json(serde_json::json!({"a": {}})).is_none());
        assert!(Secret::from_json(serde_json::json!([])).is_none());
    }
}
