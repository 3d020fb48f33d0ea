//! Rules of `buf.validate` that do not fit what they stand on, or say nothing that can be meant.

use super::{HEAD, contract, table};

/// A contract that may use rules.
fn with_rules(body: &str) -> Vec<(&'static str, String)> {
    let import = "import \"buf/validate/validate.proto\";\n";
    contract(body)
        .into_iter()
        .map(|(path, text)| {
            // The last line of the head is blank: positions stay what they are elsewhere.
            let head = format!("{}{import}", HEAD.trim_end_matches('\n'));
            let head = head.replacen(";import", ";\nimport", 1);
            (path, text.replacen(HEAD, &head, 1))
        })
        .collect()
}

fn review(cases: &[(&'static str, String)]) -> String {
    table(cases.iter().map(|(name, body)| (*name, with_rules(body))))
}

fn field(declaration: &str, rules: &str) -> String {
    format!("message Order {{\n  {declaration} [(buf.validate.field){rules}];\n}}\n")
}

#[test]
fn standard_rules() {
    review!(review(&[
        ("of another kind", field("int32 pieces = 1", ".string.min_len = 1")),
        ("of a list on one", field("int32 pieces = 1", ".repeated.min_items = 1")),
        ("of one on a list", field("repeated int32 pieces = 1", ".int32.gt = 0")),
        ("of one on a map", field("map<string, int32> pieces = 1", ".map.keys.int32.gt = 0")),
        ("no expression", field("string name = 1", ".string.pattern = \"(\"")),
        ("in an item", field("repeated string names = 1", ".repeated.items.string.pattern = \"[\"")),
        (
            "a oneof rule without fields",
            "message Order {\n  option (buf.validate.message).oneof = {};\n}\n".to_owned(),
        ),
        (
            "a oneof rule of what is not there",
            "message Order {\n  option (buf.validate.message).oneof = {fields: [\"id\"]};\n}\n"
                .to_owned(),
        ),
        (
            "a oneof rule that repeats itself",
            "message Order {\n  option (buf.validate.message).oneof = {fields: [\"id\", \"id\"]};\n  \
             string id = 1;\n}\n"
                .to_owned(),
        ),
    ]));
}

#[test]
fn expressions() {
    let cel = |expression: &str| {
        let rule = format!(".cel = {{id: \"order.pieces\" expression: \"{expression}\"}}");
        field("int32 pieces = 1", &rule)
    };
    let message = |expression: &str| {
        format!(
            "message Order {{\n  option (buf.validate.message).cel = {{\n    id: \"order\"\n    \
             expression: \"{expression}\"\n  }};\n  int32 pieces = 1;\n  string id = 2;\n}}\n"
        )
    };
    review!(review(&[
        ("nothing", cel("")),
        ("half of one", cel("this >")),
        ("no closing bracket", cel("(this > 1")),
        ("an unknown name", cel("that > 1")),
        ("an unknown function", cel("this.isNice()")),
        ("an answer that is neither bool nor text", cel("this + 1")),
        ("types that do not fit", cel("this == 'one'")),
        ("a field of a number", cel("this.pieces > 1")),
        ("a field that is not there", message("this.piece > 1")),
        ("a comparison of fields that do not fit", message("this.pieces < this.id")),
        ("a wrong pattern", message("this.id.matches('(')")),
    ]));
}
