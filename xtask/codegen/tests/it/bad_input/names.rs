//! Names that Rust cannot have, or cannot have twice.

use super::{bodies, contract, table};

#[test]
fn names_without_a_letter() {
    review!(bodies(&[("message", "message _ {}\n"), ("enum", "enum __ {\n  A = 0;\n}\n")]));
}

#[test]
fn names_that_meet_in_one_message() {
    review!(bodies(&[
        ("two messages", "message Order {\n  message HttpLog {}\n  message HTTPLog {}\n}\n"),
        (
            "message and enum",
            "message Order {\n  message Kind {}\n  enum kind {\n    KIND_A = 0;\n  }\n}\n"
        ),
        (
            "two oneofs",
            "message Order {\n  oneof how_paid {\n    string a = 1;\n  }\n  oneof howPaid {\n    string b = 2;\n  }\n}\n"
        ),
    ]));
}

#[test]
fn names_that_meet_in_one_package() {
    review!(bodies(&[
        ("two messages", "message HttpLog {}\nmessage HTTPLog {}\n"),
        (
            "message and enum",
            "message order_state {}\nenum OrderState {\n  ORDER_STATE_UNSPECIFIED = 0;\n}\n"
        ),
        ("module of nested types and one of every crate", "message Json {\n  message A {}\n}\n"),
        (
            "message and the client of a service in a port",
            "option (treaty.v1.deployable) = {name: \"shop\" serves: [\"acme.shop.v1.Shop\"]};\n\
             message ShopClient {}\n\nservice Shop {\n  FINE\n}\n"
        ),
        (
            "two RPCs",
            "service Shop {\n  FINE\n  rpc fine(google.protobuf.Empty) returns (google.protobuf.Empty) {\n    \
             option (treaty.v1.method) = {access: [ACCESS_PUBLIC]};\n  }\n}\n",
        ),
        (
            "RPC and a route's constant",
            "service Shop {\n  rpc Get(google.protobuf.Empty) returns (google.protobuf.Empty) {\n    \
             option (google.api.http) = {get: \"/v1/x\"};\n    \
             option (treaty.v1.method) = {access: [ACCESS_PUBLIC]};\n  }\n  \
             rpc GetRoute(google.protobuf.Empty) returns (google.protobuf.Empty) {\n    \
             option (treaty.v1.method) = {access: [ACCESS_PUBLIC]};\n  }\n}\n",
        ),
    ]));
}

fn file(package: &str, body: &str) -> String {
    format!("syntax = \"proto3\";\n\npackage {package};\n\n{body}\n")
}

#[test]
fn packages_that_meet() {
    let order = "message Order {}";
    review!(table([
        (
            "one crate",
            vec![
                ("acme/a.proto", file("acme.big_shop.v1", order)),
                ("acme/b.proto", file("acme.big.shop.v1", order)),
            ],
        ),
        (
            "one module in ports",
            vec![
                ("acme/a.proto", file("acme.shop.v1", order)),
                ("other/a.proto", file("other.shop.v1", order)),
            ],
        ),
        ("a crate of the platform", vec![("treaty/rpc.proto", file("treaty.rpc", order))]),
        ("a crate of anybody", vec![("serde.proto", file("serde", order))]),
        ("upper case", vec![("acme/a.proto", file("acme.Shop.v1", order))]),
        (
            "a circle",
            vec![
                (
                    "acme/a1.proto",
                    file(
                        "acme.a.v1",
                        "import \"acme/b1.proto\";\nmessage A1 {\n  acme.b.v1.B1 b = 1;\n}"
                    )
                ),
                ("acme/a2.proto", file("acme.a.v1", "message A2 {}")),
                (
                    "acme/b1.proto",
                    file(
                        "acme.b.v1",
                        "import \"acme/a2.proto\";\nmessage B1 {\n  acme.a.v1.A2 a = 1;\n}"
                    )
                ),
            ],
        ),
    ]));
}

#[test]
fn types_that_are_not_generated() {
    let mut cases = vec![(
        "a descriptor",
        contract(
            "import \"google/protobuf/descriptor.proto\";\nmessage Order {\n  google.protobuf.FileOptions options = 1;\n}\n",
        ),
    )];
    cases.push((
        "the vocabulary",
        contract("service Shop {\n  rpc Buy(treaty.v1.Handler) returns (google.protobuf.Empty) {\n    \
                  option (treaty.v1.method) = {access: [ACCESS_PUBLIC]};\n  }\n}\nmessage Order {\n  map<string, treaty.v1.Stream> streams = 1;\n}\n"),
    ));
    review!(table(cases));
}
