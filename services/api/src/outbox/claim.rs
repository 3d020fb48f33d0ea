//! Which messages a relay may publish now.
//!
//! The oldest unpublished row of a subject is the lock of the subject: who holds it may publish the
//! rows behind it, in order, and nobody else looks at them. It is a row lock, so it ends with the
//! transaction, and at once when the process dies.

use sqlx::PgConnection;
use treaty_nats::Outgoing;
use uuid::Uuid;

/// Messages of one subject, to be published one after the other.
pub(super) type Chain = Vec<Claimed>;

/// A message that is ours until the transaction ends.
pub(super) struct Claimed {
    pub(super) id: Uuid,
    pub(super) outgoing: Outgoing,
}

/// Claims about `batch` messages, fairly: with many subjects few of each, so that a subject with a
/// long queue does not hold up the others. Subjects that another relay holds, or whose oldest
/// message is to be tried later, are left out.
pub(super) async fn claim(
    connection: &mut PgConnection,
    batch: u32,
) -> Result<Vec<Chain>, sqlx::Error> {
    let subjects = heads(connection, batch).await?;
    let Ok(count @ 1..) = u32::try_from(subjects.len()) else { return Ok(Vec::new()) };
    let each = (batch / count).max(1);
    let rows = sqlx::query!(
        r#"SELECT row.id AS "id!", head.subject AS "subject!", row.message_id AS "message_id!",
                  row.event AS "event!", row.payload AS "payload!", row.traceparent AS "traceparent?"
           FROM unnest($1::text[]) WITH ORDINALITY AS head (subject, place)
           CROSS JOIN LATERAL (
               SELECT id, position, message_id, event, payload, traceparent FROM outbox
               WHERE outbox.subject = head.subject AND published_at IS NULL
               ORDER BY position LIMIT $2
           ) AS row
           ORDER BY head.place, row.position"#,
        &subjects,
        i64::from(each),
    )
    .fetch_all(connection)
    .await?;
    let mut chains: Vec<Chain> = Vec::with_capacity(subjects.len());
    for row in rows {
        let outgoing = Outgoing {
            subject: row.subject,
            message_id: Some(row.message_id),
            event: row.event,
            payload: row.payload.into(),
            traceparent: row.traceparent,
        };
        let claimed = Claimed { id: row.id, outgoing };
        match chains.last_mut() {
            Some(chain) if follows(chain, &claimed) => chain.push(claimed),
            _ => chains.push(vec![claimed]),
        }
    }
    Ok(chains)
}

fn follows(chain: &Chain, claimed: &Claimed) -> bool {
    chain.last().is_some_and(|last| last.outgoing.subject == claimed.outgoing.subject)
}

/// Locks the oldest unpublished row of each subject that is free and due.
async fn heads(connection: &mut PgConnection, batch: u32) -> Result<Vec<String>, sqlx::Error> {
    // A comparison with a scalar, where NOT EXISTS would say the same: the planner could turn that
    // into a join that reads the whole queue for each batch.
    sqlx::query_scalar!(
        "SELECT subject FROM outbox AS head \
         WHERE published_at IS NULL AND next_attempt_at <= clock_timestamp() \
           AND position = (SELECT position FROM outbox AS first \
                           WHERE first.subject = head.subject AND first.published_at IS NULL \
                           ORDER BY position LIMIT 1) \
         ORDER BY position LIMIT $1 FOR UPDATE SKIP LOCKED",
        i64::from(batch),
    )
    .fetch_all(connection)
    .await
}
