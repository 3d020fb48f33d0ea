//! Messages that are promised in the transaction which makes them true, and published after it.

mod relay;

use sqlx::PgConnection;
use treaty_nats::Outgoing;
use uuid::Uuid;

pub use relay::{Publishers, Relay, RelayReport};

/// Channel on which Postgres tells that there is something to publish.
const CHANNEL: &str = "outbox";

/// Promises a message. It is published once the transaction of `connection` commits, and never if
/// it does not.
///
/// # Errors
/// When Postgres fails.
pub async fn append(connection: &mut PgConnection, outgoing: &Outgoing) -> Result<(), sqlx::Error> {
    let id = Uuid::now_v7();
    let own = id.to_string();
    sqlx::query!(
        "INSERT INTO outbox (id, subject, message_id, event, payload) VALUES ($1, $2, $3, $4, $5)",
        id,
        outgoing.subject,
        // Without a key of its own the row is the key: the relay may publish it more than once.
        outgoing.message_id.as_deref().unwrap_or(&own),
        outgoing.event,
        outgoing.payload.as_ref(),
    )
    .execute(&mut *connection)
    .await?;
    // Delivered on commit.
    sqlx::query!("SELECT pg_notify($1, '')", CHANNEL).execute(connection).await?;
    Ok(())
}
