//! Messages in the outbox.

use anyhow::Result;
use api_port::sync_v1::{SyncAthlete, SyncReason};
use sqlx::PgPool;
use treaty_nats::Outgoing;
use uuid::Uuid;

/// The message with this number; those that are `subjects` apart have one subject.
pub(crate) fn message(number: u32, subjects: u32) -> Result<Outgoing> {
    let job = SyncAthlete {
        athlete_id: Uuid::from_u128(u128::from(number % subjects)).to_string(),
        request_id: Uuid::now_v7().to_string(),
        reason: SyncReason::Consent.into(),
        ..SyncAthlete::default()
    };
    Ok(Outgoing::from_event(&job)?)
}

/// An outbox with so many messages and nothing else, as after a quiet hour.
pub(crate) async fn fill(pool: &PgPool, messages: u32, subjects: u32) -> Result<()> {
    sqlx::raw_sql("TRUNCATE outbox").execute(pool).await?;
    let (mut ids, mut names, mut keys, mut payloads) = (vec![], vec![], vec![], vec![]);
    for number in 0..messages {
        let outgoing = message(number, subjects)?;
        ids.push(Uuid::now_v7());
        names.push(outgoing.subject);
        keys.push(outgoing.message_id);
        payloads.push(outgoing.payload.to_vec());
    }
    sqlx::query(
        "INSERT INTO outbox (id, subject, message_id, event, payload) \
         SELECT id, subject, message_id, 'stravasync.sync.v1.SyncAthlete', payload \
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[]) \
             AS row (id, subject, message_id, payload)",
    )
    .bind(ids)
    .bind(names)
    .bind(keys)
    .bind(payloads)
    .execute(pool)
    .await?;
    // Two statements: one text would be one transaction, in which nothing can be vacuumed.
    sqlx::raw_sql("VACUUM ANALYZE outbox").execute(pool).await?;
    sqlx::raw_sql("CHECKPOINT").execute(pool).await?;
    Ok(())
}

/// Messages that are not published.
pub(crate) async fn left(pool: &PgPool) -> Result<i64> {
    let count = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
    Ok(sqlx::query_scalar(count).fetch_one(pool).await?)
}
