use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::emit::rust;
use crate::load;
use crate::lower::{Settings, lower_with};
use crate::model::{Layout, Model};

/// A message for each length of names, so that each shape of code is there with lines just
/// below, at and above each limit.
fn contract() -> String {
    let mut text = "syntax = \"proto2\"; package acme.v1; message Empty {}\n".to_owned();
    for length in 1..=90 {
        let (upper, lower) = (format!("M{}", "a".repeat(length)), "f".repeat(length));
        let _ = write!(
            text,
            "message {upper} {{\n  enum Kind {{ A = 0; {0} = 1; B{0} = 2; }}\n  \
             enum {upper} {{ {upper}_A = 0; }}\n  message Inner {{}}\n  \
             required Inner {lower}_a = 1 [json_name = \"{0}\\\\\"];\n  \
             optional Kind {lower}_b = 2;\n  repeated {upper} {lower}_c = 3;\n  \
             map<string, Kind> {lower}_d = 4;\n  optional Inner {lower} = 5;\n  \
             oneof {lower}_o {{\n    string {lower}_e = 6;\n    Kind {lower}_f = 7;\n    \
             Inner {lower}_g = 8;\n  }}\n}}\n\
             message N{upper} {{ optional int32 a = 1; optional int32 {lower} = 2; }}\n",
            lower.to_uppercase(),
        );
    }
    text
}

fn model() -> Model {
    let texts = BTreeMap::from([("a.proto".to_owned(), contract())]);
    let contracts = load::from_texts(texts, &[]).unwrap();
    let settings = Settings { layout: Layout::Modules, allow_undeclared_access: true };
    lower_with(&contracts, settings).unwrap()
}

#[test]
fn lines_break_where_the_formatter_breaks_them() {
    let model = model();
    let file = super::emit(model.packages.first().unwrap());
    let written = file.text();
    // What follows is lists for macros, one message a line.
    let (written, _) = written.split_once("\n::treaty_json::messages!").unwrap();
    let formatted = rust::spaced(&prettyplease::unparse(&syn::parse_file(written).unwrap()));
    let written = written.strip_prefix(rust::HEADER).unwrap();
    for (index, (own, formatters)) in written.lines().zip(formatted.lines()).enumerate() {
        assert_eq!(own, formatters, "line {index}");
    }
    assert_eq!(written.lines().count(), formatted.lines().count());
}
