//! The changes.

use std::time::Duration;

use codegen::model::{Body, Deployable, Event, Method, Model};

/// A change of the contracts in `tests/breaking`.
pub enum Change {
    /// Texts to replace.
    Text(&'static [(&'static str, &'static str)]),
    /// What the contracts of these tests have no words for.
    Model(fn(&mut Model)),
}

use Change::{Model as M, Text as T};

/// The rule, what is changed, and the change.
pub type Case = (&'static str, &'static str, Change);

fn method<'a>(model: &'a mut Model, name: &str) -> &'a mut Method {
    let services = model.packages.iter_mut().flat_map(|package| &mut package.services);
    let mut methods = services.flat_map(|service| &mut service.methods);
    methods.find(|method| method.name == name).unwrap()
}

fn event<'a>(model: &'a mut Model, name: &str) -> &'a mut Event {
    let mut events = model.packages.iter_mut().flat_map(|package| &mut package.events);
    events.find(|event| event.name == name).unwrap()
}

fn deployable<'a>(model: &'a mut Model, name: &str) -> &'a mut Deployable {
    model.deployables.iter_mut().find(|deployable| deployable.name == name).unwrap()
}

fn require(model: &mut Model, message: &str, field: &str) {
    let mut messages = model.packages.iter_mut().flat_map(|package| &mut package.messages);
    let message = messages.find(|candidate| candidate.name == message).unwrap();
    let field = message.fields.iter_mut().find(|candidate| candidate.name == field).unwrap();
    field.behaviors.push("REQUIRED".to_owned());
}

const WORKFLOW: &str = "  rpc Sweep(GetOrderRequest) returns (Order) {
    option (treaty.v1.workflow) = {
      execution_timeout: {seconds: 3600}
    };
  }
";

const ACTIVITY: &str = "  rpc Fetch(GetOrderRequest) returns (Order) {
    option (treaty.v1.activity) = {
      start_to_close: {seconds: 60}
      heartbeat: {seconds: 10}
      retry: {maximum_attempts: 5}
    };
  }
";

const COUNT: &str = "  rpc CountOrders(GetOrderRequest) returns (Order) {
    option (treaty.v1.method) = {
      access: [ACCESS_OPERATORS]
    };
  }
";

const HELP: &str = "service Help {
  rpc AskHelp(GetOrderRequest) returns (Order) {
    option (treaty.v1.method) = {
      access: [ACCESS_PUBLIC]
    };
  }
}
";

const ERRANDS: &str = "service Errands {
  option (treaty.v1.workflows) = {task_queue: \"errands\"};

  rpc Run(GetOrderRequest) returns (Order) {
    option (treaty.v1.workflow) = {};
  }
}
";

const PAID: &str = "message OrderPaid {
  option (treaty.v1.event) = {
    stream: \"shop\"
    subject: \"shop.order.paid\"
  };

  string order_id = 1;
}
";

const HANDLES_PAID: &str = "  handles: {
    event: \"acme.shop.v1.OrderPaid\"
    max_deliver: 10
  }
";

const PUBLISHES: &str = "  publishes: [
    \"acme.shop.v1.OrderPlaced\",
    \"acme.shop.v1.OrderPaid\"
  ]
";

const PLACED_ALONE: &str = "  publishes: [\"acme.shop.v1.OrderPlaced\"]\n";

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
];

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
];
