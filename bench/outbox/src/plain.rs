//! What one would write first: the oldest row is read, published and marked, and then the
//! next one.

use anyhow::Result;
use api_port::sync_v1::SyncAthlete;
use sqlx::{PgPool, Row as _};
use treaty_nats::{Connection, Event as _, Outgoing, PublishOutgoing as _, Publisher};
use uuid::Uuid;

/// Publishes until nothing is left.
pub(crate) async fn empty(pool: &PgPool, connection: &Connection) -> Result<()> {
    let publisher = Publisher::<SyncAthlete>::new(connection);
    while publish_one(pool, &publisher).await? {}
    Ok(())
}

/// Publishes the oldest message; whether there was one.
pub(crate) async fn publish_one(pool: &PgPool, publisher: &Publisher<SyncAthlete>) -> Result<bool> {
    let mut transaction = pool.begin().await?;
    let found = sqlx::query(
        "SELECT id, subject, message_id, payload FROM outbox WHERE published_at IS NULL \
         ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(row) = found else { return Ok(false) };
    let outgoing = Outgoing {
        subject: row.get("subject"),
        message_id: row.get("message_id"),
        event: SyncAthlete::FULL_NAME.to_owned(),
        payload: row.get::<Vec<u8>, _>("payload").into(),
        traceparent: None,
    };
    publisher.publish_outgoing(&outgoing).await?;
    sqlx::query("UPDATE outbox SET published_at = clock_timestamp() WHERE id = $1")
        .bind(row.get::<Uuid, _>("id"))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}
