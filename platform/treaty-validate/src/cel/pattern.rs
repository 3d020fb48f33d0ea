//! Regular expressions, compiled once.

use std::fmt;
use std::sync::OnceLock;

use regex::Regex;

/// A regular expression of a contract, compiled when it is first needed.
///
/// The generator has compiled it before, with the same crate: an expression that does
/// not compile is a mistake in the contract and never gets here.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Names an expression in RE2's syntax.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// Whether some part of the text matches. An expression that does not compile
    /// matches nothing.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(self.text).ok());
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}
