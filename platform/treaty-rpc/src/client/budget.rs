//! How many repeats a server may be asked for, all calls together.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;

/// One token, in the unit that tokens are counted in.
const TOKEN: u32 = 1000;

/// How the repeats of calls to one server are kept from making an outage worse.
///
/// The token bucket of gRFC A6 (retry throttling): a failed attempt takes a token, a
/// success gives back `token_ratio` of one, and calls are repeated only while the
/// bucket is more than half full. So a server that is down sees hardly more than its
/// usual load, and one that fails now and then is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryBudgetConfig {
    /// Tokens of a full bucket; half of them can be spent. 1 to 1000.
    pub max_tokens: u16,
    /// What a success gives back: with 0.1, ten successes pay for one repeat. Above 0
    /// and at most 1.
    pub token_ratio: f32,
}

impl Default for RetryBudgetConfig {
    fn default() -> Self {
        Self { max_tokens: 10, token_ratio: 0.1 }
    }
}

impl RetryBudgetConfig {
    /// Which field is outside of its range, and its range.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        if !(1..=1000).contains(&self.max_tokens) {
            return Some(("retry_budget.max_tokens", "must be 1 to 1000"));
        }
        if self.token_ratio > 0.0 && self.token_ratio <= 1.0 {
            return None;
        }
        Some(("retry_budget.token_ratio", "must be above 0 and at most 1"))
    }
}

/// The bucket, shared by all calls to one server.
#[derive(Debug)]
pub struct RetryBudget {
    tokens: AtomicU32,
    max: u32,
    deposit: u32,
}

impl RetryBudget {
    /// A full bucket.
    #[must_use]
    pub fn new(config: RetryBudgetConfig) -> Self {
        let max = u32::from(config.max_tokens) * TOKEN;
        // The ratio is in 0..=1, so that the product fits; a fraction of a thousandth
        // would otherwise never pay anything back.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
        let deposit = ((config.token_ratio * 1000.0).round() as u32).max(1);
        Self { tokens: AtomicU32::new(max), max, deposit }
    }

    /// Notes an attempt that succeeded.
    pub fn deposit(&self) {
        self.change(|tokens| (tokens + self.deposit).min(self.max));
    }

    /// Notes an attempt that failed in a way worth repeating, and says whether it may
    /// be repeated.
    pub fn withdraw(&self) -> bool {
        self.change(|tokens| tokens.saturating_sub(TOKEN)) > self.max / 2
    }

    fn change(&self, change: impl Fn(u32) -> u32) -> u32 {
        let mut tokens = self.tokens.load(Ordering::Relaxed);
        loop {
            let next = change(tokens);
            let order = Ordering::Relaxed;
            match self.tokens.compare_exchange_weak(tokens, next, order, order) {
                Ok(_) => return next,
                Err(current) => tokens = current,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_full_bucket_can_be_spent_and_successes_refill_it() {
        let budget = RetryBudget::new(RetryBudgetConfig::default());
        let allowed = (0..20).filter(|_| budget.withdraw()).count();
        assert_eq!(allowed, 4, "the fifth failure brings the bucket to its half");
        // The bucket is empty by now; half of it and one more failure must be paid for.
        for _ in 0..60 {
            budget.deposit();
        }
        assert!(!budget.withdraw());
        for _ in 0..11 {
            budget.deposit();
        }
        assert!(budget.withdraw());
    }

    #[test]
    fn a_full_bucket_takes_no_more() {
        let budget = RetryBudget::new(RetryBudgetConfig { max_tokens: 2, token_ratio: 1.0 });
        for _ in 0..100 {
            budget.deposit();
        }
        assert!(!budget.withdraw());
    }

    #[test]
    fn only_sensible_buckets_are_taken() {
        let mistake = |max_tokens, token_ratio| {
            RetryBudgetConfig { max_tokens, token_ratio }.mistake().map(|(field, _)| field)
        };
        assert_eq!(mistake(10, 0.1), None);
        assert_eq!(mistake(0, 0.1), Some("retry_budget.max_tokens"));
        assert_eq!(mistake(1001, 0.1), Some("retry_budget.max_tokens"));
        for ratio in [0.0, -0.1, 1.1, f32::NAN] {
            assert_eq!(mistake(10, ratio), Some("retry_budget.token_ratio"));
        }
    }
}
