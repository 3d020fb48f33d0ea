//! What generated code declares: events, streams, handlers.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use treaty_error::{Code, Error};
use treaty_validate::Validate;

/// A message that is published to a stream. Implemented by generated code.
pub trait Event: prost::Message + Validate + Default + Clone + 'static {
    /// Full protobuf name, for example `stravasync.sync.v1.SyncAthlete`.
    const FULL_NAME: &'static str;
    /// The stream that keeps it.
    const STREAM: &'static StreamSpec;
    /// Filter that matches every subject of this event and of no other, for
    /// example `athlete.sync.*`.
    const SUBJECTS: &'static str;

    /// The subject of this very event.
    ///
    /// # Errors
    /// A field that the subject needs is empty.
    fn subject(&self) -> Result<String, Error>;

    /// The deduplication key; `None` makes every publish a message of its own.
    fn message_id(&self) -> Option<String>;
}

/// When messages leave a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Age or size ends them.
    Limits,
    /// They leave when every consumer has acknowledged them.
    Interest,
}

/// A JetStream stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSpec {
    /// Its name.
    pub name: &'static str,
    /// The subjects that it stores.
    pub subjects: &'static [&'static str],
    /// When messages leave.
    pub retention: Retention,
    /// Age after which a message is dropped.
    pub max_age: Option<Duration>,
    /// Size after which new messages are refused.
    pub max_bytes: Option<i64>,
    /// How long message ids are remembered.
    pub duplicate_window: Duration,
    /// Whether publishers of many messages send them in batches, each stored whole or not
    /// at all. Needs nats-server 2.12; with an older one they go one by one.
    pub atomic_batches: bool,
}

/// How one deployable handles one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerSpec {
    /// Name of the durable consumer. Replicas share it and so share the work.
    pub durable: &'static str,
    /// The stream that it reads.
    pub stream: &'static StreamSpec,
    /// Full name of the event.
    pub event: &'static str,
    /// Subject filter.
    pub filter: &'static str,
    /// Messages in work at the same time in one process.
    pub concurrency: usize,
    /// Time after which the server delivers an unanswered message again. While a
    /// handler works the runtime keeps extending it.
    pub ack_wait: Duration,
    /// Deliveries in all before a message becomes a dead letter.
    pub max_deliver: i64,
    /// Waits before the second, third and further deliveries; the last repeats.
    pub backoff: &'static [Duration],
    /// How an acknowledgement is sent.
    pub ack: Ack,
    /// Which tokens of the subject, from 0, make the key of order: messages of one key
    /// are handled one at a time and in the order of the stream, within one process.
    /// Empty without order.
    pub ordered_by: &'static [usize],
}

/// How an acknowledgement is sent. Retries and dead letters are confirmed always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// The server has confirmed it before the message counts as done.
    Confirmed,
    /// Nobody waits for a confirmation. An acknowledgement that is lost with its connection
    /// makes the message come again after the ack wait.
    Unconfirmed,
}

impl HandlerSpec {
    /// The wait before the delivery that follows `attempt` (counted from 1).
    pub(crate) fn backoff_after(&self, attempt: u64) -> Duration {
        const WITHOUT_BACKOFF: Duration = Duration::from_secs(1);
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        self.backoff.get(index).or(self.backoff.last()).copied().unwrap_or(WITHOUT_BACKOFF)
    }

    /// Whether a message that failed at `attempt` has no delivery left.
    pub(crate) fn is_spent(&self, attempt: u64) -> bool {
        i64::try_from(attempt).unwrap_or(i64::MAX) >= self.max_deliver
    }

    /// The key of order of a message with this subject: the tokens that the contract names.
    /// Subjects that lack them share a key.
    pub(crate) fn order_key(&self, subject: &str) -> String {
        let token = |index: &usize| subject.split('.').nth(*index).unwrap_or_default();
        let tokens: Vec<&str> = self.ordered_by.iter().map(token).collect();
        tokens.join(".")
    }

    /// Refuses what the server would refuse later and less clearly.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (what, name) in [("durable", self.durable), ("stream", self.stream.name)] {
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || !name.chars().all(legal) {
                return Err(Error::new(
                    Code::FailedPrecondition,
                    format!("{what} name {name:?} may hold letters, digits, '-' and '_' alone"),
                ));
            }
        }
        if self.concurrency == 0 || self.max_deliver < 1 || self.ack_wait.is_zero() {
            return Err(Error::new(
                Code::FailedPrecondition,
                format!(
                    "handler {}: concurrency, max_deliver and ack_wait must be positive",
                    self.durable
                ),
            ));
        }
        Ok(())
    }
}

/// Renders a field as one token of a subject.
///
/// ASCII letters, digits, `-`, `_`, `~` and `:` stay; every other byte of its
/// UTF-8 form becomes `%XX`. So a value can neither add a token nor turn into a
/// wildcard, and two values never share a token.
///
/// # Errors
/// [`Code::InvalidArgument`] when the value is empty: a subject has no empty token.
pub fn token(field: &str, value: impl Display) -> Result<String, Error> {
    let text = value.to_string();
    if text.is_empty() {
        return Err(Error::invalid_field(field, "must not be empty: it is part of the subject"));
    }
    let mut token = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b':') {
            token.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(token, "%{byte:02X}");
        }
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_can_neither_split_nor_match() {
        assert_eq!(token("id", "7f3a-b_c").unwrap(), "7f3a-b_c");
        assert_eq!(token("id", "a.b*c>d %é\n$").unwrap(), "a%2Eb%2Ac%3Ed%20%25%C3%A9%0A%24");
        assert_eq!(token("n", -5).unwrap(), "-5");
        let error = token("athlete_id", "").unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.violations()[0].field, "athlete_id");
    }

    const STREAM: StreamSpec = StreamSpec {
        name: "s",
        subjects: &["s.>"],
        retention: Retention::Limits,
        max_age: None,
        max_bytes: None,
        duplicate_window: Duration::from_secs(120),
        atomic_batches: false,
    };

    const HANDLER: HandlerSpec = HandlerSpec {
        durable: "d",
        stream: &STREAM,
        event: "e",
        filter: "s.*",
        concurrency: 1,
        ack_wait: Duration::from_secs(30),
        max_deliver: 4,
        backoff: &[Duration::from_secs(1), Duration::from_secs(5)],
        ack: Ack::Confirmed,
        ordered_by: &[],
    };

    #[test]
    fn the_last_backoff_repeats_and_attempts_end() {
        let waits: Vec<u64> = (1..=4).map(|n| HANDLER.backoff_after(n).as_secs()).collect();
        assert_eq!(waits, [1, 5, 5, 5]);
        assert!(!HANDLER.is_spent(3));
        assert!(HANDLER.is_spent(4));
        assert!(HANDLER.is_spent(u64::MAX));
    }

    #[test]
    fn the_key_of_order_is_made_of_the_tokens_that_are_named() {
        let ordered = HandlerSpec { ordered_by: &[2, 1], ..HANDLER };
        assert_eq!(ordered.order_key("s.a.b.c"), "b.a");
        assert_eq!(ordered.order_key("s.a"), ".a");
        assert_eq!(HANDLER.order_key("s.a"), "");
    }

    #[test]
    fn a_durable_with_a_dot_is_refused() {
        assert!(HANDLER.check().is_ok());
        let dotted = HandlerSpec { durable: "consumer.stravasync", ..HANDLER };
        assert!(dotted.check().unwrap_err().message().contains("consumer.stravasync"));
    }
}
