//! The steps of a shutdown.

use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error};

/// The steps of a shutdown.
#[derive(Clone)]
pub(super) struct Stops {
    /// It was asked for. What handlers are given for their own waits is this one, so that some end
    /// before the runtime knows.
    asked: CancellationToken,
    /// Nothing new is begun: what waits for its next try is given back.
    pub(super) draining: CancellationToken,
    /// The grace is over: what is in work is stopped and given back.
    pub(super) interrupt: CancellationToken,
    /// Nobody waits for it any more: it is stopped and left unanswered.
    pub(super) abandon: CancellationToken,
}

impl Stops {
    pub(super) fn new(asked: CancellationToken) -> Self {
        Self {
            asked,
            draining: CancellationToken::new(),
            interrupt: CancellationToken::new(),
            abandon: CancellationToken::new(),
        }
    }

    /// Whether a handler ended because of the shutdown, and neither finished nor failed.
    pub(super) fn ended(&self, outcome: &Result<(), Error>) -> bool {
        let cancelled = matches!(outcome, Err(error) if error.code() == Code::Cancelled);
        cancelled && self.asked.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_shutdown_makes_a_cancelled_handler_no_failure() {
        let asked = CancellationToken::new();
        let stops = Stops::new(asked.clone());
        let failed = |code| Err(Error::new(code, "stopped"));
        assert!(!stops.ended(&failed(Code::Cancelled)), "nobody has asked for a stop");
        asked.cancel();
        assert!(stops.ended(&failed(Code::Cancelled)));
        assert!(!stops.ended(&failed(Code::Unavailable)));
        assert!(!stops.ended(&Ok(())));
    }
}
