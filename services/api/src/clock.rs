//! The time, as something that a test can set.

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The time of the system.
#[must_use]
pub fn system() -> Clock {
    Arc::new(Utc::now)
}
