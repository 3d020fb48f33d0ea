//! The generator: load -> lower -> emit -> write.
//!
//! - [`load`] reads contracts into descriptors, in pure Rust.
//! - [`lower`] turns descriptors into the [`model`], and holds every check.
//! - [`emit`] turns the model into [`File`]s; it is pure.
//! - [`write`](mod@write) alone touches the disk.
//! - [`breaking`] compares two models.
//! - [`cargo`] asks Cargo; [`carried`] finds the contracts of others that contracts may import.
//!
//! [`schema`] is the same road for the Postgres schema, from `migrations/`.

pub mod breaking;
pub mod cargo;
pub mod carried;
pub mod corpus;
mod diagnostic;
pub mod emit;
pub mod load;
pub mod lower;
pub mod model;
pub mod schema;
pub mod write;

pub use diagnostic::{Diagnostic, Diagnostics};

use std::borrow::Cow;

/// One file of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path below the output directory, with `/`.
    pub path: String,
    /// All bytes.
    pub contents: Vec<u8>,
}

impl File {
    /// A file.
    pub fn new(path: impl Into<String>, contents: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), contents: contents.into() }
    }

    /// The contents as text, for a reader; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.contents)
    }
}
