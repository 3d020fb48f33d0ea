//! Refusals that are known, with their reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result, bail};
use codegen::Diagnostics;

use super::tally::Counts;
use crate::workspace;

/// The list: comments say why, and each other line names a set and the place in it that is
/// refused.
pub const LIST: &str = "e2e/conformance/contracts/known_refusals.txt";

/// The places in each set that are refused.
#[derive(Debug, Default)]
pub struct Known(BTreeMap<String, BTreeSet<String>>);

/// What came of a set, measured by what was expected.
#[derive(Debug)]
pub enum Verdict {
    Passed(Counts),
    /// Refused in just those places that are listed.
    Known(Diagnostics),
    Failed(anyhow::Error),
}

impl Known {
    /// Reads the list.
    pub fn load() -> Result<Self> {
        let text = fs::read_to_string(workspace::root().join(LIST))
            .with_context(|| format!("cannot read {LIST}"))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut sets = BTreeMap::<String, BTreeSet<String>>::new();
        for (index, line) in text.lines().enumerate() {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                [set, place] => {
                    sets.entry((*set).to_owned()).or_default().insert((*place).to_owned());
                }
                _ => bail!("{LIST}:{}: a line names a set and a place", index + 1),
            }
        }
        Ok(Self(sets))
    }

    /// Names of the sets on the list.
    pub fn sets(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Judges what came of a set. A place that is refused and not listed is a failure, and
    /// so is one that is listed and not refused.
    pub fn judge(&self, set: &str, outcome: Result<Counts>) -> Verdict {
        let listed = self.0.get(set).cloned().unwrap_or_default();
        let refused = match outcome {
            Ok(counts) if listed.is_empty() => return Verdict::Passed(counts),
            Ok(_) => {
                return Verdict::Failed(anyhow::anyhow!("nothing is refused: take it off {LIST}"));
            }
            Err(error) => match error.downcast::<Diagnostics>() {
                Ok(refused) => refused,
                Err(error) => return Verdict::Failed(error),
            },
        };
        let found: BTreeSet<_> = refused.0.iter().map(place).collect();
        if found == listed {
            return Verdict::Known(refused);
        }
        let gone: Vec<_> = listed.difference(&found).map(String::as_str).collect();
        let new: Vec<_> =
            refused.0.into_iter().filter(|one| !listed.contains(&place(one))).collect();
        Verdict::Failed(if gone.is_empty() {
            Diagnostics(new).into()
        } else {
            let also = if new.is_empty() { "" } else { "\nand refused:\n" };
            let (gone, new) = (gone.join(", "), Diagnostics(new));
            anyhow::anyhow!("not refused, take off {LIST}: {gone}{also}{new}")
        })
    }
}

fn place(diagnostic: &codegen::Diagnostic) -> String {
    format!("{}:{}:{}", diagnostic.file, diagnostic.line, diagnostic.column)
}

#[cfg(test)]
mod tests {
    use codegen::Diagnostic;

    use super::*;

    fn refused(lines: &[usize]) -> Result<Counts> {
        let of = |line: &usize| Diagnostic {
            file: "a.proto".to_owned(),
            line: *line,
            column: 5,
            message: format!("line {line} is wrong"),
            advice: String::new(),
        };
        Err(Diagnostics(lines.iter().map(of).collect()).into())
    }

    fn failure(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Failed(error) => format!("{error:#}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn just_what_is_listed_may_be_refused() {
        let known = Known::parse("# Why.\na a.proto:1:5\na a.proto:2:5\n\n").unwrap();
        assert!(matches!(known.judge("a", refused(&[1, 2])), Verdict::Known(_)));
        assert!(matches!(known.judge("b", Ok(Counts::default())), Verdict::Passed(_)));

        let other_set = failure(&known.judge("b", refused(&[1])));
        assert!(other_set.contains("line 1 is wrong"), "{other_set}");
        let unlisted = failure(&known.judge("a", refused(&[1, 2, 3])));
        assert!(unlisted.contains("line 3") && !unlisted.contains("line 1"), "{unlisted}");
        let stale = failure(&known.judge("a", refused(&[1])));
        assert!(stale.contains("take off") && stale.contains("a.proto:2:5"), "{stale}");
        let passes = failure(&known.judge("a", Ok(Counts::default())));
        assert!(passes.contains("take it off"), "{passes}");
        let broken = failure(&known.judge("a", Err(anyhow::anyhow!("clippy: no"))));
        assert_eq!(broken, "clippy: no");
    }

    #[test]
    fn a_line_that_names_no_place_is_told() {
        let error = Known::parse("# Why.\na\n").unwrap_err().to_string();
        assert!(error.contains(":2: a line names a set and a place"), "{error}");
    }
}
