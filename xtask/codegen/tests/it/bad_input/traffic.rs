//! Events, workflows, and the deployables that they are granted to.

use super::bodies;

/// A stream and an event with this rule.
fn event(rule: &str) -> String {
    format!(
        "option (treaty.v1.stream) = {{\n  name: \"shop\"\n  retention: RETENTION_LIMITS\n}};\n\
         message Sold {{\n  option (treaty.v1.event) = {{{rule}}};\n  string shop_id = 1;\n  \
         double price = 2;\n  optional string buyer = 3;\n  repeated string tags = 4;\n}}\n"
    )
}

fn stream(rule: &str) -> String {
    event("stream: \"shop\" subject: \"shop.sold\"")
        .replace("name: \"shop\"\n  retention: RETENTION_LIMITS", rule)
}

fn said(cases: &[(&str, String)]) -> String {
    let cases: Vec<_> = cases.iter().map(|(name, body)| (*name, body.as_str())).collect();
    bodies(&cases)
}

#[test]
fn events() {
    let subject = |text: &str| event(&format!("stream: \"shop\" subject: \"{text}\""));
    let id = |text: &str| {
        event(&format!("stream: \"shop\" subject: \"shop.sold\" message_id: \"{text}\""))
    };
    let two = |a: &str, b: &str| {
        let second = format!(
            "message Bought {{\n  option (treaty.v1.event) = {{stream: \"shop\" subject: \"{b}\"}};\n  \
             string shop_id = 1;\n}}\n"
        );
        subject(a) + &second
    };
    review!(said(&[
        ("no stream", event("subject: \"shop.sold\"")),
        ("undeclared stream", event("stream: \"shops\" subject: \"shop.sold\"")),
        ("no subject", event("stream: \"shop\"")),
        ("empty token", subject("shop..sold")),
        ("wildcard", subject("shop.*.sold")),
        ("space", subject("shop.so ld")),
        ("field first", subject("{shop_id}.sold")),
        ("two fields in one token", subject("shop.{shop_id}{shop_id}")),
        ("open brace", subject("shop.{shop_id")),
        ("close brace", subject("shop.shop_id}")),
        ("no such field", subject("shop.{name}")),
        ("number with a fraction", subject("shop.{price}")),
        ("optional field", subject("shop.{buyer}")),
        ("repeated field", subject("shop.{tags}")),
        ("line break in the id", id("a\\n{shop_id}")),
        ("no such field in the id", id("{name}")),
        ("one subject", two("shop.sold", "shop.sold")),
        ("subjects that meet", two("shop.{shop_id}.x", "shop.sold.{shop_id}")),
        ("inside another message", "message Outer {\n  message Inner {\n    option (treaty.v1.event) = {stream: \"shop\" subject: \"a\"};\n  }\n}\n".into()),
    ]));
}

#[test]
fn streams() {
    let again =
        "option (treaty.v1.stream) = {\n  name: \"shop\"\n  retention: RETENTION_LIMITS\n};\n";
    let idle =
        "option (treaty.v1.stream) = {\n  name: \"idle\"\n  retention: RETENTION_LIMITS\n};\n";
    let fine = "name: \"shop\"\n  retention: RETENTION_LIMITS";
    review!(said(&[
        ("name", stream("name: \"Shop.*\"\n  retention: RETENTION_LIMITS")),
        ("no retention", stream("name: \"shop\"")),
        ("negative size", stream(&format!("{fine}\n  max_bytes: -1"))),
        ("no age", stream(&format!("{fine}\n  max_age: {{}}"))),
        (
            "window beyond age",
            stream(&format!(
                "{fine}\n  max_age: {{seconds: 60}}\n  duplicate_window: {{seconds: 61}}"
            ))
        ),
        ("declared twice", stream(fine) + again),
        ("without events", stream(fine) + idle),
    ]));
}

