//! Contracts of any size, written by a program: what the generator is measured and
//! tested with.

use std::fmt::Write as _;

use crate::File;

/// How large a corpus is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Messages in all, those of RPCs included.
    pub messages: usize,
    /// RPCs in all; each needs two of the messages.
    pub rpcs: usize,
}

/// Messages of one package.
const MESSAGES: usize = 50;

/// The files of a corpus by their paths. Each package holds fifty messages with comments,
/// fields of most kinds, an enum, a oneof and a map, refers to the package before it, and
/// has its share of the RPCs, each with an HTTP mapping and an access rule.
#[must_use]
pub fn contracts(size: Size) -> Vec<File> {
    let packages = size.messages.div_ceil(MESSAGES).max(1);
    let mut rpcs = size.rpcs;
    let mut messages = size.messages;
    let files = (0..packages).map(|index| {
        let own_rpcs = rpcs.div_ceil(packages - index).min(MESSAGES / 2);
        let own_messages = messages.min(MESSAGES);
        (rpcs, messages) = (rpcs - own_rpcs, messages - own_messages);
        let path = format!("corpus/area{index}/v1/area{index}.proto");
        File::new(path, package(index, own_messages, own_rpcs))
    });
    files.collect()
}

fn package(index: usize, messages: usize, rpcs: usize) -> String {
    let mut text = format!(
        "syntax = \"proto3\";\n\n// What area {index} is about.\npackage corpus.area{index}.v1;\n\n\
         import \"google/api/annotations.proto\";\nimport \"google/protobuf/timestamp.proto\";\n\
         import \"treaty/v1/method.proto\";\n"
    );
    if let Some(before) = index.checked_sub(1) {
        let _ = writeln!(text, "import \"corpus/area{before}/v1/area{before}.proto\";");
    }
    let _ = write!(text, "\n// Answers for area {index}.\nservice Area{index}Service {{\n");
    for rpc in 0..rpcs {
        let _ = write!(
            text,
            "  // Fetches thing {rpc}.\n  //\n  // Or says that there is none.\n  \
             rpc FetchThing{rpc}(FetchThing{rpc}Request) returns (FetchThing{rpc}Response) {{\n    \
             option (google.api.http) = {{get: \"/v1/areas/{index}/things{rpc}/{{name}}\"}};\n    \
             option (treaty.v1.method) = {{access: [ACCESS_PUBLIC]}};\n  }}\n"
        );
    }
    text.push_str("}\n");
    for rpc in 0..rpcs {
        message(&mut text, index, &format!("FetchThing{rpc}Request"), None);
        message(&mut text, index, &format!("FetchThing{rpc}Response"), None);
    }
    for number in 0..messages.saturating_sub(2 * rpcs) {
        message(&mut text, index, &format!("Record{number}"), number.checked_sub(1));
    }
    text
}

fn message(text: &mut String, index: usize, name: &str, before: Option<usize>) {
    let _ = write!(
        text,
        "\n// A {name}, described in two lines as most are, with `code` and\n// [brackets].\n\
         message {name} {{\n  // Its name.\n  string name = 1;\n  // How many.\n  int64 count = 2;\n  \
         optional double share = 3;\n  repeated string tags = 4;\n  map<string, int32> counts = 5;\n  \
         // When.\n  google.protobuf.Timestamp create_time = 6;\n  Kind kind = 7;\n  bytes raw = 8;\n"
    );
    if let Some(before) = before {
        let _ = writeln!(text, "  // The one before.\n  Record{before} previous = 9;");
        if let Some(area) = index.checked_sub(1) {
            let _ = writeln!(text, "  repeated corpus.area{area}.v1.Record0 others = 10;");
        }
    }
    text.push_str(
        "  // What it carries.\n  oneof content {\n    string text = 11;\n    bool flag = 12;\n  }\n  \
         // Kinds of it.\n  enum Kind {\n    // Not known.\n    KIND_UNSPECIFIED = 0;\n    \
         // The first.\n    KIND_FIRST = 1;\n    KIND_SECOND = 2;\n  }\n}\n",
    );
}
