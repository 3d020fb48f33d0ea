//! RPCs: repeats, keys and statuses that do not fit.

use super::bodies;

#[test]
fn promises_that_do_not_fit() {
    let rpc = |level: &str, rule: &str| {
        format!(
            "message Request {{\n  string key = 1;\n  repeated string keys = 2;\n  optional string maybe = 3;\n}}\n\
             service Shop {{\n  rpc Buy(Request) returns (google.protobuf.Empty) {{\n{level}    \
             option (treaty.v1.method) = {{access: [ACCESS_PUBLIC] {rule}}};\n  }}\n}}\n"
        )
    };
    let reads = "    option idempotency_level = NO_SIDE_EFFECTS;\n";
    let cases = [
        ("repeats that do harm", rpc("", "retry: {max_attempts: 3}")),
        ("no attempts", rpc(reads, "retry: {}")),
        ("one attempt", rpc(reads, "retry: {max_attempts: 1}")),
        ("waits that shrink", rpc(reads, "retry: {max_attempts: 2 multiplier: 0.5}")),
        ("waits of nothing", rpc(reads, "retry: {max_attempts: 2 initial_backoff: {}}")),
        (
            "a limit below the first wait",
            rpc(
                reads,
                "retry: {max_attempts: 2 initial_backoff: {seconds: 2} max_backoff: {seconds: 1}}",
            ),
        ),
        ("attempts without time", rpc(reads, "retry: {max_attempts: 2 attempt_deadline: {}}")),
        (
            "a stream that cannot be sent again",
            rpc(reads, "retry: {max_attempts: 2}").replace("Buy(", "Buy(stream "),
        ),
        ("a key in a stream", rpc("", "idempotency_key: \"key\"").replace("Buy(", "Buy(stream ")),
        ("an optional key", rpc("", "idempotency_key: \"maybe\"")),
        ("no such key", rpc("", "idempotency_key: \"id\"")),
        ("a list of keys", rpc("", "idempotency_key: \"keys\"")),
        ("a status of failure", rpc("", "success_status: 404")),
    ];
    let cases: Vec<_> = cases.iter().map(|(name, body)| (*name, body.as_str())).collect();
    review!(bodies(&cases));
}
