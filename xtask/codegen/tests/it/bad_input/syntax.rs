//! What is no valid contract at all.

use std::collections::BTreeSet;

use codegen::load;
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use tempfile::TempDir;

use super::{bodies, contract, table};
use crate::support::{generate, load};

#[test]
fn what_the_parser_refuses() {
    review!(bodies(&[
        ("syntax error", "message Order {\n  string order_id 1;\n}\n"),
        ("unknown type", "message Order {\n  Lines lines = 1;\n}\n"),
        ("two fields of one number", "message Order {\n  string a = 1;\n  string b = 1;\n}\n"),
        (
            "unknown value of an option",
            "service Shop {\n  rpc Buy(google.protobuf.Empty) returns (google.protobuf.Empty) {\n    \
             option (treaty.v1.method) = {access: [ACCESS_EVERYBODY]};\n  }\n}\n",
        ),
        (
            "unknown field of an option",
            "service Shop {\n  rpc Buy(google.protobuf.Empty) returns (google.protobuf.Empty) {\n    \
             option (treaty.v1.method) = {\n      access: [ACCESS_PUBLIC]\n      retries: 3\n    };\n  }\n}\n",
        ),
        ("unknown option", "option (treaty.v1.colour) = \"red\";\n"),
    ]));
}

#[test]
fn what_does_not_fit_together() {
    let mut missing = contract("");
    missing[0].1 = missing[0].1.replace("google/protobuf/empty.proto", "acme/nowhere.proto");
    let old = "syntax = \"proto2\";\n\npackage acme.shop.v1;\n\nmessage Order {}\n";
    review!(table([
        ("missing import", missing),
        ("proto2", vec![("acme/shop/v1/shop.proto", old.to_owned())]),
        ("no contract at all", vec![("README.md", String::new())]),
        ("no package", vec![("shop.proto", "syntax = \"proto3\";\nmessage Order {}\n".to_owned())]),
        (
            "two files with a mistake each",
            vec![
                ("acme/a/v1/a.proto", "syntax = \"proto3\"\n".to_owned()),
                ("acme/b/v1/b.proto", "syntax = \"proto3\";\npackage acme.b.v1\n".to_owned()),
            ],
        ),
    ]));
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let directory = TempDir::new().unwrap();
    let mistake = load(&directory.path().join("contracts")).unwrap_err().to_string();
    assert!(mistake.contains("contracts"), "{mistake}");
    assert!(mistake.contains("cannot be read"), "{mistake}");
}

/// The parser refuses such packages; an image may hold them all the same.
#[test]
fn a_package_of_an_image_cannot_leave_the_output() {
    let mut said = String::new();
    for package in [
        "..",
        "a/../../evil.v1",
        "/etc.v1",
        "acme.",
        "Acme.v1",
        "acme.v1\0",
        "acme.a__b",
        "a\\b.v1",
    ] {
        let file = FileDescriptorProto {
            name: Some("evil.proto".into()),
            package: Some(package.into()),
            message_type: vec![DescriptorProto { name: Some("M".into()), ..Default::default() }],
            syntax: Some("proto3".into()),
            ..Default::default()
        };
        let image = FileDescriptorSet { file: vec![file] }.encode_to_vec();
        let mistakes = load::from_image(image, BTreeSet::from(["evil.proto".to_owned()]))
            .and_then(|contracts| generate(&contracts))
            .unwrap_err();
        said += &format!("# {package:?}\n{mistakes}\n\n");
    }
    review!(said);
}
