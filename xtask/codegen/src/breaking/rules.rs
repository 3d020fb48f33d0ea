//! The rules: what each finds, who breaks, and how the same is done safely.

use std::fmt;

/// What kind of promise a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Requests by HTTP.
    Http,
    /// Calls of services.
    Rpc,
    /// Events and streams.
    Event,
    /// Durable consumers of deployables, and what deployables answer.
    Deployable,
    /// Temporal.
    Workflow,
    /// What messages may hold.
    Message,
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Rpc => "RPC",
            Self::Event => "EVENT",
            Self::Deployable => "DEPLOYABLE",
            Self::Workflow => "WORKFLOW",
            Self::Message => "MESSAGE",
        })
    }
}

/// One kind of break.
#[derive(Debug)]
pub struct Rule {
    /// Its name, which stays what it is: exceptions refer to it.
    pub name: &'static str,
    /// What kind of promise it is about.
    pub category: Category,
    /// What it finds.
    pub finds: &'static str,
    /// Who breaks, and how.
    pub breaks: &'static str,
    /// How to get the same without a break.
    pub safely: &'static str,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Declares each rule as a constant, and all of them as [`RULES`].
macro_rules! rules {
    ($($name:ident $category:ident { $finds:literal $breaks:literal $safely:literal })*) => {
        $(pub(super) const $name: &Rule = &Rule {
            name: stringify!($name),
            category: Category::$category,
            finds: $finds,
            breaks: $breaks,
            safely: $safely,
        };)*

        /// Every rule, by category.
        pub const RULES: &[&Rule] = &[$($name),*];
    };
}

rules! {
    HTTP_ROUTE_REMOVED Http {
        "no route answers requests that one answered"
        "HTTP callers get 404 or 405"
        "keep the old binding in additional_bindings until its last caller is gone"
    }
    HTTP_ROUTE_MOVED Http {
        "another RPC answers requests of a route"
        "HTTP callers get another answer to the same request"
        "give the other RPC a path of its own"
    }
    HTTP_BODY_CHANGED Http {
        "a route takes another part of the request as its body"
        "HTTP callers send fields where they are no longer read, and get 400"
        "add a binding with another path, and keep this one"
    }
    HTTP_RESPONSE_BODY_CHANGED Http {
        "a route answers with another part of the response"
        "HTTP callers find other JSON than they parse"
        "add a binding with another path, and keep this one"
    }
    HTTP_VARIABLE_CHANGED Http {
        "variables at the same places of a path set other fields"
        "what HTTP callers put into the path means something else"
        "keep the fields, or add a binding with another path"
    }
    HTTP_STATUS_CHANGED Http {
        "success is answered with another status"
        "HTTP callers that compare the status take success for failure, and 204 takes away the body"
        "add an RPC with the other status"
    }
    HTTP_NAME_REMOVED Http {
        "a field or an enum's value that HTTP callers may send is gone, reserved or not"
        "HTTP callers that still send it get 400: unknown names are refused in JSON and in the query"
        "mark it deprecated and ignore what it says; remove it when nobody sends it any more"
    }
    SERVICE_REMOVED Rpc {
        "a service is gone, or has become a set of workflows"
        "callers get UNIMPLEMENTED"
        "mark it deprecated, and remove it when nobody calls it any more"
    }
    RPC_REMOVED Rpc {
        "an RPC is gone"
        "callers get UNIMPLEMENTED"
        "mark it deprecated, and remove it when nobody calls it any more"
    }
    RPC_STREAMING_CHANGED Rpc {
        "an RPC streams requests or responses where it did not, or the other way"
        "callers' calls fail, and HTTP callers get lines instead of one answer"
        "add an RPC of the other shape"
    }
    RPC_ACCESS_NARROWED Rpc {
        "an access rule no longer admits a group"
        "its members get PERMISSION_DENIED or UNAUTHENTICATED"
        "let them move to another RPC first; where it closes a hole, ignore the rule with that reason"
    }
    RPC_DEADLINE_SHORTENED Rpc {
        "the server works on a call for less time"
        "calls that took longer get DEADLINE_EXCEEDED"
        "let callers send shorter deadlines; lower it when no call needs the time"
    }
    RPC_IDEMPOTENCY_WEAKENED Rpc {
        "idempotency_level promises less"
        "clients built before repeat calls that have effects now, and caches answer reads that are none"
        "add an RPC for what has effects"
    }
    RPC_IDEMPOTENCY_KEY_CHANGED Rpc {
        "another field holds the key of repeats, or none does"
        "repeats by clients built before are done twice"
        "keep the field; read a second one beside it first"
    }
    RPC_RETRY_REDUCED Rpc {
        "clients make fewer attempts"
        "callers see failures that a repeat used to hide"
        "let callers cope with the failures first, then ignore the rule with that reason"
    }
    RPC_PAGINATION_REMOVED Rpc {
        "page_size, page_token or next_page_token is gone"
        "callers that page ask for the first page for ever, or lose the rest"
        "keep the fields; a server may answer everything on one page"
    }
    EVENT_REMOVED Event {
        "a message is no longer an event, or is gone"
        "handlers wait for it in vain, and what the stream still holds cannot be handled"
        "stop publishing it first; remove it when the stream holds none and nobody handles it"
    }
    EVENT_UNPUBLISHED Event {
        "no deployable publishes an event any more"
        "those who handle it wait in vain"
        "remove the handlers first, or let another deployable publish it"
    }
    EVENT_STREAM_CHANGED Event {
        "an event goes to another stream"
        "durables on the old stream get none; processes of the old version go on publishing there"
        "add a second event on the new stream, publish both, move the handlers, remove the first"
    }
    EVENT_SUBJECT_CHANGED Event {
        "an event has another subject"
        "subscribers and durables that filter the old subject get none, and permissions do not cover the new one"
        "add a second event with the new subject, publish both, move the handlers, remove the first"
    }
    EVENT_MESSAGE_ID_CHANGED Event {
        "an event's deduplication key is made of something else"
        "what both versions publish during a rollout is stored twice, or what differs is taken for one"
        "make sure that handlers bear repeats, then ignore the rule with that reason"
    }
    STREAM_REMOVED Event {
        "a stream is no longer declared"
        "its messages and durables stay behind without an owner; who reads it waits in vain"
        "move its events first, let it drain, then delete it by hand"
    }
    STREAM_RETENTION_CHANGED Event {
        "messages leave a stream for another reason"
        "to interest: what no durable waits for is gone at once; to limits: nothing leaves before age or size ends it"
        "declare a second stream and move the events"
    }
    STREAM_MAX_AGE_SHORTENED Event {
        "a stream forgets messages earlier"
        "messages older than that are deleted at once, unhandled ones too"
        "let every durable catch up first, then ignore the rule with that reason"
    }
    STREAM_MAX_BYTES_LOWERED Event {
        "a stream takes less"
        "a stream above the new size refuses every publish until it shrinks"
        "let it shrink below the new size first, then ignore the rule with that reason"
    }
    STREAM_DUPLICATE_WINDOW_SHORTENED Event {
        "message ids are remembered for less time"
        "repeats that came within the old window are stored twice"
        "make sure that handlers bear repeats, then ignore the rule with that reason"
    }
    DEPLOYABLE_REMOVED Deployable {
        "a deployable is gone"
        "its callers find nobody, and its durables fill up or hold back a stream with interest"
        "remove what it serves, handles and runs first, and delete its durables when it is gone"
    }
    SERVICE_UNSERVED Deployable {
        "no deployable answers a service that one answered"
        "callers get UNIMPLEMENTED or find nobody"
        "remove the callers first, or let another deployable serve it before"
    }
    SERVICE_SERVER_CHANGED Deployable {
        "another deployable answers a service"
        "callers connect to where their configuration (peers.NAME) says: to the old one"
        "let the old one answer, too, until every caller is configured anew: a rollout by hand, then ignore the rule with that reason"
    }
    HANDLER_REMOVED Deployable {
        "a deployable no longer handles an event"
        "its durable stays: messages wait in it for ever, and a stream with interest keeps them"
        "let it drain, then delete the durable with the rollout, and ignore the rule with that reason"
    }
    HANDLER_DURABLE_CHANGED Deployable {
        "a handler's durable consumer has another name"
        "the new durable begins with the oldest message of the stream, the old one fills up"
        "keep the names of deployable and event"
    }
    HANDLER_MAX_DELIVER_LOWERED Deployable {
        "a message becomes a dead letter after fewer deliveries"
        "messages in retry that have used up the lower number are set aside at once"
        "let the retries end first, then ignore the rule with that reason"
    }
    WORKFLOWS_NOT_RUN Deployable {
        "no deployable runs a workflow service that one ran"
        "workflows and activities that are started or open wait in their task queue for ever"
        "let open workflows end and stop the schedules first"
    }
    WORKFLOW_SERVICE_REMOVED Workflow {
        "a workflow service is gone, or is answered over a network now"
        "open workflows never end, and schedules start what nobody runs"
        "delete the schedules and let open workflows end first"
    }
    WORKFLOW_REMOVED Workflow {
        "a workflow is gone"
        "open runs never end, and schedules and starters start what nobody runs"
        "delete the schedules and let open runs end first"
    }
    ACTIVITY_REMOVED Workflow {
        "an activity is gone"
        "open workflows that call it fail to replay or wait for ever"
        "keep it registered until no workflow that calls it is open"
    }
    TASK_QUEUE_CHANGED Workflow {
        "a workflow service has another task queue"
        "open workflows go on in the old queue, where nobody works any more"
        "declare a second workflow service with the new queue, and keep the first until it is empty"
    }
    WORKFLOW_TIMEOUT_SHORTENED Workflow {
        "a workflow may take less time"
        "runs started from then on that take as long as before are ended by the server"
        "make the work faster first, then ignore the rule with that reason"
    }
    WORKFLOW_ID_CHANGED Workflow {
        "a workflow's id is made of something else"
        "a second start during a rollout runs beside the first instead of joining it, and who knows the old id does not find it"
        "let open runs end first, then ignore the rule with that reason"
    }
    SEARCH_ATTRIBUTE_CHANGED Workflow {
        "a search attribute of a workflow is gone, of another type, or set to something else"
        "queries, alerts and views find fewer runs, or the server refuses the type it does not know"
        "keep it and add another beside it"
    }
    ACTIVITY_TIMEOUT_SHORTENED Workflow {
        "an attempt, its heartbeats or all attempts of an activity may take less time"
        "attempts that took longer are given up and repeated, or fail the workflow"
        "make the work faster first, then ignore the rule with that reason"
    }
    ACTIVITY_ATTEMPTS_LOWERED Workflow {
        "an activity is attempted fewer times"
        "workflows fail that another attempt would have saved"
        "handle the failure in the workflow first, then ignore the rule with that reason"
    }
    FIELD_REQUIRED Message {
        "a field of a request is REQUIRED (google.api.field_behavior) that was not"
        "callers that leave it out are refused, by us or by their own clients"
        "treat its absence as a default, or add an RPC that needs it"
    }
    FIELD_REDACTION_REMOVED Message {
        "debug_redact is gone from a field"
        "its values appear in the logs of everybody who prints the message"
        "keep the option; add another field for what may be shown"
    }
    VALIDATION_TIGHTENED Message {
        "a rule of buf.validate allows less of what callers send, publish or start with"
        "callers get INVALID_ARGUMENT for what was fine; events that a stream still holds become dead letters"
        "accept the old values and treat them, or add a field with the tighter rule"
    }
    VALIDATION_LOOSENED Message {
        "a rule of buf.validate allows more of an event"
        "handlers built before set such events aside as dead letters"
        "roll every handler out before somebody publishes such events, then ignore the rule with that reason"
    }
}
