//! Everything that we have of an athlete from Strava, deleted.

use sqlx::{Postgres, Transaction};
use stravasync_schema::ConnectionState;
use uuid::Uuid;

use crate::connections::{ConnectionsError, TokenKeeper};

/// Deletes what came from Strava of an athlete whose consent has ended: activities, what is known of
/// syncs, events, connection and tokens. The athlete stays, who registered with us and not at Strava.
///
/// Nothing is deleted when the connection works, because the athlete has consented anew in the
/// meantime; whether it was deleted.
pub(super) async fn erase(
    mut transaction: Transaction<'_, Postgres>,
    tokens: &TokenKeeper,
    athlete_id: Uuid,
) -> Result<bool, ConnectionsError> {
    // Whoever writes activities comes before or after this. The number of the lease stays and grows:
    // a sync that is still at work must not hold one that comes again.
    sqlx::query!(
        "UPDATE sync_states SET lease = lease + 1, lease_holder = NULL, lease_request_id = NULL, \
             lease_attempt = 0, lease_reason = 0, lease_requested_at = NULL, \
             lease_began_at = NULL, lease_expires_at = NULL, walk_full = NULL, \
             walk_request_id = NULL, walk_began_at = NULL, walk_after = NULL, walk_before = NULL, \
             walk_page = 1, walk_listed = 0, walk_unusable = 0, walk_inserted = 0, \
             generation = 0, synced_up_to = NULL, last_full_walk_at = NULL, \
             listed_nothing = false, wanted_at = NULL, wanted_reason = 0, wanted_full = false \
         WHERE athlete_id = $1",
        athlete_id,
    )
    .execute(&mut *transaction)
    .await?;
    let state = sqlx::query_scalar!(
        r#"SELECT state AS "state: ConnectionState" FROM strava_connections
           WHERE athlete_id = $1 FOR UPDATE"#,
        athlete_id,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    if state == Some(ConnectionState::Connected) {
        transaction.rollback().await?;
        return Ok(false);
    }
    // Before the commit: what is repeated after a failure does no harm, what is forgotten would.
    tokens.delete(&mut transaction, athlete_id).await?;
    sqlx::query!("DELETE FROM strava_connections WHERE athlete_id = $1", athlete_id)
        .execute(&mut *transaction)
        .await?;
    let activities = sqlx::query!("DELETE FROM activities WHERE athlete_id = $1", athlete_id)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    sqlx::query!("DELETE FROM sync_runs WHERE athlete_id = $1", athlete_id)
        .execute(&mut *transaction)
        .await?;
    sqlx::query!("DELETE FROM deleted_activities WHERE athlete_id = $1", athlete_id)
        .execute(&mut *transaction)
        .await?;
    sqlx::query!("DELETE FROM webhook_events WHERE athlete_id = $1", athlete_id)
        .execute(&mut *transaction)
        .await?;
    sqlx::query!("UPDATE athletes SET last_synced_at = NULL WHERE athlete_id = $1", athlete_id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    tracing::info!(%athlete_id, activities, "a consent has ended: all of the athlete's is deleted");
    Ok(true)
}
