//! The Postgres schema, from the migrations to row types.
//!
//! [`load`] replays every migration on an in-memory [`Schema`]; [`emit`] turns the result into the
//! crate of row types. A statement that might change a table and is not understood is an error: a
//! row type that is silently wrong would be worse than none.

mod emit;
mod enums;
mod replay;
mod statement;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use emit::{CRATE_DIRECTORY, emit};
pub use types::{ColumnType, Scalar};

use crate::{Diagnostic, Diagnostics};

/// Everything that the migrations have made, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// Tables.
    pub tables: BTreeMap<String, Table>,
    /// Enum types.
    pub enums: BTreeMap<String, EnumType>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// `COMMENT ON TABLE`.
    pub comment: Option<String>,
    /// Columns in the order of the table.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type.
    pub kind: ColumnType,
    /// Whether it may be null.
    pub nullable: bool,
    /// `COMMENT ON COLUMN`.
    pub comment: Option<String>,
}

impl Column {
    /// Whether the comment begins with `Secret:`: such a column is hidden in Debug output.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.comment.as_deref().is_some_and(|comment| comment.starts_with("Secret:"))
    }
}

/// An enum type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnumType {
    /// `COMMENT ON TYPE`.
    pub comment: Option<String>,
    /// Labels in their order.
    pub labels: Vec<String>,
}

impl Table {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name == name)
    }
}

/// Reads every migration of the directory and replays them in the order of their versions.
///
/// # Errors
/// All mistakes of the first file that has any: what follows a mistake cannot be judged.
pub fn load(directory: &Path) -> Result<Schema, Diagnostics> {
    let mut schema = Schema::default();
    for migration in migrations(directory)? {
        let text = std::fs::read_to_string(&migration.path)
            .map_err(|error| file_mistake(&migration.path, format!("cannot be read: {error}")))?;
        replay::file(&mut schema, &migration.path.display().to_string(), &text)?;
    }
    Ok(schema)
}

struct Migration {
    version: i64,
    path: PathBuf,
}

/// The `.sql` files in the order of their versions, by sqlx's rule for their names.
fn migrations(directory: &Path) -> Result<Vec<Migration>, Diagnostics> {
    let entries = std::fs::read_dir(directory)
        .map_err(|error| file_mistake(directory, format!("cannot be read: {error}")))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| file_mistake(directory, format!("cannot be read: {error}")))?
            .path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name.filter(|name| name.ends_with(".sql")) else { continue };
        if name.ends_with(".down.sql") {
            continue;
        }
        let version = name.split_once('_').and_then(|(number, _)| number.parse::<i64>().ok());
        let Some(version) = version.filter(|version| *version > 0) else {
            return Err(Diagnostics(vec![Diagnostic {
                file: path.display().to_string(),
                line: 0,
                column: 0,
                message: "is not named like a migration".to_owned(),
                advice: "name it <version>_<what_it_does>.sql, for example 0005_add_gear.sql"
                    .to_owned(),
            }]));
        };
        found.push(Migration { version, path });
    }
    found.sort_by(|a, b| (a.version, &a.path).cmp(&(b.version, &b.path)));
    if let Some(pair) = found.windows(2).find(|pair| pair[0].version == pair[1].version) {
        let message = format!("has the same version as {}", pair[0].path.display());
        return Err(file_mistake(&pair[1].path, message));
    }
    Ok(found)
}

fn file_mistake(path: &Path, message: String) -> Diagnostics {
    Diagnostics(vec![Diagnostic {
        file: path.display().to_string(),
        line: 0,
        column: 0,
        message,
        advice: String::new(),
    }])
}
