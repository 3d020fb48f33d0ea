//! What a page of activities asks of the state of its sync, in the transaction that writes it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{SyncError, SyncPage};

/// What the activities of a page are written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    /// The generation of the athlete's list.
    pub(crate) generation: i32,
    /// Whether the page is one of a walk through the whole list.
    pub(crate) full: bool,
    /// When the walk began. Activities that were deleted since are not believed to be there.
    pub(crate) began_at: Option<DateTime<Utc>>,
}

/// Locks the athlete's row until the transaction ends, and refuses a lease that is not the newest:
/// whoever has taken over did so before, or waits until this is committed.
pub(crate) async fn admit(
    connection: &mut PgConnection,
    page: &SyncPage,
    lease_time: Duration,
) -> Result<Pass, SyncError> {
    let row = sqlx::query!(
        "SELECT lease, lease_holder IS NOT NULL AS \"held!\", generation, walk_full, \
             walk_began_at \
         FROM sync_states WHERE athlete_id = $1 FOR NO KEY UPDATE",
        page.athlete_id,
    )
    .fetch_optional(connection)
    .await?
    .ok_or(SyncError::AthleteNotFound)?;
    if row.lease != page.lease || !row.held {
        return Err(SyncError::Superseded { lease_time });
    }
    Ok(Pass {
        generation: row.generation,
        full: row.walk_full == Some(true),
        began_at: row.walk_began_at,
    })
}
