//! Contracts and images that are broken at random: each is either generated or told what
//! is wrong with it; nothing panics.
//!
//! The inputs follow from a seed, so that a failure comes again. `TREATY_FUZZ` is the
//! number of inputs of each test, for a longer run:
//! `TREATY_FUZZ=1000000 cargo test --release -p codegen --test it fuzz`.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use codegen::load::{self, Contracts};
use codegen::lower::{Settings, lower_with};
use codegen::model::Layout;

use crate::support::includes;

/// Contracts of every syntax, with most of what can stand in one.
const SEEDS: [&str; 4] = [
    "syntax = \"proto3\";\npackage acme.a.v1;\n// An [order].\nmessage Order {\n  string type = 1;\n  \
     optional int32 n = 2;\n  repeated Kind kinds = 3;\n  map<string, Order> parts = 4;\n  \
     oneof match { bytes a = 5; Order b = 6; }\n  enum Kind { KIND_UNSPECIFIED = 0; KIND_A = -1; }\n  \
     reserved 7, 9 to 11;\n  reserved \"x\";\n}\n/* Answers. */\nservice Orders {\n  \
     rpc Get(Order) returns (Order);\n  rpc New(stream Order) returns (stream Order) {}\n}\n",
    "syntax = \"proto2\";\npackage acme.b;\nmessage M {\n  required string s = 1 [default = \"a\\n\\x41\"];\n  \
     optional double d = 2 [default = -inf];\n  optional bytes b = 3 [default = \"\\001\\377\"];\n  \
     repeated group G = 4 { optional E e = 1 [default = Y, deprecated = true]; }\n  \
     extensions 100 to max;\n}\nextend M { optional int32 ext = 100; }\nenum E { option allow_alias = true; X = 1; Y = 2; Z = 2; }\n",
    "edition = \"2023\";\npackage acme.c;\noption features.enum_type = CLOSED;\nmessage M {\n  \
     int32 a = 1 [features.field_presence = IMPLICIT];\n  M m = 2 [features = { message_encoding: DELIMITED }];\n  \
     repeated sint64 r = 3 [features.repeated_field_encoding = EXPANDED];\n  int64 d = 4 [default = 7];\n  reserved a1, b1;\n}\n",
    "syntax = \"proto3\";\npackage d;\nimport \"google/protobuf/timestamp.proto\";\nimport \"google/protobuf/type.proto\";\n\
     message Self { google.protobuf.Timestamp t = 1; google.protobuf.Type y = 2; message Self { Self self = 1; } }\n",
];

/// What else may stand between two characters.
const PIECES: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ";",
    "=",
    "\"",
    "'",
    "//",
    "/*",
    "*/",
    "\\",
    "0",
    "-1",
    "9999999999999999999999",
    "message",
    "oneof",
    "option",
    "stream",
    "reserved",
    "\u{202e}é",
    "\u{0}",
    "edition = \"2024\";",
    ".",
];

