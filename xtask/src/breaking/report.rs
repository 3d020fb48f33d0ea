//! How findings are shown.

use std::fmt::Write as _;

use codegen::{Diagnostic, Diagnostics};
use serde_json::{Value, json};

use super::exceptions::{Exception, FILE};
use super::finding::Finding;

/// How to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs: one object.
    Json,
    /// Annotations of GitHub Actions.
    Github,
}

impl Format {
    /// Says that there was nothing to compare with.
    pub(super) fn say_nothing(self, why: &str) {
        match self {
            Self::Text => println!("{why}: nothing to compare with"),
            Self::Json => println!("{:#}", json!({"against": null, "why": why, "breaks": []})),
            Self::Github => println!("::notice title=breaking::{}", data(why)),
        }
    }
}

/// What a comparison has come to.
#[derive(Debug)]
pub(super) struct Report {
    /// What was compared with.
    pub(super) against: String,
    /// Folder of the contracts, as a reader writes it.
    pub(super) folder: String,
    /// What of the earlier contracts would be refused today, and may count for less than it said.
    pub(super) refused: Diagnostics,
    /// Everything found, by place.
    pub(super) findings: Vec<Finding>,
    /// Exceptions that nothing needed.
    pub(super) unused: Vec<Exception>,
}

impl Report {
    /// Findings that no exception lets through.
    pub(super) fn breaks(&self) -> usize {
        self.findings.iter().filter(|finding| finding.because.is_none()).count()
    }

    /// All of it.
    pub(super) fn show(&self, format: Format) -> String {
        match format {
            Format::Text => self.text(),
            Format::Json => format!("{:#}\n", self.json()),
            Format::Github => self.github(),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for Diagnostic { file, line, column, message, .. } in &self.refused.0 {
            let place = format!("{file}:{line}:{column} of {}", self.against);
            let _ =
                writeln!(text, "{place}: {message}: would be refused today, and may be misread");
        }
        for finding in &self.findings {
            let _ = writeln!(text, "{}: {} {}", self.place(finding), finding.rule, finding.element);
            let _ = writeln!(text, "  {}", finding.message);
            match &finding.because {
                Some(because) => {
                    let _ = writeln!(text, "  ignored: {because}");
                }
                None => {
                    let _ = writeln!(text, "  breaks: {}", finding.breaks);
                    let _ = writeln!(text, "  safely: {}", finding.safely);
                }
            }
        }
        for Exception { rule, element, because } in &self.unused {
            let _ = writeln!(
                text,
                "{}/{FILE}: unused: {rule} for {element} ({because}): take it out",
                self.folder
            );
        }
        let (breaks, ignored) = (self.breaks(), self.findings.len() - self.breaks());
        let _ = writeln!(
            text,
            "{} against {}, {ignored} ignored",
            match breaks {
                0 => "nothing breaks".to_owned(),
                1 => "1 break".to_owned(),
                more => format!("{more} breaks"),
            },
            self.against
        );
        text
    }

    fn place(&self, finding: &Finding) -> String {
        let Finding { file, line, column, .. } = finding;
        if finding.gone {
            format!("{file}:{line}:{column} of {}", self.against)
        } else {
            format!("{}/{file}:{line}:{column}", self.folder)
        }
    }

    fn json(&self) -> Value {
        let finding = |finding: &Finding| {
            let contracts = if finding.gone { self.against.as_str() } else { self.folder.as_str() };
            json!({
                "rule": finding.rule, "category": finding.category, "element": finding.element,
                "message": finding.message, "breaks": finding.breaks, "safely": finding.safely,
                "place": {
                    "contracts": contracts, "file": finding.file, "line": finding.line,
                    "column": finding.column,
                },
                "ignored": finding.because,
            })
        };
        let unused = |exception: &Exception| {
            let Exception { rule, element, because } = exception;
            json!({"rule": rule, "element": element, "because": because})
        };
        json!({
            "against": self.against,
            "breaks": self.findings.iter().map(finding).collect::<Vec<_>>(),
            "refused": self.refused.0.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "unused": self.unused.iter().map(unused).collect::<Vec<_>>(),
        })
    }

    /// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>
    fn github(&self) -> String {
        let mut text = String::new();
        for refused in &self.refused.0 {
            let said = data(&format!("of {}, would be refused today: {refused}", self.against));
            let _ = writeln!(text, "::warning title=breaking::{said}");
        }
        for finding in &self.findings {
            let kind = if finding.because.is_some() { "notice" } else { "error" };
            let mut properties = format!("title={}", property(&finding.rule));
            if !finding.gone {
                let file = property(&format!("{}/{}", self.folder, finding.file));
                let (line, column) = (finding.line, finding.column);
                let _ = write!(properties, ",file={file},line={line},col={column}");
            }
            let Finding { element, message, breaks, safely, .. } = finding;
            let rest = match &finding.because {
                Some(because) => format!("ignored: {because}"),
                None => format!("breaks: {breaks}\nsafely: {safely}"),
            };
            let said = data(&format!("{element}: {message}\n{rest}"));
            let _ = writeln!(text, "::{kind} {properties}::{said}");
        }
        for Exception { rule, element, .. } in &self.unused {
            let file = property(&format!("{}/{FILE}", self.folder));
            let said = data(&format!("unused: {rule} for {element}: take it out"));
            let _ = writeln!(text, "::warning title=breaking,file={file}::{said}");
        }
        text
    }
}

/// The text of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a workflow command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
