//! What a run did, counted by those who did it.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::Stack;

/// Durable consumer of the jobs.
const SYNC_ATHLETE: &str = "consumer-stravasync-sync-v1-SyncAthlete";

/// State of the jobs, from nats-server and the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jobs {
    /// Jobs that the stream holds.
    pub published: u64,
    /// Jobs that were acknowledged.
    pub acked: u64,
    /// Deliveries beyond the first of each job.
    pub redelivered: u64,
    /// Jobs that were set aside.
    pub dead: u64,
    /// Whether no job and no message is left to do.
    pub idle: bool,
}

impl Jobs {
    /// Counts them.
    ///
    /// # Errors
    /// When nats-server or Postgres does not answer.
    pub fn count(stack: &Stack) -> Result<Self> {
        let text = stack.nats_monitoring("/jsz?streams=true&consumers=true")?;
        let jsz: Value = serde_json::from_str(&text).context("nats-server's monitoring")?;
        let streams = &jsz["account_details"][0]["stream_detail"];
        let empty = Value::Null;
        let find = |list: &'_ Value, name: &str| -> Value {
            let found = list.as_array().and_then(|all| all.iter().find(|one| one["name"] == name));
            found.unwrap_or(&empty).clone()
        };
        let (athlete, dead) = (find(streams, "athlete"), find(streams, "dead-letters"));
        let messages = athlete["state"]["messages"].as_u64().unwrap_or(0);
        let consumers = &athlete["consumer_detail"];
        let idle = consumers.as_array().is_some_and(|all| {
            !all.is_empty()
                && all.iter().all(|one| {
                    one["num_pending"].as_u64() == Some(0)
                        && one["num_ack_pending"].as_u64() == Some(0)
                })
        });
        let jobs = find(consumers, SYNC_ATHLETE);
        let delivered = jobs["delivered"]["consumer_seq"].as_u64().unwrap_or(0);
        let unfinished = jobs["num_pending"].as_u64().unwrap_or(0)
            + jobs["num_ack_pending"].as_u64().unwrap_or(0);
        // The stream holds the jobs and one event for each sync that has ended.
        let ended = "SELECT count(*) FROM outbox \
                     WHERE event LIKE '%.AthleteSyncEnded' AND published_at IS NOT NULL";
        let ended: u64 = stack.sql(ended)?.trim().parse()?;
        let waiting = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
        let idle = idle && stack.sql(waiting)?.trim() == "0";
        let published = messages.saturating_sub(ended);
        let dead = dead["state"]["messages"].as_u64().unwrap_or(0);
        Ok(Self {
            published,
            acked: published.saturating_sub(unfinished + dead),
            redelivered: delivered.saturating_sub(published),
            dead,
            idle,
        })
    }
}

/// The summary of a demo.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Athletes whose activities are all in.
    pub athletes: u64,
    /// Activities in Postgres.
    pub activities: u64,
    /// What became of the jobs.
    pub jobs: Jobs,
    /// From the first consent until the last activity was in.
    pub elapsed: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = self.activities as f64 / self.elapsed.as_secs_f64();
        let rows = [
            ("athletes", self.athletes.to_string()),
            ("activities", self.activities.to_string()),
            ("jobs published", self.jobs.published.to_string()),
            ("jobs acked", self.jobs.acked.to_string()),
            ("jobs redelivered", self.jobs.redelivered.to_string()),
            ("jobs set aside", self.jobs.dead.to_string()),
            ("first sync of all, seconds", format!("{:.1}", self.elapsed.as_secs_f64())),
            ("activities per second", format!("{rate:.0}")),
        ];
        for (name, value) in rows {
            writeln!(f, "  {name:<28}{value:>12}")?;
        }
        Ok(())
    }
}