/// A generator of numbers (xorshift64*, Vigna 2016): the same ones for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// How many inputs a test takes.
fn inputs(usual: usize) -> usize {
    std::env::var("TREATY_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Breaks a text at a few places.
fn broken(text: &str, random: &mut Random) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(2) {
        let at = random.below(characters.len());
        let length = random.below(12).min(characters.len() - at);
        match random.below(5) {
            0 => drop(characters.drain(at..at + length)),
            1 => {
                let copy: Vec<char> = characters[at..at + length].to_vec();
                let to = random.below(characters.len());
                characters.splice(to..to, copy);
            }
            2 => {
                let piece = PIECES[random.below(PIECES.len())];
                characters.splice(at..at, piece.chars());
            }
            3 if !characters.is_empty() => {
                let other = random.below(characters.len());
                characters.swap(at, other);
            }
            _ => characters.truncate(at.max(characters.len() / 2)),
        }
    }
    characters.into_iter().collect()
}

fn settings(random: &mut Random) -> Settings {
    let layout = if random.below(2) == 0 { Layout::Crates } else { Layout::Modules };
    Settings { layout, allow_undeclared_access: true }
}

/// Goes on to the end of the road; whether that was reached.
fn generate(contracts: &Contracts, settings: Settings) -> bool {
    let Ok(model) = lower_with(contracts, settings) else { return false };
    !codegen::emit::emit(&model, contracts).is_empty()
}

#[test]
fn fuzz_broken_contracts_never_panic() {
    let mut generated = 0;
    let count = inputs(3_000);
    for seed in 1..=count {
        let mut random = Random(u64::try_from(seed).unwrap().wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let text = broken(SEEDS[random.below(SEEDS.len())], &mut random);
        let settings = settings(&mut random);
        let run = || {
            let texts = BTreeMap::from([("a.proto".to_owned(), text.clone())]);
            load::from_texts(texts, &[]).is_ok_and(|contracts| generate(&contracts, settings))
        };
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(reached) => generated += usize::from(reached),
            Err(_) => panic!("seed {seed} with {settings:?}:\n{text}"),
        }
    }
    // Otherwise only the parser would have been tested.
    assert!(generated > count / 100, "only {generated} of {count} inputs were generated");
}

#[test]
fn fuzz_broken_images_never_panic() {
    let images: Vec<Vec<u8>> = SEEDS
        .iter()
        .filter(|text| !text.starts_with("edition"))
        .map(|text| {
            let texts = BTreeMap::from([("a.proto".to_owned(), (*text).to_owned())]);
            load::from_texts(texts, &[]).unwrap().image
        })
        .collect();
    let mut generated = 0;
    let count = inputs(2_000);
    for seed in 1..=count {
        let mut random = Random(u64::try_from(seed).unwrap().wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut image = images[random.below(images.len())].clone();
        for _ in 0..=random.below(3) {
            if image.is_empty() {
                break;
            }
            let at = random.below(image.len());
            match random.below(4) {
                0 => image[at] = u8::try_from(random.below(256)).unwrap(),
                1 => image[at] ^= 1 << random.below(8),
                2 => image.truncate(at),
                _ => image.insert(at, u8::try_from(random.below(256)).unwrap()),
            }
        }
        let settings = settings(&mut random);
        let run = || {
            let roots = BTreeSet::from(["a.proto".to_owned()]);
            let contracts = load::from_image(image.clone(), roots);
            contracts.is_ok_and(|contracts| generate(&contracts, settings))
        };
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(reached) => generated += usize::from(reached),
            Err(_) => panic!("seed {seed} with {settings:?}: {image:?}"),
        }
    }
    assert!(generated > count / 100, "only {generated} of {count} images were generated");
}

/// What paths of HTTP rules are made of, right and wrong.
const PATH_PIECES: [&str; 20] = [
    "/",
    "v1",
    "{",
    "}",
    "{name}",
    "{name=",
    "*",
    "**",
    ":",
    "verb",
    "=",
    ".",
    "child.name",
    "n",
    "missing",
    "%2F",
    "?",
    "é",
    " ",
    "..",
];

#[test]
fn fuzz_paths_of_http_rules_never_panic() {
    let contract = |path: &str| {
        format!(
            "syntax = \"proto3\";\npackage acme.d.v1;\nimport \"google/api/annotations.proto\";\n\
             message Order {{ string name = 1; int32 n = 2; Order child = 3; }}\n\
             service Orders {{ rpc Get(Order) returns (Order) {{\n\
             option (google.api.http) = {{ get: \"{path}\" }};\n}} }}\n"
        )
    };
    let mut generated = 0;
    let count = inputs(1_000);
    for seed in 1..=count {
        let mut random = Random(u64::try_from(seed).unwrap().wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut path = String::from(if random.below(8) == 0 { "" } else { "/" });
        for _ in 0..=random.below(6) {
            path.push_str(PATH_PIECES[random.below(PATH_PIECES.len())]);
        }
        let settings = settings(&mut random);
        let run = || {
            let texts = BTreeMap::from([("a.proto".to_owned(), contract(&path))]);
            load::from_texts(texts, includes())
                .is_ok_and(|contracts| generate(&contracts, settings))
        };
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(reached) => generated += usize::from(reached),
            Err(_) => panic!("seed {seed} with {settings:?}: {path}"),
        }
    }
    // Right paths must be among them, and wrong ones.
    assert!(generated > count / 100 && generated < count, "{generated} of {count} were generated");
}

#[test]
fn depth_does_not_exhaust_the_stack() {
    let nest = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("syntax = \"proto3\";\n{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let deep = [
        nest("message M {", "", "}", 20_000),
        format!(
            "syntax = \"proto3\";\noption (a) = {{{}{}}};",
            "a {".repeat(20_000),
            "}".repeat(20_000)
        ),
        format!(
            "syntax = \"proto3\";\noption (a) = {{ x: {}1{} }};",
            "[".repeat(20_000),
            "]".repeat(20_000)
        ),
        format!("syntax = \"proto3\";\npackage {}a;\nmessage M {{}}", "a.".repeat(20_000)),
        format!("edition = \"2023\";\nmessage M {{ {} }}", "reserved a; ".repeat(20_000)),
    ];
    for text in deep {
        let texts = BTreeMap::from([("a.proto".to_owned(), text)]);
        let settings = Settings { layout: Layout::Modules, allow_undeclared_access: true };
        if let Ok(contracts) = load::from_texts(texts, &[]) {
            generate(&contracts, settings);
        }
    }
}
