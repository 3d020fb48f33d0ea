//! Does what events about activities ask for.

use std::time::Duration;

use api_port::sync_v1::{SyncAthlete, SyncReason};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, Postgres, Transaction};
use stravasync_schema::ConnectionState;
use treaty_nats::Outgoing;
use uuid::Uuid;

use super::plan::{Fate, Known, Pending};
use super::{WebhooksError, plan};
use crate::{convert, outbox};

/// How often it is looked whether an activity has come that a job was to bring.
const LOOK_EVERY: TimeDelta = TimeDelta::minutes(1);

/// What is to be done about one athlete's activities.
pub(super) struct Changes<'a> {
    pub(super) athlete_id: Uuid,
    pub(super) events: &'a [Pending],
    /// How far back a sync of new activities looks.
    pub(super) overlap: Duration,
}

impl Changes<'_> {
    /// Deletes what is gone and promises a job for what is new or different, all or nothing.
    pub(super) async fn apply(
        &self,
        mut transaction: Transaction<'_, Postgres>,
    ) -> Result<(), WebhooksError> {
        // Whoever writes activities comes before or after this.
        let state = sqlx::query!(
            "SELECT synced_up_to, last_full_walk_at FROM sync_states \
             WHERE athlete_id = $1 FOR NO KEY UPDATE",
            self.athlete_id,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        self.delete(&mut transaction).await?;
        let mut known = self.look(&mut transaction).await?;
        if let Some(state) = state {
            known.synced_up_to = state.synced_up_to;
            known.last_full_walk_at = state.last_full_walk_at;
        }
        let fates: Vec<_> =
            self.events.iter().map(|event| known.fate(event, self.overlap)).collect();
        self.settle(&mut transaction, &known, &fates).await?;
        // Last: from here on other transactions with jobs of the athlete wait.
        let full = fates.contains(&Fate::FullJob);
        if full || fates.contains(&Fate::Job) {
            outbox::append(&mut transaction, &self.job(known.now, full)?).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes activities, and remembers it against walks that began before.
    async fn delete(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (ids, times): (Vec<_>, Vec<_>) = plan::deleted(self.events).into_iter().unzip();
        if ids.is_empty() {
            return Ok(());
        }
        let deleted = sqlx::query!(
            "DELETE FROM activities WHERE athlete_id = $1 AND activity_id = ANY ($2)",
            self.athlete_id,
            &ids,
        )
        .execute(&mut *connection)
        .await?;
        sqlx::query!(
            "INSERT INTO deleted_activities AS known \
                 (athlete_id, activity_id, event_time, deleted_at) \
             SELECT $1, told.id, told.time, clock_timestamp() \
             FROM unnest($2::bigint[], $3::timestamptz[]) AS told (id, time) \
             ON CONFLICT (athlete_id, activity_id) DO UPDATE SET \
                 event_time = greatest(known.event_time, excluded.event_time), \
                 deleted_at = excluded.deleted_at",
            self.athlete_id,
            &ids,
            &times,
        )
        .execute(connection)
        .await?;
        tracing::info!(
            athlete_id = %self.athlete_id,
            deleted = deleted.rows_affected(),
            "activities were deleted at Strava"
        );
        Ok(())
    }

    async fn look(&self, connection: &mut PgConnection) -> Result<Known, sqlx::Error> {
        let named: Vec<i64> = self.events.iter().map(|event| event.object_id).collect();
        let athlete = sqlx::query!(
            r#"SELECT clock_timestamp() AS "now!",
                   (SELECT state FROM strava_connections WHERE athlete_id = $1)
                       AS "state: ConnectionState",
                   (SELECT max(start_time) FROM activities WHERE athlete_id = $1) AS newest"#,
            self.athlete_id,
        )
        .fetch_one(&mut *connection)
        .await?;
        let present = sqlx::query!(
            "SELECT activity_id, start_time FROM activities \
             WHERE athlete_id = $1 AND activity_id = ANY ($2)",
            self.athlete_id,
            &named,
        )
        .fetch_all(&mut *connection)
        .await?;
        let deleted = sqlx::query!(
            "SELECT activity_id, event_time FROM deleted_activities \
             WHERE athlete_id = $1 AND activity_id = ANY ($2)",
            self.athlete_id,
            &named,
        )
        .fetch_all(connection)
        .await?;
        Ok(Known {
            now: athlete.now,
            connected: athlete.state == Some(ConnectionState::Connected),
            present: present.iter().map(|row| (row.activity_id, row.start_time)).collect(),
            deleted: deleted.iter().map(|row| (row.activity_id, row.event_time)).collect(),
            newest: athlete.newest,
            ..Known::default()
        })
    }

    /// Marks events. One whose activity is yet to come is looked at again.
    async fn settle(
        &self,
        connection: &mut PgConnection,
        known: &Known,
        fates: &[Fate],
    ) -> Result<(), sqlx::Error> {
        let (mut over, mut promised, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for (event, fate) in self.events.iter().zip(fates) {
            let list = match fate {
                Fate::Wait => &mut waiting,
                // Of what is there the job brings the change; a new one is looked after.
                Fate::Job if !known.present.contains_key(&event.object_id) => &mut promised,
                Fate::Over | Fate::Job | Fate::FullJob => &mut over,
            };
            list.push(event.event_digest.as_slice());
        }
        sqlx::query!(
            "UPDATE webhook_events SET last_error = NULL, \
                 processed_at = CASE WHEN event_digest = ANY ($1) THEN $4::timestamptz END, \
                 job_promised_at = CASE WHEN event_digest = ANY ($2) THEN $4::timestamptz \
                                        ELSE job_promised_at END, \
                 next_attempt_at = $5 \
             WHERE event_digest = ANY ($1) OR event_digest = ANY ($2) OR event_digest = ANY ($3)",
            &over as &[&[u8]],
            &promised as &[&[u8]],
            &waiting as &[&[u8]],
            known.now,
            known.now + LOOK_EVERY,
        )
        .execute(connection)
        .await?;
        Ok(())
    }

    fn job(&self, now: DateTime<Utc>, full: bool) -> Result<Outgoing, WebhooksError> {
        let job = SyncAthlete {
            athlete_id: self.athlete_id.to_string(),
            request_id: Uuid::now_v7().to_string(),
            reason: SyncReason::Webhook.into(),
            request_time: Some(convert::timestamp(now)),
            full,
        };
        Outgoing::from_event(&job).map_err(WebhooksError::Job)
    }
}
