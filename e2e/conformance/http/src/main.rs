//! Runs the tables that it is given the files of, and prints what failed and the counts.
//!
//! `httprule FILE` reads grpc-gateway's `internal/httprule/parse_test.go`, `matcher FILE`
//! grpc-httpjson-transcoding's `test/path_matcher_test.cc`, `template FILE` its
//! `test/http_template_test.cc`, and `showcase FILE` gapic-showcase's
//! `compliance_suite.json`.

mod httprule;
mod matcher;
mod rendering;
#[cfg(feature = "showcase")]
mod showcase;
mod source;
mod template;

use std::process::ExitCode;

/// Cases of grpc-gateway of which grpc-httpjson-transcoding's tables say the opposite: a verb
/// without a path, an empty verb, a colon at the end of a variable. `google/api/http.proto`
/// has none of them. They count as failed, but do not make the run fail.
const KNOWN: [&str; 3] =
    ["TestTokenize /:LOCK", "TestParse /v1/{name}:", "TestParse /v1/{name=segment/wi:th}"];

/// What became of the cases of one table.
#[derive(Default)]
pub struct Score {
    passed: usize,
    failed: Vec<String>,
    known: Vec<String>,
    skipped: Vec<String>,
}

impl Score {
    /// Counts a case that passes or fails.
    pub fn count(&mut self, name: impl Into<String>, outcome: Result<(), String>) {
        let name = name.into();
        match outcome {
            Ok(()) => self.passed += 1,
            Err(why) if KNOWN.contains(&name.as_str()) => self.known.push(format!("{name}: {why}")),
            Err(why) => self.failed.push(format!("{name}: {why}")),
        }
    }

    /// Leaves a case out, and says why.
    pub fn skip(&mut self, name: impl Into<String>, why: &str) {
        self.skipped.push(format!("{}: {why}", name.into()));
    }

    /// The names of what did not pass, then the counts.
    fn print(&self, table: &str) {
        let groups = [("skipped", &self.skipped), ("known", &self.known), ("failed", &self.failed)];
        for (what, names) in groups {
            for name in names {
                println!("{what}: {table}: {name}");
            }
        }
        println!("{table}: {}", self.counts());
    }

    fn counts(&self) -> String {
        let failed = self.failed.len() + self.known.len();
        let skipped = self.skipped.len();
        format!("{} passed, {failed} failed, {skipped} skipped", self.passed)
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        self.known.extend(other.known);
        self.skipped.extend(other.skipped);
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut all = Score::default();
    while let (Some(table), Some(path)) = (arguments.next(), arguments.next()) {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::FAILURE;
            }
        };
        let score = match table.as_str() {
            "httprule" => httprule::run(&text),
            "matcher" => matcher::run(&text),
            "template" => template::run(&text),
            #[cfg(feature = "showcase")]
            "showcase" => showcase::run(&text),
            other => {
                eprintln!("no table `{other}`");
                return ExitCode::FAILURE;
            }
        };
        score.print(&table);
        if table == "template" {
            let (agreed, all) = template::of_peer(&text);
            println!(
                "(the crate http_path_template takes or refuses {agreed} of {all} templates rightly)"
            );
        }
        all.add(score);
    }
    println!("{}", all.counts());
    if all.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
