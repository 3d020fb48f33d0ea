//! Strava's quota, as the api counts it for all processes.
//!
//! Who may not call now waits here, in place: the job keeps its slot and its message, the runtime
//! tells the stream that work goes on, and so no delivery is spent. When all slots wait the process
//! pulls no further jobs.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use consumer_port::quota_v1::{
    CallPriority, QuotaService, ReportUsageRequest, ReserveCallsRequest, ReserveCallsResponse,
    Usage,
};
use consumer_port::well_known::{self, Timestamp};
use tokio::sync::Mutex as FairMutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error};
use treaty_rpc::Context;

use super::StravaError;
use super::pause::full_jitter;

/// Most calls that are reserved at a time.
const LEASE: i32 = 100;

/// Who waits asks again after this time at the latest: the limits may have been raised.
const POLL: Duration = Duration::from_secs(15);

/// How long the api may be away, beyond the wait that it told, before the job fails.
const API_PATIENCE: Duration = Duration::from_secs(60);

/// A pause where there is nothing to wait for.
const SHORTEST: Duration = Duration::from_millis(10);

/// Leave to make one call.
#[derive(Debug)]
pub(super) struct Permit {
    /// Names the window.
    pub(super) window: Timestamp,
    /// Whether everybody waits for what becomes of it.
    probe: bool,
}

/// Calls that are reserved and not made yet.
#[derive(Debug, Default)]
struct Lease {
    calls: i32,
    until: Option<Instant>,
    window: Timestamp,
    probe: bool,
    /// Refusals before it was reserved.
    refusals: u64,
}

/// Reserves calls to Strava for all jobs of this process.
pub struct Quota {
    service: Arc<dyn QuotaService>,
    /// One lease for each priority, so that nobody urgent waits behind somebody who is not. Who
    /// holds the lock asks for all who wait behind.
    interactive: FairMutex<Lease>,
    background: FairMutex<Lease>,
    /// What is to be told with the next reservation.
    learnt: Mutex<Option<Usage>>,
    /// How often Strava has refused: what was reserved before a refusal is void.
    refusals: AtomicU64,
    stop: CancellationToken,
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota").finish_non_exhaustive()
    }
}

impl Quota {
    /// Asks this service, and stops waiting when `stop` is cancelled.
    pub fn new(service: Arc<dyn QuotaService>, stop: CancellationToken) -> Self {
        Self {
            service,
            interactive: FairMutex::default(),
            background: FairMutex::default(),
            learnt: Mutex::default(),
            refusals: AtomicU64::default(),
            stop,
        }
    }

    /// Waits until a call may be made. A process that ends makes no one wait, but gives leave as
    /// long as there are calls: a job that is nearly done costs no delivery then.
    ///
    /// # Errors
    /// When it had to wait in a process that ends, or the api does not answer for long.
    pub(super) async fn permit(&self, priority: CallPriority) -> Result<Permit, StravaError> {
        let lease = match priority {
            CallPriority::Interactive => &self.interactive,
            CallPriority::Background | CallPriority::Unspecified => &self.background,
        };
        let mut lease = lease.lock().await;
        if let Some(permit) = lease.take(self.refusals()) {
            return Ok(permit);
        }
        let mut patience = Instant::now() + API_PATIENCE;
        let (mut failures, mut told) = (0, false);
        loop {
            let pause = match self.reserve(priority).await {
                Ok((reserved, _)) if reserved.calls > 0 => {
                    *lease = reserved;
                    match lease.take(self.refusals()) {
                        Some(permit) => return Ok(permit),
                        // Void already: the window turned, or another call was refused.
                        None => SHORTEST,
                    }
                }
                Ok((_, retry_after)) => {
                    if !told && retry_after > POLL {
                        told = true;
                        let seconds = retry_after.as_secs();
                        tracing::info!(?priority, seconds, "jobs wait for Strava's quota");
                    }
                    failures = 0;
                    patience = Instant::now() + retry_after + API_PATIENCE;
                    spread(retry_after.min(POLL))
                }
                Err(error) if passes(error.code()) && Instant::now() < patience => {
                    failures += 1;
                    tracing::debug!(error = error.chain(), "the quota cannot be asked");
                    full_jitter(failures)
                }
                Err(error) => return Err(StravaError::Quota(error)),
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => return Err(StravaError::Stopping),
            }
        }
    }

    /// Reserves calls, and tells what was learnt since the last time.
    async fn reserve(&self, priority: CallPriority) -> Result<(Lease, Duration), Error> {
        let refusals = self.refusals();
        let usage = self.learnt().take();
        let request = ReserveCallsRequest { priority: priority.into(), calls: LEASE, usage };
        let response = match self.service.reserve_calls(&Context::background(), request).await {
            Ok(response) => response,
            Err(error) => {
                if let Some(usage) = usage {
                    self.keep(usage);
                }
                return Err(error);
            }
        };
        Ok((Lease::of(&response, refusals), duration(response.retry_after)))
    }

    /// Takes in what Strava said in answer to a call. What others wait for is told at once, the
    /// rest with the next reservation.
    pub(super) async fn learn(&self, permit: &Permit, usage: Usage) {
        if usage.refused {
            self.refusals.fetch_add(1, Ordering::Relaxed);
        }
        if !usage.refused && !permit.probe {
            self.keep(usage);
            return;
        }
        let request = ReportUsageRequest { usage: Some(usage) };
        if let Err(error) = self.service.report_usage(&Context::background(), request).await {
            tracing::warn!(error = error.chain(), "what Strava said of the quota was not reported");
            self.keep(usage);
        }
    }

    /// Keeps the newest: a refusal, or the highest count of the latest window.
    fn keep(&self, usage: Usage) {
        let age = |usage: &Usage| {
            let window = usage.window_start_time.map(|time| (time.seconds, time.nanos));
            (window, usage.refused, usage.window.map(|count| count.used))
        };
        let mut learnt = self.learnt();
        if learnt.as_ref().is_none_or(|kept| age(kept) <= age(&usage)) {
            *learnt = Some(usage);
        }
    }

    fn learnt(&self) -> std::sync::MutexGuard<'_, Option<Usage>> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }
}

impl Lease {
    fn of(response: &ReserveCallsResponse, refusals: u64) -> Self {
        Self {
            calls: response.calls,
            until: Instant::now().checked_add(duration(response.valid_for)),
            window: response.window_start_time.unwrap_or_default(),
            probe: response.probe,
            refusals,
        }
    }

    fn take(&mut self, refusals: u64) -> Option<Permit> {
        let valid = self.until.is_some_and(|until| until > Instant::now());
        if self.calls < 1 || !valid || self.refusals != refusals {
            return None;
        }
        self.calls -= 1;
        Some(Permit { window: self.window, probe: self.probe })
    }
}

/// Whether the api may answer when it is asked again.
fn passes(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::DeadlineExceeded | Code::Aborted | Code::ResourceExhausted
    )
}

/// The wait and up to a tenth more, so that not all processes ask in the same instant.
fn spread(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + rand::random_range(0.0..0.1))
}

fn duration(message: Option<well_known::Duration>) -> Duration {
    message.and_then(|message| Duration::try_from(message).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
