//! Time to write and to read messages of the api, in one process.
//!
//! Every peer has the same message and reads the same text.

mod messages;
mod peers;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use bench_timed::Timed;

use peers::{OURS, PBJSON, Peer};

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
