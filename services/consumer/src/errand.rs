//! What Strava is asked for: how urgent it is, and how long it may take.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use consumer_port::quota_v1::CallPriority;
use tokio::sync::watch;
use tokio::time::Instant;
use treaty_error::{Code, Error, Result};

/// What Strava is asked for, such as one page, with all that it takes.
///
/// Its time runs while it works, and stands still while it waits for Strava's quota: what waits for
/// the next window, or the next day, has not taken too long.
#[derive(Debug)]
pub struct Errand {
    priority: CallPriority,
    clock: Mutex<Clock>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Clock {
    /// Parts of the errand that wait; its time runs while there are none.
    waiting: usize,
    /// What was left when the clock last started or stopped.
    left: Duration,
    /// When that was.
    since: Instant,
}

impl Clock {
    fn left(&self) -> Duration {
        let worked = if self.waiting == 0 { self.since.elapsed() } else { Duration::ZERO };
        self.left.saturating_sub(worked)
    }

    fn change(&mut self, waiting: usize) {
        (self.left, self.since, self.waiting) = (self.left(), Instant::now(), waiting);
    }
}

impl Errand {
    /// Begins one that may work for as long as `deadline`.
    #[must_use]
    pub fn new(priority: CallPriority, deadline: Duration) -> Self {
        let clock = Clock { waiting: 0, left: deadline, since: Instant::now() };
        Self { priority, clock: Mutex::new(clock), changed: watch::Sender::new(()) }
    }

    /// How urgent its calls to Strava are.
    #[must_use]
    pub fn priority(&self) -> CallPriority {
        self.priority
    }

    /// How long it may still work.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.clock().left()
    }

    /// Waits for something while the errand's time stands still.
    pub async fn waiting<T>(&self, awaited: impl Future<Output = T>) -> T {
        let _standing = Standing::new(self);
        awaited.await
    }

    /// Works until done, or until the errand's time is over.
    ///
    /// # Errors
    /// The work's own, or `DEADLINE_EXCEEDED`.
    pub async fn bound<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            outcome = work => outcome,
            () = self.over() => {
                Err(Error::new(Code::DeadlineExceeded, "Strava took too long"))
            }
        }
    }

    async fn over(&self) {
        let mut changed = self.changed.subscribe();
        loop {
            let (left, runs) = {
                let clock = self.clock();
                (clock.left(), clock.waiting == 0)
            };
            tokio::select! {
                () = tokio::time::sleep(left), if runs => return,
                // It fails only when the errand is gone, and with it who waits here.
                _ = changed.changed() => {}
            }
        }
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps an errand's clock from running.
struct Standing<'a>(&'a Errand);

impl<'a> Standing<'a> {
    fn new(errand: &'a Errand) -> Self {
        let mut clock = errand.clock();
        let waiting = clock.waiting + 1;
        clock.change(waiting);
        drop(clock);
        errand.changed.send_replace(());
        Self(errand)
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        let mut clock = self.0.clock();
        let waiting = clock.waiting.saturating_sub(1);
        clock.change(waiting);
        drop(clock);
        self.0.changed.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    async fn sleep(duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    #[tokio::test(start_paused = true)]
    async fn work_counts_and_waiting_does_not() {
        let errand = Errand::new(CallPriority::Background, MINUTE);
        let work = async {
            sleep(MINUTE / 3).await;
            errand.waiting(sleep(MINUTE * 60)).await;
            assert_eq!(errand.left(), MINUTE * 2 / 3);
            errand.waiting(sleep(MINUTE * 60)).await;
            sleep(MINUTE / 3).await;
            Ok(errand.left())
        };
        assert_eq!(errand.bound(work).await.unwrap(), MINUTE / 3);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_too_long_ends() {
        let errand = Errand::new(CallPriority::Background, MINUTE);
        let begun = Instant::now();
        let work = async {
            errand.waiting(sleep(MINUTE)).await;
            std::future::pending::<Result<()>>().await
        };
        assert_eq!(errand.bound(work).await.unwrap_err().code(), Code::DeadlineExceeded);
        assert_eq!(begun.elapsed(), MINUTE * 2);
        assert_eq!(errand.left(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_stands_until_the_last_part_goes_on() {
        let errand = Errand::new(CallPriority::Interactive, MINUTE);
        let both = async {
            tokio::join!(errand.waiting(sleep(MINUTE)), errand.waiting(sleep(MINUTE * 3)));
            Ok(errand.left())
        };
        assert_eq!(errand.bound(both).await.unwrap(), MINUTE);
        // A wait that is given up lets it run again.
        let given_up = tokio::time::timeout(MINUTE, errand.waiting(sleep(MINUTE * 9))).await;
        assert!(given_up.is_err());
        sleep(MINUTE / 2).await;
        assert_eq!(errand.left(), MINUTE / 2);
    }
}
