//! Running a long command with signs of life.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Tool, Tools};
use crate::process::tail;

/// How often a line says that it still goes on.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Runs the command with its output in a log of the cache, saying now and then that it still goes
/// on. A failure shows the end of the log.
pub(super) fn run(tools: &Tools, tool: Tool, doing: &str, command: &mut Command) -> Result<()> {
    let log = tools.cache.join(format!("{tool}.log"));
    let program = command.get_program().to_string_lossy().into_owned();
    let output = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
    let errors = output.try_clone().context("duplicating the log's handle")?;
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .with_context(|| format!("starting {program}"))?;
    let mut next_sign = SIGN_OF_LIFE;
    let status = loop {
        if let Some(status) = child.try_wait().with_context(|| format!("awaiting {program}"))? {
            break status;
        }
        if start.elapsed() >= next_sign {
            (tools.say)(&format!("{tool}: still {doing}, {} s so far", start.elapsed().as_secs()));
            next_sign += SIGN_OF_LIFE;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    if !status.success() {
        bail!("{program} failed ({status}); the end of {}:\n{}", log.display(), tail(&log, 20));
    }
    (tools.say)(&format!("{tool}: {doing} took {} s", start.elapsed().as_secs()));
    Ok(())
}
