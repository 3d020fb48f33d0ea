//! What becomes of a delivery: decided here for the runtime and for tests alike.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;
use treaty_error::{Code, Disposition, Error};

use super::{Delivery, Handle};
use crate::{Event, HandlerSpec, headers};

/// What becomes of a delivery that was handled.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is done.
    Ack,
    /// It comes again after this wait.
    Retry(Duration, Error),
    /// It is set aside.
    DeadLetter(Error),
}

/// Decides by the code of the failure and the deliveries that are left.
pub(crate) fn verdict(spec: &HandlerSpec, attempt: u64, outcome: Result<(), Error>) -> Verdict {
    match outcome {
        Ok(()) => Verdict::Ack,
        Err(error) if error.code().disposition() == Disposition::DeadLetter => {
            Verdict::DeadLetter(error)
        }
        Err(error) if spec.is_spent(attempt) => Verdict::DeadLetter(error),
        Err(error) => {
            let wait = error.retry_after().unwrap_or_else(|| spec.backoff_after(attempt));
            Verdict::Retry(wait, error)
        }
    }
}

/// Decodes the message and has it handled, in a task of its own, so that a panic ends
/// this message alone and a handler that never yields does not keep its caller from
/// working. Dropping it stops the handler.
pub(crate) async fn handle<E, H>(
    handler: Arc<H>,
    delivery: Arc<Delivery>,
    payload: Bytes,
) -> Result<(), Error>
where
    E: Event,
    H: Handle<E> + ?Sized,
{
    let event = decode::<E>(&delivery, payload)?;
    let task =
        tokio::spawn(async move { handler.handle(&delivery, event).await }.in_current_span());
    AbortOnDropHandle::new(task).await.unwrap_or_else(|error| {
        // What a panic says may hold data; it is in our own log already.
        Err(Error::new(Code::Internal, "the handler panicked").with_source(error))
    })
}

fn decode<E: Event>(delivery: &Delivery, payload: Bytes) -> Result<E, Error> {
    match delivery.header(headers::EVENT) {
        Some(name) if name == E::FULL_NAME => {}
        name => {
            let name = name.unwrap_or("none");
            let message = format!(
                "undecodable: header {} says {name}, expected {}",
                headers::EVENT,
                E::FULL_NAME
            );
            return Err(Error::new(Code::InvalidArgument, message));
        }
    }
    let event = E::decode(payload).map_err(|error| {
        Error::new(Code::InvalidArgument, format!("undecodable: not a {}", E::FULL_NAME))
            .with_source(error)
    })?;
    // What breaks the contract's rules will break them again: its code makes it a dead
    // letter, which names the first broken rule.
    treaty_validate::validate(&event).map(|()| event)
}
