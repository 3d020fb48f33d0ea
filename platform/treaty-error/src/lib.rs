//! One error for every boundary.
//!
//! A handler returns an [`Error`]; adapters turn its [`Code`] into a gRPC status,
//! an HTTP status or the decision what becomes of a message. The three mappings
//! stand side by side in `code.rs`, so that they cannot drift apart.

mod code;
mod error;

pub use code::{Code, Disposition};
pub use error::{Detail, Error, FieldViolation, Result};
