//! Every rule of `buf.validate`: what a change of it does to the values that an event may hold.

use std::fmt::Write as _;
use std::fs;

use codegen::breaking;
use codegen::model::Model;
use tempfile::TempDir;

use crate::support;

/// Type of a field, its options before and after, and what is found to be tighter and looser.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    ("string", "", "", "", ""),
    ("string", "", "(F).required = true", "required is new", ""),
    ("string", "(F).required = true", "", "", "required is gone"),
    ("string", "", "(F).string.min_len = 1", "min_len was missing, is 1", ""),
    ("string", "(F).string.min_len = 1", "(F).string.min_len = 2", "min_len was 1, is 2", ""),
    ("string", "(F).string.min_len = 1", "", "", "min_len was 1, is gone"),
    ("string", "(F).string.max_len = 5", "(F).string.max_len = 4", "max_len was 5, is 4", ""),
    ("string", "(F).string.max_len = 5", "(F).string.max_len = 6", "", "max_len was 5, is 6"),
    ("string", "(F).string.len = 5", "(F).string = {min_len: 5 max_len: 5}", "", ""),
    ("string", "(F).string.len = 5", "(F).string.min_len = 5", "", "max_len was 5, is gone"),
    ("string", "(F).string.max_bytes = 5", "(F).string.max_bytes = 4", "max_bytes was 5, is 4", ""),
    (
        "string",
        "(F).string.pattern = \"^a\"",
        "(F).string.pattern = \"^b\"",
        "pattern was `^a`, is `^b`",
        "pattern was `^a`, is `^b`",
    ),
    ("string", "", "(F).string.uuid = true", "format was missing, is `uuid`", ""),
    ("string", "(F).string.email = true", "", "", "format was `email`, is gone"),
    ("string", "", "(F).string.prefix = \"a\"", "prefix was missing, is `a`", ""),
    ("string", "", "(F).string.suffix = \"a\"", "suffix was missing, is `a`", ""),
    ("string", "", "(F).string.contains = \"a\"", "contains was missing, is `a`", ""),
    ("string", "", "(F).string.not_contains = \"a\"", "not_contains was missing, is `a`", ""),
    (
        "string",
        "(F).string.in = \"a\", (F).string.in = \"b\"",
        "(F).string.in = \"b\", (F).string.in = \"c\"",
        "in no longer has \"a\"",
        "in has \"c\"",
    ),
    ("string", "(F).string.const = \"a\"", "(F).string.in = \"a\"", "", ""),
    ("string", "", "(F).string.not_in = \"a\"", "not_in was missing, is \"a\"", ""),
    (
        "string",
        "(F).string.not_in = \"a\"",
        "(F).string.not_in = \"b\"",
        "not_in has \"b\"",
        "not_in no longer has \"a\"",
    ),
    (
        "string",
        "",
        "(F).string.not_contains = \"\\000\"",
        "not_contains was missing, is `\\u{0}`",
        "",
    ),
    ("string", "", "(F).string.example = \"a\"", "", ""),
    ("bytes", "", "(F).bytes.max_len = 4", "max_len was missing, is 4", ""),
    ("bytes", "(F).bytes.ip = true", "", "", "format was `ip`, is gone"),
    ("bytes", "", "(F).bytes.prefix = \"\\001\"", "prefix was missing, is `\"\\x01\"`", ""),
    ("bool", "", "(F).bool.const = true", "const was missing, is true", ""),
    ("int32", "(F).int32.gt = 4", "(F).int32.gte = 5", "", ""),
    ("int32", "(F).int32.gt = 4", "(F).int32.gt = 5", "lower bound was > 4, is > 5", ""),
    ("int32", "(F).int32.lte = 4", "(F).int32.lt = 4", "upper bound was <= 4, is < 4", ""),
    ("uint64", "(F).uint64.lt = 4", "(F).uint64.lte = 4", "", "upper bound was < 4, is <= 4"),
    ("sint64", "", "(F).sint64.not_in = 0", "not_in was missing, is 0", ""),
    (
        "double",
        "(F).double.gte = 0.5",
        "(F).double.gt = 0.5",
        "lower bound was >= 0.5, is > 0.5",
        "",
    ),
    (
        "double",
        "(F).double.gt = 0.5",
        "(F).double.gte = 0.5",
        "",
        "lower bound was > 0.5, is >= 0.5",
    ),
    ("double", "", "(F).double.finite = true", "finite was missing, is true", ""),
    (
        "int32",
        "(F).int32 = {gt: 9 lt: 1}",
        "(F).int32 = {gt: 9 lt: 2}",
        "range was `> 9 or < 1`, is `> 9 or < 2`",
        "range was `> 9 or < 1`, is `> 9 or < 2`",
    ),
    ("Kind", "", "(F).enum.defined_only = true", "defined_only was missing, is 0, 1", ""),
    ("Kind", "(F).enum.const = 1", "", "", "in was 1, is gone"),
    ("repeated string", "", "(F).repeated.min_items = 1", "min_items was missing, is 1", ""),
    ("repeated string", "(F).repeated.max_items = 3", "", "", "max_items was 3, is gone"),
    ("repeated string", "", "(F).repeated.unique = true", "unique was missing, is true", ""),
    (
        "repeated string",
        "(F).repeated.items.string.max_len = 9",
        "(F).repeated.items.string.max_len = 8",
        "items: max_len was 9, is 8",
        "",
    ),
    (
        "map<string, int32>",
        "(F).map.keys.string.max_len = 9",
        "(F).map.values.int32.gt = 8",
        "values: lower bound was missing, is > 8",
        "keys: max_len was 9, is gone",
    ),
    ("map<string, int32>", "", "(F).map.max_pairs = 9", "max_pairs was missing, is 9", ""),
    (
        "google.protobuf.Duration",
        "(F).duration.lte = {seconds: 5}",
        "(F).duration.lte = {seconds: 4 nanos: 500000000}",
        "upper bound was <= 5 s, is <= 4.5 s",
        "",
    ),
    (
        "google.protobuf.Timestamp",
        "",
        "(F).timestamp.lt_now = true",
        "lt_now was missing, is true",
        "",
    ),
    (
        "google.protobuf.Timestamp",
        "(F).timestamp.within = {seconds: 60}",
        "(F).timestamp.within = {seconds: 90}",
        "",
        "within was 60 s, is 90 s",
    ),
    ("google.protobuf.FieldMask", "", "(F).field_mask.in = \"a\"", "in was missing, is a", ""),
    ("google.protobuf.Any", "", "(F).any.in = \"a/b\"", "in was missing, is a/b", ""),
    ("google.protobuf.StringValue", "", "(F).string.min_len = 2", "min_len was missing, is 2", ""),
    ("Part", "", "(F).required = true", "required is new", ""),
    ("Part", "", "(F).ignore = IGNORE_ALWAYS", "", "ignore was not, is always"),
    ("Part", "(F).ignore = IGNORE_ALWAYS", "", "ignore was always, is not", ""),
    ("string", "", "(F).ignore = IGNORE_ALWAYS", "", ""),
    (
        "string",
        "(F).string.min_len = 1, (F).ignore = IGNORE_IF_ZERO_VALUE",
        "(F).string.min_len = 1",
        "the zero value was let through, is not",
        "",
    ),
    (
        "string",
        "(F).string.max_len = 1, (F).ignore = IGNORE_IF_ZERO_VALUE",
        "(F).string.max_len = 1",
        "",
        "",
    ),
    (
        "int32",
        "(F).int32.gt = 1",
        "(F).int32.gt = 1, (F).ignore = IGNORE_IF_ZERO_VALUE",
        "",
        "the zero value was not let through, is",
    ),
    (
        "int32",
        "(F).cel = {id: \"odd\" expression: \"this % 2 == 1\"}",
        "(F).cel = {id: \"odd\" message: \"must be odd\" expression: \"this  %  2 == 1\"}",
        "",
        "",
    ),
    (
        "int32",
        "(F).cel = {id: \"odd\" expression: \"this % 2 == 1\"}",
        "(F).cel = {id: \"odd\" expression: \"this % 2 == 0\"}",
        "expression `odd` is new or another",
        "expression `odd` is gone or another",
    ),
    ("int32", "", "(F).int32.(even) = true", "expression `even` is new or another", ""),
    // Fields that come: `-` says that there was none.
    (
        "string",
        "-",
        "(F).string.min_len = 1",
        "the field is new, and min_len 1 refuses its absence",
        "",
    ),
    ("string", "-", "(F).string.pattern = \"^a*$\"", "", ""),
    (
        "string",
        "-",
        "(F).string.pattern = \"^a+$\"",
        "the field is new, and pattern `^a+$` refuses its absence",
        "",
    ),
    ("string", "-", "(F).string.min_len = 1, (F).ignore = IGNORE_IF_ZERO_VALUE", "", ""),
    ("string", "-", "(F).string = {max_len: 9 not_in: \"a\" not_contains: \"b\"}", "", ""),
    ("optional string", "-", "(F).string.min_len = 1", "", ""),
    ("int64", "-", "(F).int64 = {gte: 0 lte: 5}", "", ""),
    (
        "int64",
        "-",
        "(F).int64.lt = 0",
        "the field is new, and upper bound < 0 refuses its absence",
        "",
    ),
    ("repeated string", "-", "(F).repeated.items.string.min_len = 1", "", ""),
    (
        "repeated string",
        "-",
        "(F).repeated.min_items = 1",
        "the field is new, and min_items 1 refuses its absence",
        "",
    ),
    ("Part", "-", "(F).required = true", "the field is new and required", ""),
    (
        "int32",
        "-",
        "(F).cel = {id: \"odd\" expression: \"this % 2 == 1\"}",
        "the field is new, and perhaps expression `odd` refuses its absence",
        "",
    ),
];

