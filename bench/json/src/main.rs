//! Time to write and to read messages of the api, in one process.
//!
//! Every peer has the same message and reads the same text. Rounds go from one peer to the
//! next, so that a busy moment of the machine meets all. Of the times the lower quartile is
//! told, for other work can only add; what they are to each other is the median over rounds.

mod messages;
mod peers;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use peers::{OURS, PBJSON, Peer};

/// How long one measurement of a peer takes, so that the clock does not matter.
const SAMPLE: Duration = Duration::from_millis(4);

/// What pbjson may at most take less, and must at least take more: no slower to write,
/// twice as fast to read.
const WRITE_GOAL: f64 = 1.0;
const READ_GOAL: f64 = 2.0;

fn main() -> Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let rounds = match (arguments.next(), arguments.next()) {
        (None, _) => 61,
        (Some(rounds), None) => rounds.parse().context("a number of rounds")?,
        _ => bail!("usage: bench-json [ROUNDS]"),
    };
    println!("ns per message, lower quartile of {rounds} rounds\n");
    println!("| message | B | peer | write | pbjson's to it | read | pbjson's to it |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut is_met = true;
    for case in messages::cases()? {
        is_met &= measure(case.name, case.bytes, case.peers, rounds)?;
    }
    if !is_met {
        println!(
            "\nThe goal is missed: pbjson's time at least {WRITE_GOAL} times ours to write, \
             and {READ_GOAL} times to read."
        );
    }
    Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One operation of one peer, and how long it took.
struct Timed {
    operation: Box<dyn FnMut()>,
    repeats: u32,
    nanos: Vec<f64>,
}

impl Timed {
    fn new(operation: Box<dyn FnMut()>) -> Self {
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

    fn sample(&mut self) {
        let nanos = self.run().as_secs_f64() * 1e9 / f64::from(self.repeats);
        self.nanos.push(nanos);
    }

    /// Nanoseconds of an operation.
    fn lower_quartile(&self) -> f64 {
        quantile(self.nanos.clone(), 1, 4)
    }

    /// How many times as long another takes: the median over the rounds, in each of which
    /// both met the same machine.
    fn to(&self, other: &Self) -> f64 {
        let ratios = self.nanos.iter().zip(&other.nanos).map(|(ours, theirs)| theirs / ours);
        quantile(ratios.collect(), 1, 2)
    }
}

fn quantile(mut figures: Vec<f64>, part: usize, of: usize) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() * part / of).copied().unwrap_or(f64::NAN)
}

/// Prints a row for each peer; tells whether ours is as fast as it shall be.
fn measure(name: &str, bytes: usize, peers: Vec<Peer>, rounds: u32) -> Result<bool> {
    let mut timed: Vec<_> = peers
        .into_iter()
        .map(|peer| (peer.name, Timed::new(peer.write), Timed::new(peer.read)))
        .collect();
    for _ in 0..rounds {
        // What is compared is done one right after the other.
        timed.iter_mut().for_each(|(_, write, _)| write.sample());
        timed.iter_mut().for_each(|(_, _, read)| read.sample());
    }
    let of = |wanted| timed.iter().find(|(peer, _, _)| *peer == wanted);
    let (Some(ours), Some(pbjson)) = (of(OURS), of(PBJSON)) else {
        bail!("{OURS} and {PBJSON} are to be compared");
    };
    for (peer, write, read) in &timed {
        println!(
            "| {name} | {bytes} | {peer} | {:.0} | {:.2} | {:.0} | {:.2} |",
            write.lower_quartile(),
            write.to(&pbjson.1),
            read.lower_quartile(),
            read.to(&pbjson.2)
        );
    }
    Ok(ours.1.to(&pbjson.1) >= WRITE_GOAL && ours.2.to(&pbjson.2) >= READ_GOAL)
}
