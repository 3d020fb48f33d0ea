//! Changes that break nobody.

use std::time::Duration;

use super::Change::{Model as M, Text as T};
use super::{Case, HANDLES_PAID, PAID, PLACED_ALONE, PUBLISHES, deployable, method, require};

/// Each is of the kind that its rule is about, and breaks nobody.
pub const FINE: &[Case] = &[
    (
        "HTTP_ROUTE_REMOVED",
        "one more binding",
        T(&[(
            "additional_bindings: {",
            "additional_bindings: {get: \"/v2/orders/{order_id}\"}\n      additional_bindings: {",
        )]),
    ),
    (
        "HTTP_ROUTE_MOVED",
        "another RPC gets a path",
        T(&[(
            "      access: [ACCESS_OPERATORS]\n    };",
            "      access: [ACCESS_OPERATORS]\n    };\n    option (google.api.http) = {get: \"/v1/counts\"};",
        )]),
    ),
    (
        "HTTP_BODY_CHANGED",
        "one more field in the body",
        T(&[("string buyer = 3;", "string buyer = 3;\n  string size = 6;")]),
    ),
    (
        "HTTP_RESPONSE_BODY_CHANGED",
        "one more field in the answer",
        T(&[("string next_page_token = 2;", "string next_page_token = 2;\n  int32 total = 3;")]),
    ),
    (
        "HTTP_VARIABLE_CHANGED",
        "the same variables in another order of fields",
        T(&[(
            "string order_id = 1;\n  string shop_id = 2;\n}\n\nmessage List",
            "string shop_id = 2;\n  string order_id = 1;\n}\n\nmessage List",
        )]),
    ),
    (
        "HTTP_NAME_REMOVED",
        "a field of an answer goes",
        T(&[("  string remark = 3;\n", "  reserved 3;\n  reserved \"remark\";\n")]),
    ),
    (
        "HTTP_STATUS_CHANGED",
        "of an RPC that HTTP does not reach",
        T(&[(
            "      access: [ACCESS_OPERATORS]\n",
            "      access: [ACCESS_OPERATORS]\n      success_status: 202\n",
        )]),
    ),
    (
        "SERVICE_REMOVED",
        "a service comes",
        T(&[(
            "message Order {",
            "service More {\n  rpc AskMore(GetOrderRequest) returns (Order) {\n    option (treaty.v1.method) = {access: [ACCESS_PUBLIC]};\n  }\n}\n\nmessage Order {",
        )]),
    ),
    (
        "RPC_REMOVED",
        "an RPC is deprecated",
        T(&[(
            "  rpc CountOrders(GetOrderRequest) returns (Order) {\n",
            "  rpc CountOrders(GetOrderRequest) returns (Order) {\n    option deprecated = true;\n",
        )]),
    ),
    (
        "RPC_STREAMING_CHANGED",
        "an RPC that streams comes",
        M(|model| {
            let mut watch = method(model, "CountOrders").clone();
            watch.name = "WatchOrders".to_owned();
            watch.server_streaming = true;
            model.packages[0].services[0].methods.push(watch);
        }),
    ),
    (
        "RPC_ACCESS_NARROWED",
        "for everybody",
        T(&[("        ACCESS_CALLERS,\n        ACCESS_OPERATORS\n", "        ACCESS_PUBLIC\n")]),
    ),
    (
        "RPC_ACCESS_NARROWED",
        "a caller gives its calls up",
        T(&[("  calls: [\"acme.shop.v1.Shop\"]\n", "")]),
    ),
    (
        "RPC_DEADLINE_SHORTENED",
        "20 s become 30",
        T(&[("deadline: {seconds: 20}", "deadline: {seconds: 30}")]),
    ),
    (
        "RPC_IDEMPOTENCY_WEAKENED",
        "a level appears",
        T(&[(
            "  rpc PlaceOrder(PlaceOrderRequest) returns (Order) {\n",
            "  rpc PlaceOrder(PlaceOrderRequest) returns (Order) {\n    option idempotency_level = IDEMPOTENT;\n",
        )]),
    ),
    (
        "RPC_IDEMPOTENCY_KEY_CHANGED",
        "a key appears",
        T(&[(
            "      access: [ACCESS_OPERATORS]\n",
            "      access: [ACCESS_OPERATORS]\n      idempotency_key: \"shop_id\"\n",
        )]),
    ),
    ("RPC_RETRY_REDUCED", "more attempts", T(&[("max_attempts: 3", "max_attempts: 4")])),
    (
        "RPC_PAGINATION_REMOVED",
        "a filter beside the pages",
        T(&[("string page_token = 2;", "string page_token = 2;\n  string filter = 3;")]),
    ),
    (
        "EVENT_REMOVED",
        "one more event",
        T(&[(
            PAID,
            "message OrderPaid {\n  option (treaty.v1.event) = {\n    stream: \"shop\"\n    subject: \"shop.order.paid\"\n  };\n\n  string order_id = 1;\n}\n\nmessage OrderLost {\n  option (treaty.v1.event) = {stream: \"shop\" subject: \"shop.order.lost\"};\n  string order_id = 1;\n}\n",
        )]),
    ),
    (
        "EVENT_UNPUBLISHED",
        "another deployable publishes it",
        T(&[
            (PUBLISHES, PLACED_ALONE),
            ("name: \"till\"", "name: \"till\"\n  publishes: [\"acme.shop.v1.OrderPaid\"]"),
        ]),
    ),
    (
        "EVENT_STREAM_CHANGED",
        "a stream comes",
        T(&[(
            "service Shop {",
            "option (treaty.v1.stream) = {name: \"pay\" retention: RETENTION_LIMITS};\n\nmessage PayDue {\n  option (treaty.v1.event) = {stream: \"pay\" subject: \"pay.due\"};\n  string order_id = 1;\n}\n\nservice Shop {",
        )]),
    ),
    (
        "EVENT_SUBJECT_CHANGED",
        "one more field in the event",
        T(&[(
            "  string shop_id = 2;\n}\n\nmessage OrderPaid",
            "  string shop_id = 2;\n  string buyer = 3;\n}\n\nmessage OrderPaid",
        )]),
    ),
    (
        "EVENT_MESSAGE_ID_CHANGED",
        "another concurrency of its handler",
        T(&[(
            "event: \"acme.shop.v1.OrderPlaced\"",
            "event: \"acme.shop.v1.OrderPlaced\"\n    concurrency: 4",
        )]),
    ),
    (
        "STREAM_REMOVED",
        "declared in another place",
        M(|model| {
            let mut other = model.packages[0].clone();
            other.name = "acme.other.v1".to_owned();
            other.messages.clear();
            other.services.clear();
            other.workflows.clear();
            other.events.clear();
            model.packages[0].streams.clear();
            model.packages.push(other);
        }),
    ),
    (
        "STREAM_RETENTION_CHANGED",
        "age and size grow",
        T(&[(
            "max_age: {seconds: 600}\n  max_bytes: 1000000",
            "max_age: {seconds: 900}\n  max_bytes: 2000000",
        )]),
    ),
    ("STREAM_MAX_AGE_SHORTENED", "no limit", T(&[("  max_age: {seconds: 600}\n", "")])),
    ("STREAM_MAX_BYTES_LOWERED", "no limit", T(&[("  max_bytes: 1000000\n", "")])),
    (
        "STREAM_DUPLICATE_WINDOW_SHORTENED",
        "a longer window",
        T(&[("duplicate_window: {seconds: 60}", "duplicate_window: {seconds: 90}")]),
    ),
    (
        "DEPLOYABLE_REMOVED",
        "a deployable comes",
        M(|model| {
            let mut other = deployable(model, "till").clone();
            other.name = "booth".to_owned();
            other.handles.clear();
            model.deployables.push(other);
        }),
    ),
    (
        "SERVICE_UNSERVED",
        "one that nobody answered still has nobody",
        M(|model| {
            let mut more = model.packages[0].services[1].clone();
            more.full_name = "acme.shop.v1.More".to_owned();
            model.packages[0].services.push(more);
        }),
    ),
    (
        "SERVICE_SERVER_CHANGED",
        "the server calls others",
        T(&[(
            "name: \"shop\"\n  serves",
            "name: \"shop\"\n  calls: [\"acme.shop.v1.Help\"]\n  serves",
        )]),
    ),
    (
        "HANDLER_REMOVED",
        "one more handles it",
        T(&[(
            "name: \"shop\"\n  serves",
            "name: \"shop\"\n  handles: {event: \"acme.shop.v1.OrderPaid\" max_deliver: 2}\n  serves",
        )]),
    ),
    (
        "HANDLER_DURABLE_CHANGED",
        "other waits",
        T(&[(
            HANDLES_PAID,
            "  handles: {\n    event: \"acme.shop.v1.OrderPaid\"\n    max_deliver: 10\n    ack_wait: {seconds: 5}\n    backoff: {seconds: 9}\n  }\n",
        )]),
    ),
    (
        "HANDLER_MAX_DELIVER_LOWERED",
        "more deliveries",
        T(&[(
            HANDLES_PAID,
            "  handles: {\n    event: \"acme.shop.v1.OrderPaid\"\n    max_deliver: 11\n  }\n",
        )]),
    ),
    (
        "WORKFLOWS_NOT_RUN",
        "another runs it",
        T(&[
            ("  runs: [\"acme.shop.v1.Errands\"]\n", ""),
            (
                "  runs: [\"acme.shop.v1.Chores\"]",
                "  runs: [\"acme.shop.v1.Chores\", \"acme.shop.v1.Errands\"]",
            ),
        ]),
    ),
    (
        "WORKFLOW_SERVICE_REMOVED",
        "one more deployable starts it",
        T(&[(
            "name: \"shop\"\n  serves",
            "name: \"shop\"\n  starts: [\"acme.shop.v1.Errands\"]\n  serves",
        )]),
    ),
    (
        "WORKFLOW_REMOVED",
        "a workflow comes",
        T(&[(
            "  rpc Run(GetOrderRequest) returns (Order) {",
            "  rpc Walk(GetOrderRequest) returns (Order) {\n    option (treaty.v1.workflow) = {};\n  }\n  rpc Run(GetOrderRequest) returns (Order) {",
        )]),
    ),
    (
        "ACTIVITY_REMOVED",
        "an activity comes",
        T(&[(
            "  rpc Run(GetOrderRequest) returns (Order) {",
            "  rpc Buy(GetOrderRequest) returns (Order) {\n    option (treaty.v1.activity) = {start_to_close: {seconds: 1}};\n  }\n  rpc Run(GetOrderRequest) returns (Order) {",
        )]),
    ),
    (
        "TASK_QUEUE_CHANGED",
        "a service with another queue",
        M(|model| {
            let mut more = model.packages[0].workflows[1].clone();
            more.full_name = "acme.shop.v1.More".to_owned();
            more.task_queue = "more".to_owned();
            model.packages[0].workflows.push(more);
        }),
    ),
    ("WORKFLOW_TIMEOUT_SHORTENED", "a longer limit", T(&[("seconds: 3600", "seconds: 7200")])),
    (
        "WORKFLOW_ID_CHANGED",
        "another workflow, with another id",
        M(|model| {
            let chores = &mut model.packages[0].workflows[0];
            let mut more = chores.workflows[0].clone();
            more.name = "Mop".to_owned();
            more.workflow_id.clear();
            chores.workflows.push(more);
        }),
    ),
    (
        "SEARCH_ATTRIBUTE_CHANGED",
        "one more",
        T(&[(
            "      search_attributes: {\n        name: \"ShopOrder\"",
            "      search_attributes: {\n        name: \"ShopTask\"\n        value: \"sweep\"\n      }\n      search_attributes: {\n        name: \"ShopOrder\"",
        )]),
    ),
    (
        "ACTIVITY_TIMEOUT_SHORTENED",
        "longer limits",
        M(|model| {
            let activity = &mut model.packages[0].workflows[0].activities[0];
            activity.start_to_close = Duration::from_secs(90);
            activity.heartbeat = None;
        }),
    ),
    (
        "ACTIVITY_ATTEMPTS_LOWERED",
        "without limit",
        T(&[("      retry: {maximum_attempts: 5}\n", "")]),
    ),
    (
        "FIELD_REQUIRED",
        "in an answer alone",
        M(|model| require(model, "ListOrdersResponse", "next_page_token")),
    ),
    (
        "FIELD_REDACTION_REMOVED",
        "one more is hidden",
        T(&[("string buyer = 3;", "string buyer = 3 [debug_redact = true];")]),
    ),
    (
        "VALIDATION_TIGHTENED",
        "an answer may hold less",
        T(&[(
            "string remark = 3;",
            "string remark = 3 [(buf.validate.field).string.max_len = 9];",
        )]),
    ),
    (
        "VALIDATION_TIGHTENED",
        "a field comes that requests may leave out",
        T(&[(
            "  string note = 4;\n",
            "  string note = 4;\n  string gift = 8 [(buf.validate.field).string.max_len = 9];\n",
        )]),
    ),
    (
        "VALIDATION_LOOSENED",
        "a request may hold more",
        T(&[("string.max_len = 20", "string.max_len = 30")]),
    ),
];
