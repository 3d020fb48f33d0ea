//! Sums over sets of contracts.

use std::collections::BTreeMap;
use std::fmt;

use codegen::Diagnostics;
use codegen::load::Contracts;
use codegen::model::Model;

use super::known;

/// How many of the mistakes are listed by kind.
const KINDS: usize = 20;

/// What a crate was made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    files: usize,
    messages: usize,
    enums: usize,
    rpcs: usize,
    routes: usize,
}

impl Counts {
    /// Counts what was generated for, with the imports that became part of it.
    pub fn of(contracts: &Contracts, model: &Model) -> Self {
        let mut counts = Self { files: contracts.roots.len(), ..Self::default() };
        for package in &model.packages {
            counts.messages += package.messages.len();
            counts.enums += package.enums.len();
            for method in package.services.iter().flat_map(|service| &service.methods) {
                counts.rpcs += 1;
                counts.routes += method.routes.len();
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, messages, enums, rpcs, routes } = self;
        write!(
            f,
            "{files} files, {messages} messages, {enums} enums, {rpcs} RPCs, {routes} HTTP routes"
        )
    }
}

/// What came of all sets.
#[derive(Debug, Default)]
pub struct Tally {
    passed: usize,
    failed: usize,
    /// Refused as they are known to be.
    known: usize,
    counts: Counts,
    /// How often each kind of mistake was told.
    mistakes: BTreeMap<String, usize>,
}

impl Tally {
    pub fn passed(&mut self, counts: Counts) {
        self.passed += 1;
        self.counts.files += counts.files;
        self.counts.messages += counts.messages;
        self.counts.enums += counts.enums;
        self.counts.rpcs += counts.rpcs;
        self.counts.routes += counts.routes;
    }

    pub fn failed(&mut self) {
        self.failed += 1;
    }

    pub fn known(&mut self) {
        self.known += 1;
    }

    pub fn refused(&mut self, diagnostics: &Diagnostics) {
        for diagnostic in &diagnostics.0 {
            *self.mistakes.entry(kind(&diagnostic.message)).or_default() += 1;
        }
    }

    pub fn is_good(&self) -> bool {
        self.failed == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut mistakes: Vec<_> = self.mistakes.iter().collect();
        mistakes.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        for (kind, times) in mistakes.iter().take(KINDS) {
            writeln!(f, "{times:>6} x {kind}")?;
        }
        writeln!(f, "{} in what passed", self.counts)?;
        let failed = self.failed + self.known;
        write!(f, "{} passed, {failed} failed, 0 skipped", self.passed)?;
        if self.known > 0 {
            write!(f, " ({} of the failures known: {})", self.known, known::LIST)?;
        }
        writeln!(f)
    }
}

/// A message without the names in it: those in quotes, and full ones.
fn kind(message: &str) -> String {
    let quoted = message.split(['`', '\'']).enumerate();
    let plain: String = quoted.map(|(at, part)| if at % 2 == 0 { part } else { "…" }).collect();
    let is_full_name = |word: &str| word.trim_end_matches('.').contains('.');
    let words = plain.split(' ').map(|word| if is_full_name(word) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use codegen::Diagnostic;

    #[test]
    fn mistakes_of_a_kind_are_counted_together() {
        let of = |name: &str| Diagnostic {
            file: "a.proto".to_owned(),
            line: 1,
            column: 1,
            message: format!("field `{name}` of acme.v1.{name} is wrong"),
            advice: String::new(),
        };
        let mut tally = Tally::default();
        tally.refused(&Diagnostics(vec![of("a"), of("b")]));
        tally.failed();
        tally.passed(Counts { files: 2, messages: 3, ..Counts::default() });
        let text = tally.to_string();
        assert!(text.starts_with("     2 x field … of … is wrong\n2 files, 3 messages"), "{text}");
        assert!(text.ends_with("1 passed, 1 failed, 0 skipped\n"), "{text}");
        assert!(!tally.is_good());
    }

    #[test]
    fn a_known_refusal_is_a_failure_that_is_not_bad() {
        let mut tally = Tally::default();
        tally.passed(Counts::default());
        tally.known();
        assert!(tally.is_good());
        let text = tally.to_string();
        assert!(text.contains("1 passed, 1 failed, 0 skipped (1 of the failures known"), "{text}");
    }
}
