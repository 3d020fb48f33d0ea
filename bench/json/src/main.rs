//! Time to write and to read messages of the api, in one process.
//!
//! Every peer has the same message and reads the same text. Rounds go from one peer to the
//! next, so that a busy moment of the machine meets all. Of each, the lower quartile counts:
//! other work can only add.

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

    fn lower_quartile(&mut self) -> f64 {
        self.nanos.sort_by(f64::total_cmp);
        self.nanos[self.nanos.len() / 4]
    }
}

/// Prints a row for each peer; tells whether ours is as fast as it shall be.
fn measure(name: &str, bytes: usize, peers: Vec<Peer>, rounds: u32) -> Result<bool> {
    let mut timed: Vec<_> = peers
        .into_iter()
        .map(|peer| (peer.name, Timed::new(peer.write), Timed::new(peer.read)))
        .collect();
    for _ in 0..rounds {
        for (_, write, read) in &mut timed {
            write.sample();
            read.sample();
        }
    }
    let figures: Vec<_> = timed
        .iter_mut()
        .map(|(peer, write, read)| (*peer, write.lower_quartile(), read.lower_quartile()))
        .collect();
    let of = |wanted| figures.iter().find(|(peer, _, _)| *peer == wanted);
    let (Some((_, write, read)), Some((_, their_write, their_read))) = (of(OURS), of(PBJSON))
    else {
        bail!("{OURS} and {PBJSON} are to be compared");
    };
    for (peer, write, read) in &figures {
        println!(
            "| {name} | {bytes} | {peer} | {write:.0} | {:.2} | {read:.0} | {:.2} |",
            their_write / write,
            their_read / read
        );
    }
    Ok(their_write / write >= WRITE_GOAL && their_read / read >= READ_GOAL)
}
