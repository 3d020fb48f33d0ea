//! Child processes that end with the process that started them.

mod launch;
mod log;
mod memory;
mod tree;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub use launch::{Launch, User};
pub(crate) use log::tail;
pub use memory::Memory;

use crate::wait::wait_until;

/// How much of the log an error shows.
const ERROR_TAIL: usize = 30;

/// A signal that can be sent to a leashed process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Asks to stop; most servers drain first.
    Term,
    /// What Ctrl-C sends; Postgres ends its sessions and stops.
    Int,
    /// Ends the process at once; it gets no chance to tidy up.
    Kill,
    /// What Postgres takes for an immediate stop: without a checkpoint, as a crash would.
    Quit,
    /// Reload, for the servers that know it.
    Hup,
    /// Freezes the process, as a long pause of its machine would.
    Stop,
    /// Lets a frozen process go on.
    Cont,
}

impl Signal {
    /// The name that `kill -s` takes.
    fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Int => "INT",
            Self::Kill => "KILL",
            Self::Quit => "QUIT",
            Self::Hup => "HUP",
            Self::Stop => "STOP",
            Self::Cont => "CONT",
        }
    }
}

/// A running child process, stopped when this handle is dropped and also when the process that holds
/// the handle dies, even by SIGKILL. It has a process group of its own, so a terminal's Ctrl-C reaches
/// the holder alone and the servers stop in the holder's order.
#[derive(Debug)]
pub struct Leashed {
    name: String,
    /// The shell that starts, watches and stops the command; its standard input is the leash.
    supervisor: Child,
    pid: u32,
    log: PathBuf,
    grace: Duration,
}

impl Leashed {
    /// The name given at launch.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id of the command itself.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the command still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.supervisor.try_wait(), Ok(None))
    }

    /// The exit code once the command has ended; 128 and the signal's number if a signal ended it.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.supervisor.try_wait().ok().flatten().and_then(|status| status.code())
    }

    /// Sends a signal to the command.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if !send(self.pid, signal)? {
            bail!("{} (process {}) took no {}: it has ended", self.name, self.pid, signal.name());
        }
        Ok(())
    }

    /// Freezes the command and every process below it, as a long pause of the machine would.
    pub fn freeze(&self) -> Result<()> {
        // The command first, so that it starts no more while we look.
        self.signal(Signal::Stop)?;
        for pid in tree::descendants(self.pid)? {
            // One that has just ended is as quiet as a frozen one.
            send(pid, Signal::Stop)?;
        }
        Ok(())
    }

    /// Lets the command and every process below it go on.
    pub fn thaw(&self) -> Result<()> {
        for pid in tree::descendants(self.pid)? {
            send(pid, Signal::Cont)?;
        }
        self.signal(Signal::Cont)
    }

    /// How much memory the command has, without the processes below it.
    pub fn memory(&self) -> Result<Memory> {
        Memory::of(self.pid).with_context(|| format!("the memory of {}", self.name))
    }

    /// The file with everything that the command wrote.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The last `lines` lines of the log, empty if there is none.
    pub fn tail(&self, lines: usize) -> String {
        tail(&self.log, lines)
    }

    /// Waits until `probe` says that the server is ready. Ends at once, with the end of the log, when
    /// the process ends; also shows the end of the log when time runs out. An error of the probe
    /// counts as not ready yet, and the last one is told.
    pub fn wait_ready(
        &mut self,
        timeout: Duration,
        mut probe: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let what = format!("{} to be ready", self.name);
        let mut last_error = None;
        let waited = wait_until(&what, timeout, || {
            if !self.is_running() {
                bail!("it ended with exit code {}", self.exit_code().unwrap_or(-1));
            }
            match probe() {
                Ok(ready) => Ok(ready),
                Err(error) => {
                    last_error = Some(error);
                    Ok(false)
                }
            }
        });
        waited.map_err(|error| {
            let error = match last_error {
                Some(last) => error.context(format!("the last probe said: {last:#}")),
                None => error,
            };
            error.context(format!(
                "{} did not start; the end of its log, {}:\n{}",
                self.name,
                self.log.display(),
                self.tail(ERROR_TAIL),
            ))
        })
    }

    /// Stops the command and waits until it is gone: its stop signal first, SIGKILL after the grace.
    pub fn stop(mut self) {
        self.end();
    }

    /// Waits until the command has ended by itself, and gives its exit code.
    pub fn wait_ended(&mut self, timeout: Duration) -> Result<i32> {
        let what = format!("{} to end", self.name);
        wait_until(&what, timeout, || Ok(!self.is_running()))?;
        Ok(self.exit_code().unwrap_or(-1))
    }

    fn end(&mut self) {
        // Closing the pipe is all it takes; the supervisor does the rest.
        drop(self.supervisor.stdin.take());
        let deadline = Instant::now() + self.grace + Duration::from_secs(5);
        while self.is_running() {
            if Instant::now() > deadline {
                self.kill_group();
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The last resort, for a supervisor that was itself stopped or does not answer.
    fn kill_group(&mut self) {
        let group = format!("-{}", self.supervisor.id());
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).status();
        let _ = self.supervisor.wait();
    }
}

impl Drop for Leashed {
    fn drop(&mut self) {
        self.end();
    }
}

/// Sends a signal; whether there was a process to take it.
fn send(pid: u32, signal: Signal) -> Result<bool> {
    let status = Command::new("kill")
        .args(["-s", signal.name()])
        .arg(pid.to_string())
        .stderr(Stdio::null())
        .status()
        .context("running kill")?;
    Ok(status.success())
}

/// Appends a line to a log, so that restarts can be told apart in it.
fn mark(file: &mut std::fs::File, line: &str) {
    // A log that cannot be written shows in everything that follows; the mark alone is no reason
    // to fail a launch.
    let _ = writeln!(file, "{line}");
}

#[cfg(test)]
mod tests;
