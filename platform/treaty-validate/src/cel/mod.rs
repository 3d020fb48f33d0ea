//! What compiled CEL expressions stand on.
//!
//! The generator checks the types of an expression when it reads the contract and writes
//! it as Rust. Operators and functions that Rust has are written as Rust has them; this
//! module holds the others, with the meaning that the CEL specification gives them
//! (<https://github.com/google/cel-spec/blob/master/doc/langdef.md>).

mod convert;
mod functions;
mod lists;
mod operators;
mod pattern;
mod rule;
mod time;

pub use convert::{
    bool_of_str, bytes_text, double_of_str, double_to_int, double_to_uint, int_of_str, int_to_uint,
    uint_of_str, uint_to_int,
};
pub use functions::{
    bytes_contain, char_at, hex, index_of, is_email, is_host_and_port, is_hostname, is_inf, is_ip,
    is_ip_prefix, is_uri, is_uri_ref, join, last_index_of, lower_ascii, replace, size, split,
    substring, substring_from, trim, upper_ascii,
};
pub use lists::{
    Key, all, at, concat, contains, count, entry, exists, exists_one, filter, list_eq, list_text,
    map, unique,
};
pub use operators::{
    Arithmetic, add, and, div, message_eq, mul, neg, no_such_field, or, rem, sub, unwrap,
};
pub use pattern::Pattern;
pub use rule::{Place, Rule, Verdict};
pub use time::{Duration, Timestamp};

/// Result of an expression.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A number is too large for its type.
    #[error("integer overflow")]
    Overflow,
    /// A division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A list has no such item, or a text no such character.
    #[error("index out of range")]
    NoSuchIndex,
    /// A map has no such key.
    #[error("no such key")]
    NoSuchKey,
    /// A value whose type is only known now has no such field.
    #[error("no such field")]
    NoSuchField,
    /// An absent wrapper was used as a value.
    #[error("a value is null")]
    Null,
    /// A value cannot be converted.
    #[error("no valid {0}")]
    Conversion(&'static str),
}
