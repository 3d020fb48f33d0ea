//! What a handler knows about the call besides its message.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue};

use crate::headers;

/// Who calls, as far as it has been proved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Nobody has proved anything.
    Anonymous,
    /// A deployable of this system, by its name in the contracts.
    Deployable(Arc<str>),
    /// A holder of the operator token.
    Operator,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::Deployable(name) => f.write_str(name),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// As whom an in-process client calls: as the caller of the context that it is given, or
/// as one of its own, as a client over the network does by its token.
#[derive(Clone, Debug, Default)]
pub struct CallsAs(Option<Caller>);

impl CallsAs {
    /// Always as this caller, whatever the context says.
    #[must_use]
    pub fn always(caller: Caller) -> Self {
        Self(Some(caller))
    }

    /// The context of a call that is made.
    #[must_use]
    pub fn of<'a>(&self, context: &'a Context) -> Cow<'a, Context> {
        match &self.0 {
            None => Cow::Borrowed(context),
            Some(caller) => Cow::Owned(context.clone().with_caller(caller.clone())),
        }
    }
}

/// One call: who calls, until when the answer matters, and the identifiers by
/// which its traces are found again. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    caller: Caller,
    deadline: Option<Instant>,
    request_id: Arc<str>,
    traceparent: Option<Arc<str>>,
    foreign_traceparent: Option<Arc<str>>,
    idempotency_key: Option<IdempotencyKey>,
    metadata: Option<Metadata>,
    credentials: Option<HeaderValue>,
}

/// The key of one logical call, and who it is for.
#[derive(Clone, Debug)]
enum IdempotencyKey {
    /// Chosen for the call that this context is handed to next.
    Chosen(Arc<str>),
    /// Came with the call that is being answered. It is not handed on: the calls that
    /// an answer needs are others, and two of them must not be taken for one.
    Received(Arc<str>),
}

