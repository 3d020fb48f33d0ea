//! What was configured, whoever configured it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::ConfigError;

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// From the environment: text, whatever is expected.
    Text { value: String, origin: Arc<str> },
    /// A leaf from the file.
    Leaf { value: toml::Value, origin: Arc<str> },
    /// Keys with values.
    Table(BTreeMap<String, Node>),
    /// A list from the file.
    List(Vec<Node>),
}

impl Node {
    pub(super) fn empty() -> Self {
        Self::Table(BTreeMap::new())
    }

    /// Sets a key given as `http__listen`, in place of what the file says.
    pub(super) fn set(&mut self, key: &str, variable: &str, value: String) {
        let mut node = self;
        for segment in key.split("__") {
            if !matches!(node, Self::Table(_)) {
                *node = Self::empty();
            }
            let Self::Table(table) = node else { return };
            node = table.entry(segment.to_owned()).or_insert_with(Self::empty);
        }
        *node = Self::Text { value, origin: Arc::from(format!("the environment as {variable}")) };
    }

    /// The same with an empty table at the path, where there is nothing yet.
    pub(super) fn with_table_at(&self, path: &[String]) -> Self {
        let mut tree = self.clone();
        let mut node = &mut tree;
        for key in path {
            let Self::Table(table) = node else { break };
            node = table.entry(key.clone()).or_insert_with(Self::empty);
        }
        tree
    }

    fn from_toml(value: toml::Value, origin: &Arc<str>) -> Self {
        match value {
            toml::Value::Table(table) => Self::Table(
                table
                    .into_iter()
                    .map(|(key, value)| (key, Self::from_toml(value, origin)))
                    .collect(),
            ),
            toml::Value::Array(list) => {
                Self::List(list.into_iter().map(|value| Self::from_toml(value, origin)).collect())
            }
            value => Self::Leaf { value, origin: Arc::clone(origin) },
        }
    }
}

/// Reads a TOML file.
pub(super) fn read_file(path: &Path) -> Result<Node, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError::file(path, error.kind()))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| {
        // The error's own text quotes the line, and with it perhaps a secret.
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map_or(1, |before| before.matches('\n').count() + 1);
        ConfigError::file(path, format!("line {line} is not valid TOML"))
    })?;
    let origin: Arc<str> = Arc::from(path.display().to_string());
    Ok(Node::from_toml(toml::Value::Table(table), &origin))
}
