//! What adapters measure, of this process: how often, how long, and with what outcome.
//!
//! Names and labels are those of OpenTelemetry's semantic conventions (1.44) as Prometheus
//! writes them. Every label has few values, known from contracts or from the code: no path,
//! no subject, no identifier.

use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the times of calls, in seconds.
const CALLS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Upper bounds of the times of jobs, in seconds.
const JOBS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0];

type Times<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    rpc_method: &'static str,
    rpc_status_code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpRequest {
    http_request_method: &'static str,
    http_route: &'static str,
    http_response_status_code: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Fetch {
    http_request_method: &'static str,
    url_template: &'static str,
    http_response_status_code: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Message {
    messaging_consumer_group_name: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Sent {
    messaging_destination_name: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Activity {
    temporal_activity: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    db_operation_name: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Spans {
    outcome: &'static str,
}

struct Measured {
    registry: Registry,
    calls_served: Times<Call>,
    calls_made: Times<Call>,
    requests_served: Times<HttpRequest>,
    requests_made: Times<Fetch>,
    messages_handled: Times<Message>,
    messages_sent: Times<Sent>,
    activities: Times<Activity>,
    statements: Times<Operation>,
    spans: Family<Spans, Counter>,
}

static MEASURED: LazyLock<Measured> = LazyLock::new(|| {
    let calls: fn() -> Histogram = || Histogram::new(CALLS);
    let jobs: fn() -> Histogram = || Histogram::new(JOBS);
    let measured = Measured {
        registry: Registry::default(),
        calls_served: Family::new_with_constructor(calls),
        calls_made: Family::new_with_constructor(calls),
        requests_served: Family::new_with_constructor(calls),
        requests_made: Family::new_with_constructor(calls),
        messages_handled: Family::new_with_constructor(jobs),
        messages_sent: Family::new_with_constructor(calls),
        activities: Family::new_with_constructor(jobs),
        statements: Family::new_with_constructor(calls),
        spans: Family::default(),
    };
    measured.registered()
});

impl Measured {
    fn registered(mut self) -> Self {
        let to = &mut self.registry;
        time(to, "rpc_server_call_duration", "Calls answered", &self.calls_served);
        time(to, "rpc_client_call_duration", "Calls made, repeats included", &self.calls_made);
        time(to, "http_server_request_duration", "HTTP requests answered", &self.requests_served);
        time(
            to,
            "http_client_request_duration",
            "HTTP requests made to services of others",
            &self.requests_made,
        );
        time(to, "messaging_process_duration", "Tries to handle a message", &self.messages_handled);
        time(
            to,
            "messaging_client_operation_duration",
            "Messages published, until the stream's confirmation",
            &self.messages_sent,
        );
        time(to, "temporal_activity_duration", "Attempts of activities", &self.activities);
        time(to, "db_client_operation_duration", "SQL statements", &self.statements);
        to.register("traces_spans", "Spans for the collector", self.spans.clone());
        self
    }
}

fn time<L>(registry: &mut Registry, name: &str, help: &str, times: &Times<L>)
where
    L: EncodeLabelSet + Clone + std::hash::Hash + Eq + std::fmt::Debug + Send + Sync + 'static,
{
    registry.register_with_unit(name, help, Unit::Seconds, times.clone());
}

pub(crate) fn registry() -> &'static Registry {
    &MEASURED.registry
}

/// A call of this `pkg.Service/Method` was answered with this code.
pub fn call_served(rpc_method: &'static str, rpc_status_code: &'static str, took: Duration) {
    let labels = Call { rpc_method, rpc_status_code };
    MEASURED.calls_served.get_or_create(&labels).observe(took.as_secs_f64());
}

/// A call of this `pkg.Service/Method` was made and ended with this code.
pub fn call_made(rpc_method: &'static str, rpc_status_code: &'static str, took: Duration) {
    let labels = Call { rpc_method, rpc_status_code };
    MEASURED.calls_made.get_or_create(&labels).observe(took.as_secs_f64());
}

/// A request to a route, by its template, was answered with this status.
pub fn request_served(
    http_request_method: &'static str,
    http_route: &'static str,
    status: u16,
    took: Duration,
) {
    let labels =
        HttpRequest { http_request_method, http_route, http_response_status_code: status.into() };
    MEASURED.requests_served.get_or_create(&labels).observe(took.as_secs_f64());
}

/// A request to a service of others, named by a template of its path, was answered with this
/// status; 0 when there was no answer.
pub fn request_made(
    http_request_method: &'static str,
    url_template: &'static str,
    status: u16,
    took: Duration,
) {
    let labels =
        Fetch { http_request_method, url_template, http_response_status_code: status.into() };
    MEASURED.requests_made.get_or_create(&labels).observe(took.as_secs_f64());
}

/// A durable consumer's try at a message came to this end.
pub fn message_handled(durable: &'static str, outcome: &'static str, took: Duration) {
    let labels = Message { messaging_consumer_group_name: durable, outcome };
    MEASURED.messages_handled.get_or_create(&labels).observe(took.as_secs_f64());
}

/// The tries of one durable consumer that end with an acknowledgement, which are so many that
/// looking up their figure each time would be felt. Otherwise as [`message_handled`].
#[derive(Debug)]
pub struct MessagesAcked {
    durable: &'static str,
    times: OnceLock<Histogram>,
}

impl MessagesAcked {
    /// Those of this durable consumer.
    #[must_use]
    pub fn of(durable: &'static str) -> Self {
        Self { durable, times: OnceLock::new() }
    }

    /// A try ended with an acknowledgement.
    pub fn add(&self, took: Duration) {
        let times = self.times.get_or_init(|| {
            let labels = Message { messaging_consumer_group_name: self.durable, outcome: "ack" };
            MEASURED.messages_handled.get_or_create(&labels).clone()
        });
        times.observe(took.as_secs_f64());
    }
}

/// A single message was published to a stream, or was not.
pub fn message_sent(stream: &'static str, outcome: &'static str, took: Duration) {
    let labels = Sent { messaging_destination_name: stream, outcome };
    MEASURED.messages_sent.get_or_create(&labels).observe(took.as_secs_f64());
}

/// An attempt of an activity came to this end.
pub fn activity_ended(activity: &'static str, outcome: &'static str, took: Duration) {
    let labels = Activity { temporal_activity: activity, outcome };
    MEASURED.activities.get_or_create(&labels).observe(took.as_secs_f64());
}

/// A statement that begins with this word has ended, or one that begins with a rarer one.
pub(crate) fn statement_ended(db_operation_name: &'static str, took: Duration) {
    let labels = Operation { db_operation_name };
    MEASURED.statements.get_or_create(&labels).observe(took.as_secs_f64());
}

/// Spans were delivered to the collector, dropped because it did not take them, or found no room
/// in the queue.
pub(crate) fn count_spans(count: u64, outcome: &'static str) {
    MEASURED.spans.get_or_create(&Spans { outcome }).inc_by(count);
}
