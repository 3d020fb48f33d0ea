//! Answers protovalidate's conformance runner: reads cases from standard input, checks
//! each by generated code, writes the outcomes to standard output. Part of it is written
//! by `cargo xtask conformance validate`.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};

use prost::Message;
use treaty_validate::{Element, Problem, Report, Subscript, Validate};

mod registry;

/// `buf.validate.conformance.harness.TestConformanceRequest`, without the descriptors:
/// the types are compiled in.
#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(map = "string, message", tag = "3")]
    cases: HashMap<String, prost_types::Any>,
}

/// `buf.validate.conformance.harness.TestConformanceResponse`
#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(map = "string, message", tag = "1")]
    results: HashMap<String, TestResult>,
}

/// `buf.validate.conformance.harness.TestResult`
#[derive(Clone, PartialEq, Message)]
struct TestResult {
    #[prost(oneof = "Outcome", tags = "1, 2, 3, 4, 5")]
    result: Option<Outcome>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Outcome {
    #[prost(bool, tag = "1")]
    Success(bool),
    #[prost(message, tag = "2")]
    Validation(Violations),
    #[prost(string, tag = "3")]
    Compilation(String),
    #[prost(string, tag = "4")]
    Runtime(String),
    #[prost(string, tag = "5")]
    Unexpected(String),
}

/// `buf.validate.Violations`
#[derive(Clone, PartialEq, Message)]
struct Violations {
    #[prost(message, repeated, tag = "1")]
    violations: Vec<Violation>,
}

/// `buf.validate.Violation`
#[derive(Clone, PartialEq, Message)]
struct Violation {
    #[prost(message, optional, tag = "5")]
    field: Option<FieldPath>,
    #[prost(message, optional, tag = "6")]
    rule: Option<FieldPath>,
    #[prost(string, optional, tag = "2")]
    rule_id: Option<String>,
    #[prost(string, optional, tag = "3")]
    message: Option<String>,
    #[prost(bool, optional, tag = "4")]
    for_key: Option<bool>,
}

/// `buf.validate.FieldPath`
#[derive(Clone, PartialEq, Message)]
struct FieldPath {
    #[prost(message, repeated, tag = "1")]
    elements: Vec<FieldPathElement>,
}

/// `buf.validate.FieldPathElement`
#[derive(Clone, PartialEq, Message)]
struct FieldPathElement {
    #[prost(int32, optional, tag = "1")]
    field_number: Option<i32>,
    #[prost(string, optional, tag = "2")]
    field_name: Option<String>,
    #[prost(int32, optional, tag = "3")]
    field_type: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    key_type: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    value_type: Option<i32>,
    #[prost(oneof = "Key", tags = "6, 7, 8, 9, 10")]
    subscript: Option<Key>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Key {
    #[prost(uint64, tag = "6")]
    Index(u64),
    #[prost(bool, tag = "7")]
    Bool(bool),
    #[prost(int64, tag = "8")]
    Int(i64),
    #[prost(uint64, tag = "9")]
    Uint(u64),
    #[prost(string, tag = "10")]
    Text(String),
}

fn element(element: &Element) -> FieldPathElement {
    FieldPathElement {
        field_number: element.number.and_then(|number| i32::try_from(number).ok()),
        field_name: Some(element.name.to_string()),
        field_type: element.kind.map(|kind| kind as i32),
        key_type: element.entry.map(|(key, _)| key as i32),
        value_type: element.entry.map(|(_, value)| value as i32),
        subscript: element.subscript.as_ref().and_then(|subscript| {
            Some(match subscript {
                Subscript::Index(index) => Key::Index(*index),
                Subscript::Bool(key) => Key::Bool(*key),
                Subscript::Int(key) => Key::Int(*key),
                Subscript::Uint(key) => Key::Uint(*key),
                Subscript::Text(key) => Key::Text(key.clone()),
                Subscript::Hidden => return None,
            })
        }),
    }
}

fn path<'a>(elements: impl Iterator<Item = &'a Element>) -> Option<FieldPath> {
    let elements: Vec<_> = elements.map(element).collect();
    (!elements.is_empty()).then_some(FieldPath { elements })
}

/// Decodes a message and checks it.
fn check<M: Message + Default + Validate>(bytes: &[u8]) -> Outcome {
    let message = match M::decode(bytes) {
        Ok(message) => message,
        Err(error) => return Outcome::Unexpected(error.to_string()),
    };
    let mut report = Report::default();
    message.check(&mut report);
    let found = report.into_violations();
    if found.is_empty() {
        return Outcome::Success(true);
    }
    let undecided = found.iter().find_map(|violation| match &violation.problem {
        Problem::Undecided(error) => Some(error.to_string()),
        Problem::Broken(_) => None,
    });
    if let Some(error) = undecided {
        return Outcome::Runtime(error);
    }
    let violations = found.iter().map(|violation| Violation {
        field: path(violation.field()),
        rule: path(violation.rule()),
        rule_id: Some(violation.rule_id.to_string()),
        message: Some(violation.message().into_owned()),
        for_key: violation.for_key.then_some(true),
    });
    Outcome::Validation(Violations { violations: violations.collect() })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let request = Request::decode(bytes.as_slice())?;
    let results = request.cases.into_iter().map(|(name, case)| {
        let ty = case.type_url.rsplit('/').next().unwrap_or_default();
        let outcome = registry::run(ty, &case.value)
            .unwrap_or_else(|| Outcome::Unexpected(format!("{ty} was not generated")));
        (name, TestResult { result: Some(outcome) })
    });
    let response = Response { results: results.collect() };
    std::io::stdout().write_all(&response.encode_to_vec())?;
    Ok(())
}
