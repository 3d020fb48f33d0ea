//! What became of claimed messages, written down before the claim ends.

use sqlx::PgConnection;
use treaty_error::{Code, Error};
use uuid::Uuid;

use super::relay::RelayReport;

/// What became of the messages of one subject. Those that were not tried are in neither place.
#[derive(Default)]
pub(super) struct Outcome {
    /// Messages that the broker has.
    pub(super) published: Vec<Uuid>,
    /// The message that failed, which ends its chain.
    pub(super) failed: Option<(Uuid, Error)>,
}

/// Marks what was published and puts off what failed.
pub(super) async fn settle(
    connection: &mut PgConnection,
    outcomes: Vec<Outcome>,
) -> Result<RelayReport, sqlx::Error> {
    let (mut published, mut failed) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        published.extend(outcome.published);
        failed.extend(outcome.failed);
    }
    let report = RelayReport { published: published.len(), failed: failed.len() };
    if !published.is_empty() {
        sqlx::query!(
            "UPDATE outbox SET published_at = clock_timestamp(), last_error = NULL \
             WHERE id = ANY ($1)",
            &published,
        )
        .execute(&mut *connection)
        .await?;
    }
    if !failed.is_empty() {
        put_off(connection, failed).await?;
    }
    Ok(report)
}

async fn put_off(
    connection: &mut PgConnection,
    failed: Vec<(Uuid, Error)>,
) -> Result<(), sqlx::Error> {
    let (mut ids, mut reasons, mut longest) = (Vec::new(), Vec::new(), Vec::new());
    for (id, error) in failed {
        tracing::warn!(outbox.id = %id, error = error.chain(), "a message stays unpublished");
        ids.push(id);
        reasons.push(error.to_string());
        longest.push(longest_wait(error.code()));
    }
    // 1, 2, 4 … seconds, counted from now and not from the transaction's beginning, which may be a
    // while ago.
    sqlx::query!(
        "UPDATE outbox SET attempts = attempts + 1, last_error = failure.reason, \
             next_attempt_at = clock_timestamp() \
                 + make_interval(secs => least(failure.longest, 2 ^ least(attempts, 10))) \
         FROM unnest($1::uuid[], $2::text[], $3::float8[]) AS failure (id, reason, longest) \
         WHERE outbox.id = failure.id",
        &ids,
        &reasons,
        &longest,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The longest wait before a message is tried again, in seconds.
fn longest_wait(code: Code) -> f64 {
    match code {
        // The broker is away. That is no fault of the message, which has to go out soon after the
        // broker is back; and the attempt itself has waited for it already.
        Code::Unavailable => 1.0,
        // The stream is full until somebody makes room.
        Code::ResourceExhausted => 10.0,
        // The message itself is refused, and its subject waits for a person.
        _ => 300.0,
    }
}
