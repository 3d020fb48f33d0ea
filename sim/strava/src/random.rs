//! A small deterministic random stream: the same seed gives the same run on every machine.

/// Scrambles 64 bits so that neighbouring inputs give unrelated outputs (the `SplitMix64` finaliser).
fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A stream of random numbers that is a pure function of what it was keyed with.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream for `seed`, independent of the streams with other keys.
    pub(crate) fn new(seed: u64, keys: &[u64]) -> Self {
        let state = keys.iter().fold(scramble(seed ^ 0x5eed), |state, key| {
            scramble(state.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ scramble(key.wrapping_add(1)))
        });
        Self(state)
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// A number from `0` up to but not including `bound`; zero when `bound` is zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The bias of the remainder is far below anything a simulation could show.
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// A number from 0 up to but not including 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True once in `times` on average; never when `times` is zero.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        let draw = self.next();
        draw.checked_rem(times) == Some(0)
    }

    /// True for `percent` of a hundred draws on average.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items; the slice must not be empty.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// Forty hexadecimal digits, as Strava's tokens have.
    pub(crate) fn token(&mut self) -> String {
        let (a, b, c) = (self.next(), self.next(), self.next() >> 32);
        format!("{a:016x}{b:016x}{c:08x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ_by_key() {
        let draw = |seed, keys: &[u64]| Random::new(seed, keys).next();
        assert_eq!(draw(1, &[2, 3]), draw(1, &[2, 3]));
        assert_ne!(draw(1, &[2, 3]), draw(1, &[3, 2]));
        assert_ne!(draw(1, &[2]), draw(2, &[2]));
    }

    #[test]
    fn bounds_hold_even_at_zero() {
        let mut random = Random::new(9, &[]);
        assert_eq!(random.below(0), 0);
        assert!(!random.once_in(0));
        assert!((0..1000).all(|_| (3..=5).contains(&random.between(3, 5))));
        assert!((0..1000).all(|_| (0.0..1.0).contains(&random.fraction())));
        assert_eq!(random.token().len(), 40);
    }
}
