//! What the runner of protobuf's conformance suite found, from what it says.

use std::collections::BTreeMap;

/// What the runner found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Tests by what they are about, such as `proto3 JSON`.
    pub suites: BTreeMap<String, Tests>,
    pub passed: u64,
    pub skipped: u64,
    pub failed: Vec<String>,
    pub known: Vec<String>,
}

/// How many tests there are, and how many of them failed, known ones included.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tests {
    pub required: u64,
    pub recommended: u64,
    pub failed: u64,
}

impl Report {
    /// Whether nothing failed but what is known to, and nothing at all of proto3's JSON,
    /// for which the list of known failures is not meant.
    pub fn is_good(&self) -> bool {
        let json = self.suites.get("proto3 JSON").map_or(0, |tests| tests.failed);
        self.failed.is_empty() && json == 0 && self.passed > 0
    }
}

/// Reads the line with the sums of the suite of JSON and wire: tests that passed and that
/// were skipped. That of the text format, which has no tests of ours, follows it.
pub fn sums(said: &str) -> Option<(u64, u64)> {
    let mut lines = said.lines().filter(|line| line.starts_with("CONFORMANCE SUITE "));
    let (_, sums) = lines.next()?.split_once(": ")?;
    let number = |label: &str| {
        let part = sums.split(", ").find(|part| part.contains(label))?;
        part.split(' ').next()?.parse().ok()
    };
    Some((number("successes")?, number("skipped")?))
}

/// Counts the tests that the runner names one by one.
pub fn suites(said: &str, failed: &[String], known: &[String]) -> BTreeMap<String, Tests> {
    let mut suites = BTreeMap::<String, Tests>::new();
    for line in said.lines() {
        let name = line.strip_prefix("conformance test: name=").unwrap_or_default();
        // Names may have brackets, but no comma.
        let name = name.split(',').next().unwrap_or_default();
        let Some((level, suite)) = place(name) else { continue };
        let tests = suites.entry(suite).or_default();
        match level {
            "Required" => tests.required += 1,
            _ => tests.recommended += 1,
        }
    }
    for name in failed.iter().chain(known) {
        if let Some((_, suite)) = place(name) {
            suites.entry(suite).or_default().failed += 1;
        }
    }
    suites
}

/// Level and suite of a test such as `Required.Proto3.JsonInput.Int32FieldMax.JsonOutput`.
fn place(name: &str) -> Option<(&str, String)> {
    let mut parts = name.splitn(3, '.');
    let (level, syntax, rest) = (parts.next()?, parts.next()?, parts.next()?);
    if rest.contains("TextFormat") {
        return None;
    }
    let syntax = match syntax {
        "Proto2" => "proto2",
        "Proto3" => "proto3",
        _ => "editions",
    };
    let form = if rest.contains("Json") { "JSON" } else { "wire" };
    Some((level, format!("{syntax} {form}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sums_are_those_of_json_and_wire() {
        let said = "\n\nCONFORMANCE SUITE FAILED: 5493 successes, 2 skipped, 3 expected failures, \
                    74 unexpected failures.\n\nCONFORMANCE SUITE PASSED: 0 successes, 883 skipped, \
                    0 expected failures, 0 unexpected failures.\n";
        assert_eq!(sums(said), Some((5493, 2)));
        assert_eq!(sums("Segmentation fault"), None);
    }

    #[test]
    fn tests_are_counted_by_what_they_are_about() {
        let tests = [
            "Required.Proto3.JsonInput.AllFieldAcceptNull.JsonOutput",
            "Recommended.Proto3.ProtobufInput.ValidDataMap[STRING][MESSAGE].JsonOutput",
            "Required.Proto3.ProtobufInput.UnknownVarint.ProtobufOutput",
            "Required.Editions_Proto2.JsonInput.FieldName.ProtobufOutput",
            "Required.Proto3.TextFormatInput.Comment.ProtobufOutput",
        ];
        let said: String = tests
            .iter()
            .flat_map(|name| ["conformance test: name=", name, ", request=x, response=y\n"])
            .collect();
        let failed = ["Required.Proto3.ProtobufInput.UnknownVarint.ProtobufOutput".to_owned()];
        let tests = |required, recommended, failed| Tests { required, recommended, failed };
        let expected = [
            ("editions JSON".to_owned(), tests(1, 0, 0)),
            ("proto3 JSON".to_owned(), tests(1, 1, 0)),
            ("proto3 wire".to_owned(), tests(1, 0, 1)),
        ];
        assert_eq!(suites(&said, &[], &failed), expected.into());
    }

    #[test]
    fn only_a_report_with_tests_and_without_failures_is_good() {
        let good = || Report { passed: 1, ..Report::default() };
        assert!(good().is_good());
        assert!(!Report { passed: 0, skipped: 9, ..good() }.is_good());
        assert!(!Report { failed: vec!["a".to_owned()], ..good() }.is_good());
        let name = "Required.Proto3.JsonInput.AllFieldAcceptNull.JsonOutput".to_owned();
        assert!(Report { known: vec!["a".to_owned()], ..good() }.is_good());
        let excused = suites("", &[], std::slice::from_ref(&name));
        assert!(!Report { suites: excused, known: vec![name], ..good() }.is_good());
    }
}
