//! Runs the generator over a corpus of so many messages and RPCs and prints what each stage took, in
//! milliseconds, and the peak of the process's memory, in megabytes. `cargo xtask bench
//! codegen` runs it in a process of its own for each measurement.

#![allow(clippy::print_stdout, reason = "printing is its purpose")]

use std::path::PathBuf;
use std::time::Instant;

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
    let started = Instant::now();
    let contracts = codegen::load::load(directory.path(), &includes)?;
    let loaded = started.elapsed();
    let model = codegen::lower::lower(&contracts)?;
    let lowered = started.elapsed();
    let files = codegen::emit::emit(&model, &contracts);
    let emitted = started.elapsed();
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

/// The largest resident set so far (`VmHWM` of proc(5)); 0 where there is no such file.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1024
}
