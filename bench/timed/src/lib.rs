//! Time of an operation, from many short measurements.
//!
//! Rounds go from one peer to the next, so that a busy moment of the machine meets all. Of
//! the times the lower quartile is told, for other work can only add; what they are to each
//! other is the median over rounds.

use std::time::{Duration, Instant};

/// How long one measurement takes, so that the clock does not matter.
const SAMPLE: Duration = Duration::from_millis(4);

/// One operation of one peer, and how long it took.
pub struct Timed {
    operation: Box<dyn FnMut()>,
    repeats: u32,
    nanos: Vec<f64>,
}

impl Timed {
    /// An operation, which is tried until it is known how often it fits into a measurement.
    pub fn new(operation: Box<dyn FnMut()>) -> Self {
        let mut timed = Self { operation, repeats: 1, nanos: Vec::new() };
        // The quickest of some, or a busy moment would pass for enough work, and every
        // sample after it would be of cold caches.
        while (0..5).any(|_| timed.run() < SAMPLE) {
            timed.repeats *= 2;
        }
        timed
    }

    fn run(&mut self) -> Duration {
        let started = Instant::now();
        (0..self.repeats).for_each(|_| (self.operation)());
        started.elapsed()
    }

    /// Measures once.
    pub fn sample(&mut self) {
        let nanos = self.run().as_secs_f64() * 1e9 / f64::from(self.repeats);
        self.nanos.push(nanos);
    }

    /// Nanoseconds of an operation.
    pub fn lower_quartile(&self) -> f64 {
        quantile(self.nanos.clone(), 1, 4)
    }

    /// How many times as long another takes: the median over the rounds, in each of which
    /// both met the same machine.
    pub fn to(&self, other: &Self) -> f64 {
        let ratios = self.nanos.iter().zip(&other.nanos).map(|(ours, theirs)| theirs / ours);
        median(ratios.collect())
    }
}

fn quantile(mut figures: Vec<f64>, part: usize, of: usize) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() * part / of).copied().unwrap_or(f64::NAN)
}

/// The figure in the middle.
pub fn median(figures: Vec<f64>) -> f64 {
    quantile(figures, 1, 2)
}
