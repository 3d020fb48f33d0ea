//! The error that travels.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::Code;

/// Result of everything that crosses a boundary.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure that may cross a boundary.
///
/// `message`, `violations`, `retry_after` and `details` are shown to the caller; the source
/// is for our own log alone and never leaves the process.
///
/// It is one pointer wide, so that results stay as small as what succeeds.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: String,
    violations: Vec<FieldViolation>,
    retry_after: Option<Duration>,
    details: Vec<Detail>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// One field of a request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field, for example `athlete.email` or `activities[2].name`.
    pub field: String,
    /// What is wrong with it, for a person.
    pub description: String,
    /// What rule it breaks, for a program, for example `string.min_len`; empty when
    /// there is no name for it.
    pub reason: String,
}

impl FieldViolation {
    /// A wrong field, of which a person can read what is wrong.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into(), reason: String::new() }
    }

    /// Tells a program which rule it is.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }
}

/// What else is known of a failure, in a form that not everybody on the way knows: a
/// `google.protobuf.Any` of `google.rpc.Status.details`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// For example `type.googleapis.com/google.rpc.ErrorInfo`.
    pub type_url: String,
    /// The message, encoded.
    pub value: Vec<u8>,
}

impl Error {
    /// A failure with a message that the caller may read.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            violations: Vec::new(),
            retry_after: None,
            details: Vec::new(),
            source: None,
        }))
    }

    /// A broken promise of our own: the caller learns no more than that.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "internal error").with_source(source)
    }

    /// One wrong field.
    pub fn invalid_field(field: impl Into<String>, description: impl Into<String>) -> Self {
        let violation = FieldViolation::new(field, description);
        let message = format!("{}: {}", violation.field, violation.description);
        Self::new(Code::InvalidArgument, message).with_violations(vec![violation])
    }

    /// Keeps what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Tells when repeating may help.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Names the wrong fields.
    #[must_use]
    pub fn with_violations(mut self, violations: Vec<FieldViolation>) -> Self {
        self.0.violations = violations;
        self
    }

    /// Adds details, which every boundary passes on as they are.
    #[must_use]
    pub fn with_details(mut self, details: Vec<Detail>) -> Self {
        self.0.details = details;
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The message for the caller.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The wrong fields.
    #[must_use]
    pub fn violations(&self) -> &[FieldViolation] {
        &self.0.violations
    }

    /// How long to wait before repeating.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Details besides wrong fields and waits.
    #[must_use]
    pub fn details(&self) -> &[Detail] {
        &self.0.details
    }

    /// The failure with all its causes on one line, for our own log.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            line.push_str(": ");
            line.push_str(&cause.to_string());
            next = cause.source();
        }
        line
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { code, message, violations, retry_after, details, source } = &*self.0;
        f.debug_struct("Error")
            .field("code", code)
            .field("message", message)
            .field("violations", violations)
            .field("retry_after", retry_after)
            .field("details", details)
            .field("source", source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_names_every_cause_and_display_none() {
        let io = std::io::Error::other("disk on fire");
        let error = Error::internal(io);
        assert_eq!(error.to_string(), "INTERNAL: internal error");
        assert_eq!(error.chain(), "INTERNAL: internal error: disk on fire");
    }
}
