//! What OpenAPI, AsyncAPI and the reference have in common.

pub(super) mod example;
pub(super) mod index;
pub(super) mod markdown;
pub(super) mod pattern;
pub(super) mod schema;
pub(super) mod time;
pub(super) mod value;

pub(super) use index::Index;
pub(super) use value::{Object, Value, list};
