//! How long a fault test is, and the chance in it.

use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// How long a test is, and the seed of its chance.
pub struct Plan {
    name: &'static str,
    started: Instant,
    long: bool,
    /// What every choice of the test is derived from.
    pub seed: u64,
    /// How long the long form goes on at least.
    pub at_least: Duration,
}

impl Plan {
    /// The plan of a test, as the environment says: `TREATY_SOAK=1` for the long form,
    /// `TREATY_SEED` to repeat a run, `TREATY_MINUTES` for how long each goes on at least.
    pub fn of(name: &'static str) -> Self {
        let number = |variable| std::env::var(variable).ok()?.parse::<u64>().ok();
        let seed = number("TREATY_SEED").unwrap_or_else(rand::random);
        let plan = Self {
            name,
            started: Instant::now(),
            long: std::env::var_os("TREATY_SOAK").is_some(),
            seed,
            at_least: Duration::from_secs(60 * number("TREATY_MINUTES").unwrap_or(0)),
        };
        plan.say(&format!("TREATY_SEED={seed}"));
        plan
    }

    /// One of two values, for the short form and the long one.
    pub fn pick<T>(&self, short: T, long: T) -> T {
        if self.long { long } else { short }
    }

    /// Whether the long form has more time to fill.
    pub fn goes_on(&self) -> bool {
        self.long && self.started.elapsed() < self.at_least
    }

    /// The chance of this test.
    pub fn random(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }

    /// Tells what is being done and what was measured.
    pub fn say(&self, line: &str) {
        eprintln!("{} [{:6.1}s] {line}", self.name, self.started.elapsed().as_secs_f64());
    }
}
