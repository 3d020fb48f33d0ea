//! The rules of `buf.validate` as functions, for generated code to call.
//!
//! The generator turns the rules of a message into an implementation of [`Validate`]
//! that reads the message's fields directly: no reflection, no copy, no interpreter.
//! A message without rules has the trait's empty implementation, and costs nothing.
//! Expressions in CEL are compiled to Rust as well; [`cel`] is what they stand on.
//!
//! Semantics follow `buf/validate/validate.proto` and are measured against
//! protovalidate's conformance suite (`cargo xtask conformance validate`).

pub mod cel;
mod error;
mod formats;
mod path;
mod report;
pub mod rules;
mod violation;

pub use path::{Element, Field, Kind, Subscript};
pub use report::Report;
pub use violation::{Problem, Violation};

/// A message that knows the rules of its contract.
pub trait Validate {
    /// Whether the contract has rules for it or for a message inside of it. A constant,
    /// so that validating a message without rules is compiled to nothing.
    const HAS_RULES: bool = false;

    /// Adds what breaks the rules to a report.
    fn check(&self, _report: &mut Report) {}
}

/// Checks a message against the rules of its contract.
///
/// # Errors
/// `INVALID_ARGUMENT` with a violation for each broken rule: the path of the field, what
/// is wrong, and the rule's id as reason. Values of redacted fields are not in it.
#[inline]
pub fn validate<M: Validate>(message: &M) -> treaty_error::Result<()> {
    if !M::HAS_RULES {
        return Ok(());
    }
    let mut report = Report::default();
    message.check(&mut report);
    report.into_result()
}

/// Types of other crates that stand where a message can, and have no rules.
macro_rules! without_rules {
    ($($type:ty),* $(,)?) => { $(impl Validate for $type {})* };
}

without_rules! {
    (), bool, i32, i64, u32, u64, f32, f64, String, Vec<u8>,
    prost_types::Any, prost_types::Duration, prost_types::FieldMask, prost_types::ListValue,
    prost_types::Struct, prost_types::Timestamp, prost_types::Value, treaty_json::HttpBody,
}

impl<M: Validate> Validate for Box<M> {
    const HAS_RULES: bool = M::HAS_RULES;

    #[inline]
    fn check(&self, report: &mut Report) {
        M::check(self, report);
    }
}
