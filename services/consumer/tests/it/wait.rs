//! Waiting for a condition.

use std::time::{Duration, Instant};

/// Asks until the answer is yes, for half a minute at most.
pub(crate) async fn until<F, Fut>(what: &str, condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    until_within(Duration::from_secs(30), what, condition).await;
}

/// Asks until the answer is yes, for as long as `limit` at most.
pub(crate) async fn until_within<F, Fut>(limit: Duration, what: &str, mut condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < limit, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
