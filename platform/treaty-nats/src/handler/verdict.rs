//! What becomes of a delivery: decided here for the runtime and for tests alike.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
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

impl Verdict {
    /// In one word, for a metric's label.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::Retry(..) => "retry",
            Self::DeadLetter(_) => "dead_letter",
        }
    }
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

/// Decodes the message and has it handled. A panic ends this message alone. Dropping it
/// stops the handler.
pub(crate) async fn handle<E, H>(
    handler: &H,
    delivery: &Delivery,
    payload: Bytes,
) -> Result<(), Error>
where
    E: Event,
    H: Handle<E> + ?Sized,
{
    let handled = async {
        let event = decode::<E>(delivery, payload)?;
        handler.handle(delivery, event).await
    };
    // Nothing of ours is half changed by a panic; what a handler shares with the next
    // message is its own affair, as it is with tasks.
    let handled = AssertUnwindSafe(handled).catch_unwind().await;
    handled.unwrap_or_else(|panic| {
        // What a panic says may hold data; it is in our own log already.
        drop(panic);
        Err(Error::new(Code::Internal, "the handler panicked"))
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{Ack, StreamSpec, streams};

    const STREAM: &StreamSpec = &streams::DEAD_LETTERS;

    /// A declaration for unit tests.
    pub(in crate::handler) const HANDLER: HandlerSpec = HandlerSpec {
        durable: "d",
        stream: STREAM,
        event: "e",
        filter: "s.*",
        concurrency: 1,
        ack_wait: Duration::from_secs(30),
        max_deliver: 2,
        backoff: &[Duration::from_secs(1)],
        ack: Ack::Confirmed,
        ordered_by: &[],
    };

    #[test]
    fn the_code_and_the_deliveries_left_decide() {
        let failed = |code| Err(Error::new(code, "no"));
        assert!(matches!(verdict(&HANDLER, 1, Ok(())), Verdict::Ack));
        let away = verdict(&HANDLER, 1, failed(Code::Unavailable));
        assert!(matches!(away, Verdict::Retry(wait, _) if wait == Duration::from_secs(1)));
        let spent = verdict(&HANDLER, 2, failed(Code::Unavailable));
        assert!(matches!(spent, Verdict::DeadLetter(_)));
        let wrong = verdict(&HANDLER, 1, failed(Code::InvalidArgument));
        assert!(matches!(wrong, Verdict::DeadLetter(_)));
    }
}