const HEAD: &str = r#"syntax = "proto3";
package acme.rules.v1;
import "buf/validate/validate.proto";
import "google/protobuf/any.proto";
import "google/protobuf/descriptor.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "treaty/v1/event.proto";
option (treaty.v1.stream) = {name: "rules" retention: RETENTION_LIMITS};
extend buf.validate.Int32Rules {
  bool even = 1234 [(buf.validate.predefined).cel = {
    id: "even" expression: "!rule || this % 2 == 0"
  }];
}
enum Kind { KIND_UNSPECIFIED = 0; KIND_ONE = 1; }
message Part { string name = 1 [(buf.validate.field).string.min_len = 1]; }
message Told {
  option (treaty.v1.event) = {stream: "rules" subject: "rules.told"};
"#;

/// An event with a field for each case, by the options on one side of it.
fn model(side: impl Fn(&Case) -> &'static str) -> Model {
    let mut text = HEAD.to_owned();
    for (index, case) in CASES.iter().enumerate() {
        let options = match side(case) {
            "-" => continue,
            "" => String::new(),
            options => format!(" [{}]", options.replace("(F)", "(buf.validate.field)")),
        };
        let _ = writeln!(text, "  {} f{index} = {}{options};", case.0, index + 1);
    }
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("acme/rules/v1");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("rules.proto"), text + "}\n").unwrap();
    let contracts = support::load(directory.path()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    codegen::lower::lower(&contracts).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn each_rule_says_which_way_it_moved() {
    let breaks = breaking::compare(&model(|case| case.1), &model(|case| case.2));
    for (index, (ty, was, is, tighter, looser)) in CASES.iter().enumerate() {
        let element = format!("acme.rules.v1.Told.f{index}");
        let found = |rule: &str| {
            let mut of_field = breaks.iter().filter(|found| found.element == element);
            let found = of_field.find(|found| found.rule.name == rule);
            found.map_or("", |found| found.message.as_str())
        };
        let said = (found("VALIDATION_TIGHTENED"), found("VALIDATION_LOOSENED"));
        assert_eq!(said, (*tighter, *looser), "{ty}: [{was}] became [{is}]");
    }
}
