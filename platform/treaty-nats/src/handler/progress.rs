//! Telling the server that work goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::{Client, Subject};
use bytes::Bytes;
use tokio::time::{Instant, MissedTickBehavior};

/// The messages that this process has taken and not answered yet. A task of its own tells
/// the server of them, so that neither a handler that takes longer than the ack wait nor
/// one that never yields gets its message twice.
#[derive(Default)]
pub(super) struct Progress {
    unanswered: Mutex<Unanswered>,
}

/// One slot a message, used again when it is free.
#[derive(Default)]
struct Unanswered {
    messages: Vec<Option<(Subject, Instant)>>,
    free: Vec<usize>,
}

/// A message that is not answered yet; dropping it ends the reports.
pub(super) struct InProgress {
    progress: Arc<Progress>,
    slot: usize,
}

impl Progress {
    /// Reports of a message from now on.
    pub(super) fn begin(self: &Arc<Self>, reply: Subject) -> InProgress {
        let mut unanswered = self.lock();
        let message = Some((reply, Instant::now()));
        let slot = match unanswered.free.pop() {
            Some(slot) => {
                unanswered.messages[slot] = message;
                slot
            }
            None => {
                unanswered.messages.push(message);
                unanswered.messages.len() - 1
            }
        };
        InProgress { progress: Arc::clone(self), slot }
    }

    /// Tells of each message before half of the ack wait is over, again and again.
    pub(super) async fn tell(self: Arc<Self>, client: Client, ack_wait: Duration) {
        let period = (ack_wait / 4).max(Duration::from_millis(1));
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for reply in self.due(period) {
                let told = client.publish(reply, Bytes::from_static(b"+WPI")).await;
                if let Err(error) = told {
                    tracing::debug!(%error, "progress was not reported");
                }
            }
        }
    }

    /// The messages that were not told of for this long.
    fn due(&self, period: Duration) -> Vec<Subject> {
        let now = Instant::now();
        let mut unanswered = self.lock();
        let messages = unanswered.messages.iter_mut().flatten();
        let due = messages.filter(|(_, told)| now - *told >= period);
        due.map(|(reply, told)| {
            *told = now;
            reply.clone()
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Unanswered> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut unanswered = self.progress.lock();
        unanswered.messages[self.slot] = None;
        unanswered.free.push(self.slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_what_is_old_and_unanswered_is_told_of() {
        let progress = Arc::new(Progress::default());
        let period = Duration::from_secs(5);
        let first = progress.begin("first".into());
        tokio::time::advance(period).await;
        let second = progress.begin("second".into());
        assert_eq!(progress.due(period), ["first".into()]);
        assert_eq!(progress.due(period), [], "told just now");
        tokio::time::advance(period).await;
        drop(first);
        assert_eq!(progress.due(period), ["second".into()]);
        drop(second);
        tokio::time::advance(period).await;
        assert_eq!(progress.due(period), []);
    }
}
