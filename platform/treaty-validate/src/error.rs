//! Violations as the error that crosses boundaries.

use treaty_error::{Code, Error, FieldViolation};

use crate::{Report, Violation};

impl Report {
    /// The outcome: `INVALID_ARGUMENT` when a rule was broken.
    ///
    /// # Errors
    /// A violation for each broken rule, with the rule's id as reason.
    pub fn into_result(self) -> treaty_error::Result<()> {
        let violations = self.into_violations();
        if violations.is_empty() { Ok(()) } else { Err(refusal(&violations)) }
    }
}

#[cold]
fn refusal(violations: &[Violation]) -> Error {
    let fields: Vec<_> = violations
        .iter()
        .map(|violation| FieldViolation {
            field: violation.field_path(),
            description: violation.message().into_owned(),
            reason: violation.rule_id.clone().into_owned(),
        })
        .collect();
    let summary = match fields.as_slice() {
        [first, ..] if first.field.is_empty() => first.description.clone(),
        [first, ..] => format!("{}: {}", first.field, first.description),
        [] => String::new(),
    };
    let summary = match fields.len() {
        0 | 1 => summary,
        more => format!("{summary} (and {} more)", more - 1),
    };
    Error::new(Code::InvalidArgument, summary).with_violations(fields)
}
