//! Changes that break somebody.

use codegen::model::Body;

use super::Change::{Model as M, Text as T};
use super::{
    ACTIVITY, COUNT, Case, ERRANDS, HANDLES_PAID, HELP, PAID, PLACED_ALONE, PUBLISHES, WORKFLOW,
    deployable, event, method, require,
};

/// Each breaks its rule and no other.
pub const BREAKS: &[Case] = &[
    (
        "HTTP_ROUTE_REMOVED",
        "another path",
        T(&[("get: \"/v1/orders/{order_id}\"", "get: \"/v2/orders/{order_id}\"")]),
    ),
    (
        "HTTP_ROUTE_REMOVED",
        "an additional binding goes",
        T(&[("additional_bindings: {get: \"/v1/shops/{shop_id}/orders/{order_id}\"}", "")]),
    ),
    ("HTTP_ROUTE_REMOVED", "another verb", T(&[("post: \"/v1/orders\"", "put: \"/v1/orders\"")])),
    (
        "HTTP_ROUTE_MOVED",
        "another RPC takes the path over",
        M(|model| {
            let routes = std::mem::take(&mut method(model, "ListOrders").routes);
            method(model, "CountOrders").routes = routes;
        }),
    ),
    (
        "HTTP_BODY_CHANGED",
        "one field becomes the body",
        M(|model| method(model, "PlaceOrder").routes[0].body = Body::Field("buyer".to_owned())),
    ),
    (
        "HTTP_RESPONSE_BODY_CHANGED",
        "one field becomes the answer",
        M(|model| {
            method(model, "ListOrders").routes[0].response_body = Some("orders".to_owned());
        }),
    ),
    (
        "HTTP_VARIABLE_CHANGED",
        "two variables change places",
        T(&[("/v1/shops/{shop_id}/orders/{order_id}", "/v1/shops/{order_id}/orders/{shop_id}")]),
    ),
    (
        "HTTP_NAME_REMOVED",
        "a field goes",
        T(&[("  string note = 4;\n", "  reserved 4;\n  reserved \"note\";\n")]),
    ),
    (
        "HTTP_NAME_REMOVED",
        "a value goes",
        T(&[("  COLOUR_RED = 1;\n", "  reserved 1;\n  reserved \"COLOUR_RED\";\n")]),
    ),
    ("HTTP_STATUS_CHANGED", "201 becomes 200", T(&[("      success_status: 201\n", "")])),
    ("SERVICE_REMOVED", "a service goes", T(&[(HELP, ""), (",\n    \"acme.shop.v1.Help\"", "")])),
    ("RPC_REMOVED", "an RPC goes", T(&[(COUNT, "")])),
    (
        "RPC_STREAMING_CHANGED",
        "the server streams",
        M(|model| method(model, "CountOrders").server_streaming = true),
    ),
    (
        "RPC_ACCESS_NARROWED",
        "operators alone",
        T(&[("        ACCESS_CALLERS,\n        ACCESS_OPERATORS\n", "        ACCESS_OPERATORS\n")]),
    ),
    (
        "RPC_ACCESS_NARROWED",
        "not for everybody",
        T(&[(
            "access: [ACCESS_PUBLIC]\n      success_status",
            "access: [ACCESS_CALLERS, ACCESS_OPERATORS]\n      success_status",
        )]),
    ),
    (
        "RPC_DEADLINE_SHORTENED",
        "20 s become 5",
        T(&[("deadline: {seconds: 20}", "deadline: {seconds: 5}")]),
    ),
    (
        "RPC_DEADLINE_SHORTENED",
        "20 s become the default",
        T(&[("      deadline: {seconds: 20}\n", "")]),
    ),
    (
        "RPC_IDEMPOTENCY_WEAKENED",
        "a read has effects",
        T(&[("idempotency_level = NO_SIDE_EFFECTS", "idempotency_level = IDEMPOTENT")]),
    ),
    (
        "RPC_IDEMPOTENCY_KEY_CHANGED",
        "another field",
        T(&[("idempotency_key: \"request_id\"", "idempotency_key: \"other_id\"")]),
    ),
    (
        "RPC_IDEMPOTENCY_KEY_CHANGED",
        "no field",
        T(&[("      idempotency_key: \"request_id\"\n", "")]),
    ),
    ("RPC_RETRY_REDUCED", "fewer attempts", T(&[("max_attempts: 3", "max_attempts: 2")])),
    ("RPC_RETRY_REDUCED", "no repeats", T(&[("      retry: {max_attempts: 3}\n", "")])),
    ("RPC_PAGINATION_REMOVED", "no next page", T(&[("next_page_token = 2", "more = 2")])),
    (
        "EVENT_REMOVED",
        "an event goes",
        T(&[(PAID, ""), (HANDLES_PAID, ""), (PUBLISHES, PLACED_ALONE)]),
    ),
    ("EVENT_UNPUBLISHED", "nobody publishes", T(&[(PUBLISHES, PLACED_ALONE)])),
    (
        "EVENT_STREAM_CHANGED",
        "another stream",
        T(&[
            (
                "service Shop {",
                "option (treaty.v1.stream) = {name: \"pay\" retention: RETENTION_LIMITS};\n\nservice Shop {",
            ),
            (
                "stream: \"shop\"\n    subject: \"shop.order.paid\"",
                "stream: \"pay\"\n    subject: \"shop.order.paid\"",
            ),
        ]),
    ),
    (
        "EVENT_SUBJECT_CHANGED",
        "another subject",
        T(&[("shop.order.placed.{order_id}", "shop.order.new.{order_id}")]),
    ),
    (
        "EVENT_SUBJECT_CHANGED",
        "another field in the subject",
        T(&[("shop.order.placed.{order_id}", "shop.order.placed.{shop_id}")]),
    ),
    (
        "EVENT_MESSAGE_ID_CHANGED",
        "another key",
        T(&[("message_id: \"{order_id}\"", "message_id: \"{shop_id}\"")]),
    ),
    (
        "EVENT_MESSAGE_ID_CHANGED",
        "a key appears",
        M(|model| {
            let key = event(model, "OrderPlaced").message_id.clone();
            event(model, "OrderPaid").message_id = key;
        }),
    ),
    ("STREAM_REMOVED", "a stream goes", M(|model| model.packages[0].streams.clear())),
    (
        "STREAM_RETENTION_CHANGED",
        "limits to interest",
        T(&[("RETENTION_LIMITS", "RETENTION_INTEREST")]),
    ),
    (
        "STREAM_MAX_AGE_SHORTENED",
        "600 s become 60",
        T(&[("max_age: {seconds: 600}", "max_age: {seconds: 60}")]),
    ),
    (
        "STREAM_MAX_BYTES_LOWERED",
        "a tenth of the size",
        T(&[("max_bytes: 1000000", "max_bytes: 100000")]),
    ),
    (
        "STREAM_DUPLICATE_WINDOW_SHORTENED",
        "half of the window",
        T(&[("duplicate_window: {seconds: 60}", "duplicate_window: {seconds: 30}")]),
    ),
    (
        "DEPLOYABLE_REMOVED",
        "a deployable goes",
        M(|model| {
            let till = deployable(model, "till").clone();
            model.deployables.retain(|deployable| deployable.name != "till");
            // What it runs goes to the other one, which is all that this rule is not about.
            deployable(model, "shop").runs.extend(till.runs);
        }),
    ),
    ("SERVICE_UNSERVED", "nobody answers", T(&[(",\n    \"acme.shop.v1.Help\"", "")])),
    (
        "SERVICE_SERVER_CHANGED",
        "another answers",
        T(&[
            (",\n    \"acme.shop.v1.Help\"", ""),
            ("name: \"till\"", "name: \"till\"\n  serves: [\"acme.shop.v1.Help\"]"),
        ]),
    ),
    ("HANDLER_REMOVED", "nobody handles", T(&[(HANDLES_PAID, "")])),
    (
        "HANDLER_DURABLE_CHANGED",
        "another name at the broker",
        M(|model| deployable(model, "till").handles[0].durable = "till-OrderPlaced".to_owned()),
    ),
    (
        "HANDLER_MAX_DELIVER_LOWERED",
        "fewer deliveries",
        T(&[(
            HANDLES_PAID,
            "  handles: {\n    event: \"acme.shop.v1.OrderPaid\"\n    max_deliver: 3\n  }\n",
        )]),
    ),
    ("WORKFLOWS_NOT_RUN", "nobody runs it", T(&[("  runs: [\"acme.shop.v1.Errands\"]\n", "")])),
    (
        "WORKFLOW_SERVICE_REMOVED",
        "a workflow service goes",
        T(&[(ERRANDS, ""), ("  runs: [\"acme.shop.v1.Errands\"]\n", "")]),
    ),
    ("WORKFLOW_REMOVED", "a workflow goes", T(&[(WORKFLOW, "")])),
    ("ACTIVITY_REMOVED", "an activity goes", T(&[(ACTIVITY, "")])),
    (
        "TASK_QUEUE_CHANGED",
        "another queue",
        T(&[("task_queue: \"chores\"", "task_queue: \"work\"")]),
    ),
    (
        "WORKFLOW_TIMEOUT_SHORTENED",
        "an hour becomes a minute",
        T(&[("seconds: 3600", "seconds: 60")]),
    ),
    (
        "WORKFLOW_TIMEOUT_SHORTENED",
        "a limit appears",
        T(&[(
            "(treaty.v1.workflow) = {};",
            "(treaty.v1.workflow) = {run_timeout: {seconds: 60}};",
        )]),
    ),
    ("WORKFLOW_ID_CHANGED", "another id", T(&[("sweep-{order_id}", "sweeping-{order_id}")])),
    (
        "WORKFLOW_ID_CHANGED",
        "the starter chooses",
        T(&[("      workflow_id: \"sweep-{order_id}\"\n", "")]),
    ),
    (
        "SEARCH_ATTRIBUTE_CHANGED",
        "another name",
        T(&[("name: \"ShopOrder\"", "name: \"ShopNumber\"")]),
    ),
    (
        "SEARCH_ATTRIBUTE_CHANGED",
        "another source",
        T(&[("        field: \"order_id\"\n", "        value: \"sweep\"\n")]),
    ),
    (
        "SEARCH_ATTRIBUTE_CHANGED",
        "another type",
        M(|model| {
            let workflow = &mut model.packages[0].workflows[0].workflows[0];
            workflow.search_attributes[0].kind = "Int";
        }),
    ),
    (
        "ACTIVITY_TIMEOUT_SHORTENED",
        "heartbeats must be closer",
        T(&[("heartbeat: {seconds: 10}", "heartbeat: {seconds: 5}")]),
    ),
    (
        "ACTIVITY_ATTEMPTS_LOWERED",
        "one attempt less",
        T(&[("maximum_attempts: 5", "maximum_attempts: 4")]),
    ),
    (
        "FIELD_REQUIRED",
        "a field of a request",
        M(|model| require(model, "PlaceOrderRequest", "buyer")),
    ),
    ("FIELD_REDACTION_REMOVED", "a field is shown", T(&[(" [debug_redact = true]", "")])),
    (
        "VALIDATION_TIGHTENED",
        "a request may hold less",
        T(&[("string.max_len = 20", "string.max_len = 10")]),
    ),
    (
        "VALIDATION_TIGHTENED",
        "an event may hold less",
        T(&[("string.max_len = 100", "string.max_len = 90")]),
    ),
    (
        "VALIDATION_TIGHTENED",
        "a field comes that requests must have",
        T(&[(
            "  string note = 4;\n",
            "  string note = 4;\n  string gift = 8 [(buf.validate.field).required = true];\n",
        )]),
    ),
    (
        "VALIDATION_TIGHTENED",
        "a rule about a request as a whole",
        T(&[(
            "  string request_id = 1;\n",
            "  option (buf.validate.message).oneof = {fields: [\"note\", \"voucher\"]};\n  string request_id = 1;\n",
        )]),
    ),
    (
        "VALIDATION_LOOSENED",
        "an event may hold more",
        T(&[("string.max_len = 100", "string.max_len = 110")]),
    ),
    (
        "VALIDATION_LOOSENED",
        "handlers check that the value of an event is a known one",
        T(&[("  SIZE_LARGE = 1;\n", "  SIZE_LARGE = 1;\n  SIZE_HUGE = 2;\n")]),
    ),
];