#[test]
fn workflows() {
    let service = |queue: &str, rpc: &str| {
        format!(
            "service Chores {{\n  option (treaty.v1.workflows) = {{{queue}}};\n  rpc Sweep({rpc}\n}}\n"
        )
    };
    let rpc = |option: &str| {
        format!(
            "google.protobuf.Empty) returns (google.protobuf.Empty) {{\n    option {option};\n  }}"
        )
    };
    let with = |option: &str| service("task_queue: \"chores\"", &rpc(option));
    let room = |sweep: &str, mop: &str| {
        let take = |option: &str| {
            format!(
                "Room) returns (google.protobuf.Empty) {{\n    option (treaty.v1.workflow) = {{{option}}};\n  }}"
            )
        };
        let both = format!("{}\n  rpc Mop({}", take(sweep), take(mop));
        let fields = "int32 number = 1;\n  string key = 2 [debug_redact = true];";
        service("task_queue: \"chores\"", &both) + &format!("message Room {{\n  {fields}\n}}\n")
    };
    review!(said(&[
        ("no queue", service("", &rpc("(treaty.v1.workflow) = {}"))),
        ("neither", with("deprecated = true")),
        (
            "both",
            with(
                "(treaty.v1.workflow) = {};\n    option (treaty.v1.activity) = {start_to_close: {seconds: 1}}"
            )
        ),
        ("no limit", with("(treaty.v1.activity) = {}")),
        (
            "shrinking waits",
            with(
                "(treaty.v1.activity) = {start_to_close: {seconds: 1} retry: {backoff_coefficient: 0.5}}"
            )
        ),
        (
            "negative attempts",
            with(
                "(treaty.v1.activity) = {start_to_close: {seconds: 1} retry: {maximum_attempts: -1}}"
            )
        ),
        ("an id of nothing", with("(treaty.v1.workflow) = {workflow_id: \"sweep-{room}\"}")),
        (
            "a search attribute of nothing",
            with("(treaty.v1.workflow) = {search_attributes: {name: \"Room\" field: \"room\"}}")
        ),
        (
            "a search attribute without a source",
            with("(treaty.v1.workflow) = {search_attributes: {name: \"Room\"}}")
        ),
        (
            "a search attribute that cannot be typed",
            with("(treaty.v1.workflow) = {search_attributes: {name: \"Room no. 1\" value: \"x\"}}")
        ),
        (
            "a search attribute of two types",
            room(
                "search_attributes: {name: \"Room\" field: \"number\"}",
                "search_attributes: {name: \"Room\" value: \"x\"}",
            )
        ),
        (
            "a search attribute that shows what is hidden",
            room("search_attributes: {name: \"Room\" field: \"key\"}", "")
        ),
        ("an id that shows what is hidden", room("workflow_id: \"sweep-{key}\"", "")),
        (
            "a search attribute set twice",
            with(
                "(treaty.v1.workflow) = {search_attributes: {name: \"Room\" value: \"x\"} search_attributes: {name: \"Room\" value: \"y\"}}"
            )
        ),
        (
            "HTTP",
            with("(google.api.http) = {get: \"/v1/sweep\"};\n    option (treaty.v1.workflow) = {}")
        ),
        (
            "stream",
            service(
                "task_queue: \"chores\"",
                "stream google.protobuf.Empty) returns (google.protobuf.Empty) {\n    option (treaty.v1.workflow) = {};\n  }"
            )
        ),
    ]));
}

/// A deployable beside a service, an event and a workflow service.
fn deployable(rule: &str) -> String {
    event("stream: \"shop\" subject: \"shop.sold\"")
        + "service Shop {\n  FINE\n}\n"
        + "service Chores {\n  option (treaty.v1.workflows) = {task_queue: \"chores\"};\n}\n"
        + &format!("option (treaty.v1.deployable) = {{\n  {rule}\n}};\n")
}

#[test]
fn deployables() {
    let handler = |rule: &str| {
        deployable(&format!("name: \"till\"\n  handles: {{event: \"acme.shop.v1.Sold\" {rule}}}"))
    };
    let named = |name: &str| deployable(&format!("name: \"{name}\""));
    review!(said(&[
        ("path as a name", named("../till")),
        ("upper case name", named("Till")),
        ("keyword name", named("type")),
        ("no name", named("")),
        ("unserved call", deployable("name: \"till\"\n  calls: [\"acme.shop.v1.Shop\"]")),
        ("unknown service", deployable("name: \"till\"\n  serves: [\"acme.shop.v1.Stall\"]")),
        ("unknown event", deployable("name: \"till\"\n  publishes: [\"acme.shop.v1.Bought\"]")),
        (
            "workflow service as a service",
            deployable("name: \"till\"\n  serves: [\"acme.shop.v1.Chores\"]")
        ),
        (
            "twice",
            deployable(
                "name: \"till\"\n  publishes: [\"acme.shop.v1.Sold\", \"acme.shop.v1.Sold\"]"
            )
        ),
        ("no deliveries", handler("")),
        (
            "as many waits as deliveries",
            handler("max_deliver: 2 backoff: [{seconds: 1}, {seconds: 2}]")
        ),
        ("short ack_wait", handler("max_deliver: 2 ack_wait: {nanos: 1}")),
        ("negative concurrency", handler("max_deliver: 2 concurrency: -1")),
        ("order by nothing known", handler("max_deliver: 2 ordered_by: \"price\"")),
        (
            "order twice by one field",
            deployable(
                "name: \"till\"\n  handles: {event: \"acme.shop.v1.Sold\" max_deliver: 2 \
                 ordered_by: [\"shop_id\", \"shop_id\"]}"
            )
            .replace("subject: \"shop.sold\"", "subject: \"shop.{shop_id}.sold\"")
        ),
    ]));
}

#[test]
fn deployables_that_meet() {
    let second = |rule: &str| {
        let text = "syntax = \"proto3\";\n\npackage acme.more.v1;\n\nimport \"treaty/v1/deployable.proto\";\n\n";
        ("acme/shop/v1/till.proto", format!("{text}option (treaty.v1.deployable) = {{{rule}}};\n"))
    };
    let both = |first: &str, other: &str| {
        let mut files = super::contract(&deployable(first));
        files.push(second(other));
        files
    };
    let serves = "serves: [\"acme.shop.v1.Shop\"]";
    review!(super::table([
        ("one name", both("name: \"till\"", "name: \"till\"")),
        (
            "two servers",
            both(&format!("name: \"till\" {serves}"), &format!("name: \"shop\" {serves}")),
        ),
    ]));
}
