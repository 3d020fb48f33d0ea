//! Breaks that were decided on: `breaking.toml` beside the contracts.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use codegen::breaking::RULES;
use serde::Deserialize;

use super::buf::BufRule;
use super::finding::Finding;

/// Name of the file.
pub(super) const FILE: &str = "breaking.toml";

/// All exceptions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exceptions {
    #[serde(default)]
    ignore: Vec<Exception>,
}

/// One rule that does not count for one element.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exception {
    /// Name of the rule.
    pub(super) rule: String,
    /// What it is found at, as the findings name it.
    pub(super) element: String,
    /// Why nobody is harmed.
    pub(super) because: String,
}

impl Exceptions {
    /// Reads the file, which need not be there. buf is only asked for its rules when one is named.
    pub(super) fn load(path: &Path, buf: &dyn Fn() -> Result<Vec<BufRule>>) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        Self::parse(&text, buf).with_context(|| format!("{} is not usable", path.display()))
    }

    fn parse(text: &str, buf: &dyn Fn() -> Result<Vec<BufRule>>) -> Result<Self> {
        let exceptions: Self = toml::from_str(text)?;
        let mut seen = BTreeSet::new();
        let mut foreign = None;
        for Exception { rule, element, because } in &exceptions.ignore {
            if because.trim().is_empty() {
                bail!("the exception of {rule} for {element} has no reason: say it in `because`");
            }
            if !seen.insert((rule, element)) {
                bail!("{rule} is ignored twice for {element}: keep one");
            }
            if RULES.iter().any(|known| known.name == rule) {
                continue;
            }
            let foreign = match &mut foreign {
                Some(known) => known,
                none => none.insert(buf()?),
            };
            if !foreign.iter().any(|known| known.name == *rule) {
                bail!("there is no rule {rule}: `cargo xtask breaking --list` shows all");
            }
        }
        Ok(exceptions)
    }

    /// Marks the findings that are let through; gives the exceptions that none needed.
    pub(super) fn apply(self, findings: &mut [Finding]) -> Vec<Exception> {
        let mut unused = Vec::new();
        for exception in self.ignore {
            let mut used = false;
            for finding in findings.iter_mut() {
                if finding.rule == exception.rule && finding.element == exception.element {
                    finding.because = Some(exception.because.trim().to_owned());
                    used = true;
                }
            }
            if !used {
                unused.push(exception);
            }
        }
        unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Exceptions> {
        let rule = BufRule { name: "FIELD_SAME_NAME".to_owned(), purpose: String::new() };
        Exceptions::parse(text, &|| Ok(vec![rule.clone()]))
    }

    fn entry(rule: &str, because: &str) -> String {
        format!("[[ignore]]\nrule = \"{rule}\"\nelement = \"acme.v1.A\"\nbecause = \"{because}\"\n")
    }

    #[test]
    fn our_rules_and_bufs_are_known() {
        for rule in ["HTTP_ROUTE_REMOVED", "FIELD_SAME_NAME"] {
            assert_eq!(parse(&entry(rule, "nobody calls it")).unwrap().ignore.len(), 1);
        }
        assert!(parse("").unwrap().ignore.is_empty());
    }

    #[test]
    fn exceptions_that_say_nothing_are_refused() {
        let twice = entry("RPC_REMOVED", "why") + &entry("RPC_REMOVED", "why");
        for (text, said) in [
            (entry("RPC_REMOVED", " "), "has no reason"),
            (entry("RPC_REMVOED", "why"), "no rule RPC_REMVOED"),
            (twice, "ignored twice"),
            ("[[ignore]]\nrule = \"RPC_REMOVED\"\nelement = \"a\"\n".to_owned(), "because"),
            (entry("RPC_REMOVED", "why") + "until = \"May\"\n", "until"),
        ] {
            let error = format!("{:#}", parse(&text).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
    }
}
