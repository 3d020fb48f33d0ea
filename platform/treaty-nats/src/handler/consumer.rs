//! The durable consumer at the server.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::ConsumerErrorKind;
use treaty_error::{Code, Error};

use crate::failure::{api, unavailable};
use crate::{Connection, HandlerSpec, streams};

/// Messages of one consumer that may be unanswered at a time, those included that
/// wait for a retry. The server's default of 1,000 would let that many slow
/// retries hold up everything behind them.
pub(super) const MAX_ACK_PENDING: i64 = 10_000;

/// Creates the consumer or brings it to what is declared, and the streams that it
/// needs when they are not there yet.
pub(super) async fn ensure(connection: &Connection, spec: &HandlerSpec) -> Result<(), Error> {
    connection.ensure_streams(&[&streams::DEAD_LETTERS]).await?;
    match create(connection, spec).await {
        Err(error) if error.code() == Code::NotFound => {}
        outcome => return outcome,
    }
    connection.ensure_streams(&[spec.stream]).await?;
    create(connection, spec).await
}

async fn create(connection: &Connection, spec: &HandlerSpec) -> Result<(), Error> {
    let config = pull::Config {
        durable_name: Some(spec.durable.to_owned()),
        description: Some(format!("Handles {}.", spec.event)),
        ack_policy: AckPolicy::Explicit,
        ack_wait: spec.ack_wait,
        // The runtime counts attempts itself and sets a message aside when they
        // are spent. If the server counted, a message whose handler took the whole
        // process down would vanish from this consumer without a dead letter.
        max_deliver: -1,
        filter_subject: spec.filter.to_owned(),
        max_ack_pending: MAX_ACK_PENDING,
        ..pull::Config::default()
    };
    let created = connection.jetstream().create_consumer_on_stream(config, spec.stream.name).await;
    let Err(error) = created else { return Ok(()) };
    let what = format!("consumer {}", spec.durable);
    match error.kind() {
        ConsumerErrorKind::JetStream(inner)
            if inner.error_code() == ErrorCode::STREAM_NOT_FOUND =>
        {
            let message = format!("{what}: stream {} does not exist", spec.stream.name);
            Err(Error::new(Code::NotFound, message).with_source(inner))
        }
        ConsumerErrorKind::JetStream(inner) => Err(api(&what, inner)),
        _ => Err(unavailable(format!("{what} could not be set up"), error)),
    }
}
