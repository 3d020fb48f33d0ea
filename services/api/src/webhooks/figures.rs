//! Figures of the webhook, for Prometheus.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::PgPool;
use treaty_telemetry::{Readings, Source};

use super::WebhookStats;

/// What became of events that came to this process, and what of all waits.
pub struct WebhookFigures {
    stats: Arc<WebhookStats>,
    pool: PgPool,
}

impl WebhookFigures {
    /// Over the counts of this process, and the pool for what all share.
    #[must_use]
    pub fn new(stats: Arc<WebhookStats>, pool: PgPool) -> Self {
        Self { stats, pool }
    }
}

#[async_trait]
impl Source for WebhookFigures {
    async fn read(&self, readings: &mut Readings) {
        let counts = self.stats.counts();
        for (outcome, count) in [
            ("recorded", counts.recorded),
            ("duplicate", counts.duplicates),
            ("unknown_subscription", counts.unknown_subscriptions),
            ("unknown_owner", counts.unknown_owners),
            ("unusable", counts.unusable),
            ("turned_away", counts.turned_away),
        ] {
            let help = "Events of Strava's webhook that came to this process";
            readings.counter("strava_webhook_events", help, &[("outcome", outcome)], count);
        }
        // An event that a job was promised for waits for the sync, not for us.
        let waiting = sqlx::query!(
            r#"SELECT count(*) AS "events!",
                   coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8 AS "oldest!"
               FROM webhook_events WHERE processed_at IS NULL AND job_promised_at IS NULL"#
        )
        .fetch_one(&self.pool)
        .await;
        // Without the database there is nothing to tell, which other figures show.
        if let Ok(waiting) = waiting {
            let events = f64::from(u32::try_from(waiting.events).unwrap_or(u32::MAX));
            let help = "Events of Strava's webhook that are not acted upon yet, of all processes";
            readings.gauge("strava_webhook_waiting", help, &[], events);
            let help = "Age of the oldest event that is not acted upon yet, in seconds";
            readings.gauge("strava_webhook_oldest_seconds", help, &[], waiting.oldest);
        }
    }
}
