//! Notifications, which make the relay quick. Without them it polls, and is correct all the same.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;

use super::CHANNEL;

/// Wakes the relay whenever Postgres tells of a new row.
pub(super) async fn listen(pool: &PgPool, wake: &Notify) {
    loop {
        if let Err(error) = listen_once(pool, wake).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "notifications are missed; the outbox is polled meanwhile");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn listen_once(pool: &PgPool, wake: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // Rows that came before we listened told nobody.
    wake.notify_one();
    loop {
        // `None` is a connection that was lost and made again: something may have been missed.
        let _ = listener.try_recv().await?;
        wake.notify_one();
    }
}
