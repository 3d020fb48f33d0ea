//! The api's own figures, for Prometheus.

use async_trait::async_trait;
use sqlx::PgPool;
use treaty_telemetry::{Readings, Source};

use crate::outbox;
use crate::quota::{Count, Quota};

/// Connections to Postgres of this process.
pub(crate) struct PoolFigures(pub(crate) PgPool);

#[async_trait]
impl Source for PoolFigures {
    async fn read(&self, readings: &mut Readings) {
        let all = self.0.size();
        let idle = u32::try_from(self.0.num_idle()).unwrap_or(all).min(all);
        for (state, count) in [("idle", idle), ("used", all - idle)] {
            readings.gauge(
                "db_client_connection_count",
                "Connections to Postgres",
                &[("state", state)],
                count.into(),
            );
        }
        readings.gauge(
            "db_client_connection_max",
            "Connections to Postgres at most",
            &[],
            self.0.options().get_max_connections().into(),
        );
    }
}

/// What waits in the outbox, the same for all processes.
pub(crate) struct OutboxFigures(pub(crate) PgPool);

#[async_trait]
impl Source for OutboxFigures {
    async fn read(&self, readings: &mut Readings) {
        // While the database is away there are no figures, and its own alarm rings.
        let Ok(depth) = outbox::depth(&self.0).await else { return };
        let mut gauge = |name, help, value| readings.gauge(name, help, &[], value);
        gauge("outbox_messages_waiting", "Promised, not published yet", number(depth.waiting));
        gauge("outbox_messages_failing", "Of these, failed before", number(depth.failing));
        let help = "Age of the oldest that waits";
        gauge("outbox_oldest_age_seconds", help, depth.oldest_seconds);
    }
}

/// Strava's quota, the same for all processes.
pub(crate) struct QuotaFigures(pub(crate) Quota);

#[async_trait]
impl Source for QuotaFigures {
    async fn read(&self, readings: &mut Readings) {
        let Ok(state) = self.0.state().await else { return };
        let counts = state.counts;
        for (window, count) in [
            ("quarter_hour", counts.window),
            ("day", counts.day),
            ("quarter_hour_reads", counts.read_window),
            ("day_reads", counts.read_day),
        ] {
            let Count { limit, used } = count;
            let labels = &[("window", window)];
            let help = "Calls that Strava allows in the window";
            readings.gauge("strava_quota_limit", help, labels, number(limit));
            let help = "Calls made or reserved in the window";
            readings.gauge("strava_quota_used", help, labels, number(used));
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a count, far below 2^53")]
fn number(count: i64) -> f64 {
    count as f64
}
