//! A running system, and what must be true of it whatever has happened.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream::Context;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use stack::journey::{User, wait};
use stack::report::Jobs;
use stack::{Options, Part, Stack, verify};
use testbed::RunDirectory;

use super::{Crowd, Plan, jobs};

/// Longest wait for work to be done: a job that has failed a few times waits two minutes.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running system and its users.
pub struct System {
    pub plan: Plan,
    pub stack: Stack,
    pub crowd: Crowd,
    pub broker: Context,
    user: User,
    directory: RunDirectory,
}

/// What [`System::prove`] has found.
pub struct Proof {
    pub activities: u64,
    /// Jobs in the stream, all of which were done.
    pub jobs: u64,
    /// Deliveries beyond the first of each.
    pub redelivered: u64,
}

impl System {
    /// Starts one and waits until all services are ready.
    pub async fn start(plan: Plan, options: &Options) -> Result<Self> {
        let (stack, directory) = crate::start(options)?;
        let crowd = Crowd::of(&stack)?;
        let broker = jobs::broker(&stack).await?;
        let user = User::new(stack.addresses().http, stack.operator_token())?;
        let mut system = Self { plan, stack, crowd, broker, user, directory };
        for part in system.stack.services() {
            system.wait_ready(part, true, Duration::from_secs(60)).await?;
        }
        system.plan.say("the system is ready");
        Ok(system)
    }

    /// Athletes join, several at a time; gives their ids in order.
    pub async fn join(&self, athletes: std::ops::Range<u32>) -> Result<Vec<String>> {
        join(self.crowd.clone(), athletes).await
    }

    /// Waits until a service says that it is ready, or that it is not, and tells how long it took.
    pub async fn wait_ready(
        &mut self,
        part: Part,
        ready: bool,
        within: Duration,
    ) -> Result<Duration> {
        let started = Instant::now();
        let what = format!("{part} to be {}", if ready { "ready" } else { "not ready" });
        wait(&what, within, async || Ok(self.stack.is_ready(part)? == ready)).await?;
        Ok(started.elapsed())
    }

    /// Publishes a job and waits until it is done; tells how long both took.
    pub async fn job_is_done(
        &self,
        athlete: &str,
        request: &str,
        within: Duration,
    ) -> Result<Duration> {
        let started = Instant::now();
        let asked = self.stack.sql("SELECT clock_timestamp()")?;
        jobs::publish_surely(&self.broker, athlete, request).await?;
        // A sync of the athlete that ended since has done what the job asks for.
        let done = format!(
            "SELECT count(*) FROM sync_runs WHERE athlete_id = '{athlete}' \
             AND (request_id = '{request}' OR ended_at > '{asked}')"
        );
        wait(&format!("the job {request} to be done"), within, async || {
            Ok(self.stack.sql(&done)? != "0")
        })
        .await?;
        Ok(started.elapsed())
    }

    /// Waits until nothing is left to do.
    pub async fn settle(&self) -> Result<()> {
        let unpublished = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
        let (mut quiet, mut told) = (0, Instant::now());
        wait("all jobs to be done", PATIENCE, async || {
            let jobs = Jobs::count(&self.stack)?;
            let idle = jobs.idle && self.stack.sql(unpublished)? == "0";
            quiet = if idle { quiet + 1 } else { 0 };
            if told.elapsed() > Duration::from_secs(5) {
                self.plan.say(&format!("{} of {} jobs are done", jobs.acked, jobs.published));
                told = Instant::now();
            }
            Ok(quiet >= 3)
        })
        .await
    }

    /// What must be true once nothing is left to do: every job that was accepted is in the stream,
    /// once, and was done; none was set aside; each athlete has exactly Strava's activities, and
    /// no row is there twice.
    pub async fn prove(&self, athletes: &[String], accepted: &[(String, String)]) -> Result<Proof> {
        self.settle().await?;
        let stored = jobs::stored(&self.broker).await?;
        let promised =
            self.stack.sql("SELECT message_id FROM outbox WHERE event LIKE '%.SyncAthlete'")?;
        let promised = promised.lines().map(str::to_owned);
        let confirmed = accepted.iter().map(|(athlete, request)| format!("{athlete}:{request}"));
        let lost: Vec<_> =
            promised.chain(confirmed).filter(|id| !stored.contains_key(id)).collect();
        ensure!(lost.is_empty(), "accepted and not in the stream: {lost:?}");
        let ended =
            "SELECT athlete_id, extract(epoch FROM max(ended_at)) FROM sync_runs GROUP BY 1";
        let ended = self.stack.sql(ended)?;
        let ended: BTreeMap<_, f64> = ended
            .lines()
            .filter_map(|line| line.split_once('|'))
            .map(|(athlete, time)| Ok((athlete, time.parse()?)))
            .collect::<Result<_>>()?;
        // A job is done by a sync of its athlete that ended after it was published.
        let done = |id: &str, published: f64| {
            let athlete = id.split(':').next().unwrap_or_default();
            ended.get(athlete).is_some_and(|ended| *ended >= published)
        };
        let undone: Vec<_> = stored.iter().filter(|(id, at)| !done(id, **at)).collect();
        ensure!(undone.is_empty(), "in the stream and not done: {undone:?}");
        let activities = verify::verify(&self.stack, &self.user, athletes).await?;
        let counted = Jobs::count(&self.stack)?;
        ensure!(counted.dead == 0, "{} jobs were set aside", counted.dead);
        let jobs = stored.len() as u64;
        let delivered = counted.published + counted.redelivered;
        Ok(Proof { activities, jobs, redelivered: delivered.saturating_sub(jobs) })
    }

    /// Stops everything; what was kept for a failure's sake goes.
    pub async fn stop(self) -> Result<()> {
        let Self { stack, directory, .. } = self;
        tokio::task::spawn_blocking(|| stack.stop()).await.context("stopping panicked")?;
        directory.succeeded()
    }
}

/// Athletes join, several at a time; gives their ids in order.
pub async fn join(crowd: Crowd, athletes: std::ops::Range<u32>) -> Result<Vec<String>> {
    stream::iter(athletes)
        .map(move |index| {
            let crowd = crowd.clone();
            async move { crowd.join(index).await }
        })
        .buffered(4)
        .try_collect()
        .await
}