/// What of a caller's metadata was let pass.
#[derive(Clone)]
struct Metadata(Arc<HeaderMap>);

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be anything.
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Context {
    /// A call that arrived from outside with this request id.
    #[must_use]
    pub fn incoming(caller: Caller, request_id: impl Into<Arc<str>>) -> Self {
        Self {
            caller,
            deadline: None,
            request_id: request_id.into(),
            traceparent: None,
            foreign_traceparent: None,
            idempotency_key: None,
            metadata: None,
            credentials: None,
        }
    }

    /// A call that starts here, on nobody's behalf: a fresh request id, no
    /// deadline, no identity. A client over the network proves its own identity
    /// whatever the context says.
    #[must_use]
    pub fn background() -> Self {
        Self::incoming(Caller::Anonymous, headers::new_request_id())
    }

    /// The same call by `caller`.
    #[must_use]
    pub fn with_caller(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    /// The same call, which must end within `limit` from now. A deadline that is
    /// closer stays.
    #[must_use]
    pub fn with_deadline(self, limit: Duration) -> Self {
        self.with_deadline_from(Instant::now(), limit)
    }

    /// As [`with_deadline`](Self::with_deadline), from a moment that is known already.
    pub(crate) fn with_deadline_from(mut self, now: Instant, limit: Duration) -> Self {
        // An instant that cannot be represented is so far away that it is no
        // deadline at all.
        if let Some(limit) = now.checked_add(limit) {
            self.deadline = Some(self.deadline.map_or(limit, |deadline| deadline.min(limit)));
        }
        self
    }

    /// The same call as part of the trace that this W3C `traceparent` names.
    #[must_use]
    pub fn with_traceparent(mut self, traceparent: impl Into<Arc<str>>) -> Self {
        self.traceparent = Some(traceparent.into());
        self
    }

    /// The same call with the `traceparent` that arrived with it. It is part of that trace when
    /// the caller has proved who it is. Of nobody knows whom it begins one, which refers to
    /// theirs: otherwise anybody could write into traces of ours, and have all be kept or none.
    #[must_use]
    pub fn arrived_with(mut self, traceparent: Option<&str>) -> Self {
        if self.caller == Caller::Anonymous {
            self.foreign_traceparent = traceparent.map(Arc::from);
        } else {
            self.traceparent = traceparent.map(Arc::from);
        }
        self
    }

    /// The same call under this idempotency key: the server takes another call with the
    /// same key for a repeat. Where the contract names a field for the key, the field
    /// counts and not this.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.idempotency_key = Some(IdempotencyKey::Chosen(key.into()));
        self
    }

    /// A copy under the key in a request's field; for generated code.
    #[must_use]
    pub fn keyed_by(&self, key: &str) -> Self {
        let context = self.clone();
        if key.is_empty() { context } else { context.with_idempotency_key(key) }
    }

    /// A copy under a key, a fresh one unless one was chosen; for generated code.
    #[must_use]
    pub fn keyed(&self) -> Self {
        match self.chosen_idempotency_key() {
            Some(_) => self.clone(),
            None => self.clone().with_idempotency_key(headers::new_idempotency_key()),
        }
    }

    /// What the handler of the call sees: the key is one that came with it.
    pub(crate) fn received(mut self) -> Self {
        if let Some(IdempotencyKey::Chosen(key)) = self.idempotency_key {
            self.idempotency_key = Some(IdempotencyKey::Received(key));
        }
        self
    }

    pub(crate) fn chosen_idempotency_key(&self) -> Option<&str> {
        match &self.idempotency_key {
            Some(IdempotencyKey::Chosen(key)) => Some(key),
            _ => None,
        }
    }

    /// The key under which the server knows a repeat of the same logical call.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        match &self.idempotency_key {
            Some(IdempotencyKey::Chosen(key) | IdempotencyKey::Received(key)) => Some(key),
            None => None,
        }
    }

    /// The same call with metadata of the caller's. A client hands it on only when it
    /// acts for the caller.
    #[must_use]
    pub fn with_metadata(mut self, metadata: HeaderMap) -> Self {
        self.metadata = Some(Metadata(Arc::new(metadata)));
        self
    }

    /// The same call with the caller's own proof of identity, an `authorization`, for a
    /// client that acts for the caller.
    #[must_use]
    pub fn with_credentials(mut self, mut credentials: HeaderValue) -> Self {
        // Debug then hides it.
        credentials.set_sensitive(true);
        self.credentials = Some(credentials);
        self
    }

    /// A text of the caller's metadata, which whoever received the call has let pass.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.metadata.as_ref()?.0.get(name)?.to_str().ok()
    }

    pub(crate) fn all_metadata(&self) -> Option<&HeaderMap> {
        self.metadata.as_ref().map(|metadata| &*metadata.0)
    }

    pub(crate) fn credentials(&self) -> Option<&HeaderValue> {
        self.credentials.as_ref()
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// When an answer stops to matter; `None` when it never does.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How long an answer still matters: zero once it is too late, `None` without
    /// a deadline.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Identifies the call in logs across services.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The W3C `traceparent` of the trace that the call is part of.
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    /// The `traceparent` that came with the call of an unknown caller.
    pub(crate) fn foreign_traceparent(&self) -> Option<&str> {
        self.foreign_traceparent.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closer_deadline_wins() {
        let context = Context::background().with_deadline(Duration::from_secs(5));
        let same = context.clone().with_deadline(Duration::from_secs(50));
        assert_eq!(context.deadline(), same.deadline());
        let closer = context.clone().with_deadline(Duration::from_secs(1));
        assert!(closer.deadline() < context.deadline());
    }

    #[test]
    fn a_past_deadline_leaves_nothing_and_an_endless_one_is_none() {
        let past = Context::background().with_deadline(Duration::ZERO);
        assert_eq!(past.remaining(), Some(Duration::ZERO));
        let endless = Context::background().with_deadline(Duration::MAX);
        assert_eq!(endless.remaining(), None);
    }

    #[test]
    fn a_trace_is_joined_by_who_is_known_and_referred_to_by_who_is_not() {
        const THEIRS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let known = Caller::Deployable("worker".into());
        let known = Context::incoming(known, "r1").arrived_with(Some(THEIRS));
        assert_eq!((known.traceparent(), known.foreign_traceparent()), (Some(THEIRS), None));
        let unknown = Context::incoming(Caller::Anonymous, "r1").arrived_with(Some(THEIRS));
        assert_eq!((unknown.traceparent(), unknown.foreign_traceparent()), (None, Some(THEIRS)));
    }

    #[test]
    fn a_key_that_came_with_a_call_is_seen_and_not_handed_on() {
        let chosen = Context::background().with_idempotency_key("order-7");
        assert_eq!(chosen.chosen_idempotency_key(), Some("order-7"));
        assert_eq!(chosen.keyed().idempotency_key(), Some("order-7"));
        let received = chosen.received();
        assert_eq!(received.idempotency_key(), Some("order-7"));
        assert_eq!(received.chosen_idempotency_key(), None);
        assert_ne!(received.keyed().idempotency_key(), Some("order-7"));
        assert_eq!(Context::background().keyed_by("").idempotency_key(), None);
    }
}
