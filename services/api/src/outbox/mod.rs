//! Messages that are promised in the transaction which makes them true, and published after it.
//!
//! [`append`] writes a message beside the state that it tells about; [`Relay`] brings it to the
//! broker. Messages of one subject are published in the order in which their transactions
//! committed, however many relays run.

mod claim;
mod depth;
mod listen;
mod prune;
mod publishers;
mod relay;
mod settle;

use sqlx::{Postgres, Transaction};
use treaty_nats::Outgoing;
use uuid::Uuid;

pub use depth::{OutboxDepth, depth};
pub use publishers::Publishers;
pub use relay::{Relay, RelayReport};

/// Channel on which Postgres tells that there is something to publish.
const CHANNEL: &str = "outbox";

/// Class of the advisory locks that put transactions with messages of one subject in order: the
/// letters "outb". Locks of one number, such as the one that migrations take, are other locks.
const LOCK_CLASS: i32 = 0x6f75_7462;

/// Promises a message. It is published once the transaction commits, and never if it does not.
///
/// Transactions that promise messages of one subject come one after the other from here to their
/// end, so that the order of positions is the order of commits. Append last, to keep that short.
///
/// # Errors
/// When Postgres fails. Transactions that each promise messages of several subjects can meet in a
/// deadlock, which Postgres ends: append in the order of subjects to avoid it.
pub async fn append(
    transaction: &mut Transaction<'_, Postgres>,
    outgoing: &Outgoing,
) -> Result<(), sqlx::Error> {
    // The notification is delivered on commit, whatever stands between.
    sqlx::query!(
        "SELECT pg_advisory_xact_lock($1, hashtext($2)), pg_notify($3, '')",
        LOCK_CLASS,
        outgoing.subject,
        CHANNEL,
    )
    .execute(&mut **transaction)
    .await?;
    let id = Uuid::now_v7();
    let own = id.to_string();
    // A statement of its own: the position must be taken after the lock.
    sqlx::query!(
        "INSERT INTO outbox (id, subject, message_id, event, payload, traceparent) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        id,
        outgoing.subject,
        // Without a key of its own the row is the key: the relay may publish it more than once.
        outgoing.message_id.as_deref().unwrap_or(&own),
        outgoing.event,
        outgoing.payload.as_ref(),
        outgoing.traceparent,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
