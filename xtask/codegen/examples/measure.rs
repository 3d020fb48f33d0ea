//! Runs the generator over a corpus of so many messages and RPCs and prints what each stage
//! took, in milliseconds of processor time, and the peak of the process's memory, in
//! megabytes. `cargo xtask bench codegen` runs it in a process of its own for each
//! measurement.

#![allow(clippy::print_stdout, reason = "printing is its purpose")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use codegen::corpus::Size;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || arguments.next().and_then(|text| text.parse().ok());
    let (Some(messages), Some(rpcs)) = (number(), number()) else {
        return Err("usage: measure MESSAGES RPCS INCLUDE...".into());
    };
    let includes: Vec<_> = arguments.map(PathBuf::from).collect();
    let directory = tempfile::tempdir()?;
    codegen::write::write(directory.path(), &codegen::corpus::contracts(Size { messages, rpcs }))?;
    let started = clock();
    let contracts = codegen::load::load(directory.path(), &includes)?;
    let loaded = clock() - started;
    let model = codegen::lower::lower(&contracts)?;
    let lowered = clock() - started;
    let files = codegen::emit::emit(&model, &contracts);
    let emitted = clock() - started;
    let bytes: usize = files.iter().map(|file| file.contents.len()).sum();
    println!(
        "{} {} {} {} {} {bytes}",
        loaded.as_millis(),
        (lowered - loaded).as_millis(),
        (emitted - lowered).as_millis(),
        peak_megabytes(),
        files.len(),
    );
    Ok(())
}

/// The time of this thread, which does all the work: what others do on a busy machine
/// does not count (`/proc/PID/schedstat` of proc(5), in nanoseconds). Where there is no
/// such file, the time of day.
fn clock() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let running = text.and_then(|text| text.split_whitespace().next()?.parse().ok());
    running.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// The largest resident set so far (`VmHWM` of proc(5)); 0 where there is no such file.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1024
}
