//! RPCs: who may call, and under which path.

use super::bodies;

/// A service of one RPC with these options.
fn rpc(options: &str) -> String {
    format!(
        "message Request {{\n  string shop_id = 1;\n  repeated string tags = 2;\n  Request inner = 3;\n}}\n\
         service Shop {{\n  rpc Buy(Request) returns (google.protobuf.Empty) {{\n{options}\n  }}\n}}\n"
    )
}

const PUBLIC: &str = "    option (treaty.v1.method) = {access: [ACCESS_PUBLIC]};";

fn said(cases: &[(&str, String)]) -> String {
    let cases: Vec<_> = cases.iter().map(|(name, body)| (*name, body.as_str())).collect();
    bodies(&cases)
}

#[test]
fn rules_of_rpcs() {
    let method = |rule: &str| rpc(&format!("    option (treaty.v1.method) = {{{rule}}};"));
    let streaming = |text: &str| {
        rpc(&format!("{PUBLIC}\n    option (google.api.http) = {{get: \"/v1/buy\"}};"))
            .replace("(Request) returns (", text)
    };
    review!(said(&[
        ("no access rule", rpc("    option deprecated = true;")),
        ("no access in the rule", method("deadline: {seconds: 1}")),
        ("nobody", method("access: [ACCESS_UNSPECIFIED]")),
        ("public and more", method("access: [ACCESS_PUBLIC, ACCESS_CALLERS]")),
        ("twice", method("access: [ACCESS_CALLERS, ACCESS_CALLERS]")),
        ("no time", method("access: [ACCESS_PUBLIC] deadline: {}")),
        ("negative time", method("access: [ACCESS_PUBLIC] deadline: {seconds: -1}")),
        ("request stream", streaming("(stream Request) returns (")),
        (
            "workflow outside of a workflow service",
            rpc(
                "    option (treaty.v1.workflow) = {};\n    option (treaty.v1.method) = {access: [ACCESS_PUBLIC]};"
            )
        ),
    ]));
}

#[test]
fn paths() {
    let http = |rule: &str| rpc(&format!("{PUBLIC}\n    option (google.api.http) = {{{rule}}};"));
    review!(said(&[
        ("no slash", http("get: \"v1/shops\"")),
        ("empty segment", http("get: \"/v1//shops\"")),
        ("dots", http("get: \"/v1/../shops\"")),
        ("rest in the middle", http("get: \"/v1/{shop_id=**}/*\"")),
        ("open brace", http("get: \"/v1/{shop_id\"")),
        ("text after a variable", http("get: \"/v1/{shop_id}.json\"")),
        ("empty verb", http("get: \"/v1/shops:\"")),
        ("nested field", http("get: \"/v1/{inner.shop}\"")),
        ("through a list", http("get: \"/v1/{tags.shop_id}\"")),
        ("no such field", http("get: \"/v1/{shop}\"")),
        ("repeated field", http("get: \"/v1/{tags}\"")),
        ("message field", http("get: \"/v1/{inner}\"")),
        ("variable twice", http("get: \"/v1/{shop_id}/{shop_id}\"")),
        ("body of a get", http("get: \"/v1/shops\" body: \"*\"")),
        ("no such body", http("post: \"/v1/shops\" body: \"outer\"")),
        ("nested body", http("post: \"/v1/shops\" body: \"inner.inner\"")),
        ("no such response body", http("get: \"/v1/shops\" response_body: \"inner\"")),
        ("selector", http("selector: \"acme\" get: \"/v1/shops\"")),
        ("no method", http("custom: {kind: \"HE AD\" path: \"/v1/shops\"}")),
        (
            "nested bindings",
            http(
                "get: \"/v1/a\" additional_bindings {get: \"/v1/b\" additional_bindings {get: \"/v1/c\"}}"
            )
        ),
        ("no path", http("body: \"*\"")),
    ]));
}

/// Two RPCs with these routes.
fn two(first: &str, second: &str) -> String {
    let request = "message Request {\n  string shop_id = 1;\n  string name = 2;\n}\n";
    let rpc = |name: &str, rule: &str| {
        format!(
            "  rpc {name}(Request) returns (google.protobuf.Empty) {{\n{PUBLIC}\n    \
             option (google.api.http) = {{{rule}}};\n  }}\n"
        )
    };
    format!("{request}service Shop {{\n{}{}}}\n", rpc("First", first), rpc("Second", second))
}

#[test]
fn routes_that_meet() {
    review!(said(&[
        ("the same", two("get: \"/v1/shops\"", "get: \"/v1/shops\"")),
        (
            "within one RPC",
            two("get: \"/v1/a\"", "post: \"/v1/b\" additional_bindings {post: \"/v1/b\"}")
        ),
        ("crosswise", two("get: \"/v1/{name}/mine\"", "get: \"/v1/shops/{shop_id}\"")),
        ("variables of two names", two("get: \"/v1/{shop_id}\"", "get: \"/v1/{name}\"")),
        (
            "every method and one",
            two("custom: {kind: \"*\" path: \"/v1/mine\"}", "get: \"/v1/{name}\"")
        ),
        ("rest and one", two("get: \"/v1/{name=**}/mine\"", "get: \"/v1/shops/{shop_id}\"")),
    ]));
}
