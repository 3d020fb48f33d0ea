//! CEL: expressions of contracts to expressions with types.
//!
//! Types are checked here, so that a mistake is one of the contract and is told with its
//! place; the emitter writes what is left as Rust. What CEL decides only at run time
//! (`dyn`, dynamic messages) is refused, with one exception: `dyn(message).field`.

mod check;
mod functions;
mod operators;
mod rule;
mod shapes;
mod syntax;
mod tokens;
mod typed;

use prost_reflect::{DynamicMessage, MessageDescriptor, Value};

use crate::load::Contracts;
use crate::model::{CelExpr, CelShape, CelType};

pub(super) use shapes::{field_of, stored};

/// What an expression can refer to.
pub(super) struct Scope<'a> {
    pub(super) contracts: &'a Contracts,
    /// What `this` is.
    pub(super) this: CelShape,
    /// What `rule` and `rules` are, for a predefined rule.
    pub(super) rule: Option<(&'a Value, &'a DynamicMessage)>,
}

/// An expression that was understood.
pub(super) struct Checked {
    pub(super) program: CelExpr,
    /// Whether it reads a redacted field.
    pub(super) reads_redacted: bool,
}

/// Reads a rule's expression, which tells by a boolean or a text whether the rule is
/// fulfilled.
pub(super) fn compile(expression: &str, scope: &Scope<'_>) -> Result<Checked, String> {
    let ast = syntax::parse(expression)?;
    let mut checker = check::Checker::new(scope);
    let program = checker.check(&ast)?;
    match program.ty {
        CelType::Bool | CelType::String | CelType::Missing => {
            Ok(Checked { program, reads_redacted: checker.reads_redacted })
        }
        other => Err(format!("the result is {}, not a bool or a string", typed::shown(&other))),
    }
}

/// The shape of a message as `this`.
pub(super) fn of_message(message: &MessageDescriptor) -> CelShape {
    CelShape::One(shapes::stored_message(message))
}
