//! Pauses before something is tried again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// A random pause whose limit doubles with each failure, so that those who failed together do not
/// come back together.
pub(super) fn full_jitter(failures: u32) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(LONGEST).mul_f64(rand::random_range(0.0..1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let longest = |failures| (0..200).map(|_| full_jitter(failures)).max().unwrap();
        assert!(longest(1) <= FIRST);
        assert!(longest(2) > FIRST && longest(2) <= FIRST * 2);
        assert!(longest(u32::MAX) <= LONGEST && longest(9) > FIRST * 4);
    }
}
