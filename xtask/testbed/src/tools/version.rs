//! Versions as tools print them.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A version of up to three numbers; what is not given counts as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

impl Version {
    /// Finds the version in what a tool prints for `--version`: the first word that begins with a
    /// digit, or with a `v` and a digit.
    pub fn find_in(text: &str) -> Option<Self> {
        text.split(|c: char| c.is_whitespace() || "(),".contains(c)).find_map(|word| {
            let word = word.strip_prefix('v').unwrap_or(word);
            word.starts_with(|c: char| c.is_ascii_digit()).then(|| word.parse().ok())?
        })
    }

    /// Whether this is what a Go program prints that was built without being told its version.
    pub(crate) fn is_unset(self) -> bool {
        self == Self { major: 0, minor: 0, patch: 0 }
    }
}

impl FromStr for Version {
    type Err = String;

    /// Reads `15`, `15.4`, `2.15.2`, and `2.15.2-rc.1` as 2.15.2.
    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("{text:?} is no version");
        let numbers = text.split(['-', '+', '~']).next().unwrap_or(text);
        let mut parts = [0; 3];
        for (index, part) in numbers.split('.').enumerate() {
            // Postgres calls its previews 18beta1.
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let number = part[..end].parse().map_err(|_| invalid())?;
            if let Some(slot) = parts.get_mut(index) {
                *slot = number;
            }
        }
        Ok(Self { major: parts[0], minor: parts[1], patch: parts[2] })
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad` keeps the width that a table asks for.
        formatter.pad(&format!("{}.{}.{}", self.major, self.minor, self.patch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u64, minor: u64, patch: u64) -> Option<Version> {
        Some(Version { major, minor, patch })
    }

    #[test]
    fn what_tools_print_is_understood() {
        for (text, expected) in [
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", version(15, 14, 0)),
            ("postgres (PostgreSQL) 18beta1", version(18, 0, 0)),
            ("nats-server: v2.15.2", version(2, 15, 2)),
            ("nats-server: v2.14.0-RC.1", version(2, 14, 0)),
            ("temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)", version(1, 5, 1)),
            ("temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)", version(0, 0, 0)),
            ("1.75.0\n", version(1, 75, 0)),
            ("v is for version", None),
            ("", None),
        ] {
            assert_eq!(Version::find_in(text), expected, "{text}");
        }
    }

    #[test]
    fn versions_are_ordered_by_number() {
        let order = ["1.5", "1.5.1", "1.10", "2.9.25", "2.12", "2.12.1", "15"];
        let versions: Vec<Version> = order.iter().map(|text| text.parse().unwrap()).collect();
        assert!(versions.is_sorted(), "{versions:?}");
        assert!("one".parse::<Version>().is_err());
    }
}
