//! Waiting for a condition instead of sleeping for a guess.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Asks `condition` until it says yes. An error ends the wait at once; running out of time is an
/// error that names `what` was awaited.
pub fn wait_until(
    what: &str,
    timeout: Duration,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        if condition().with_context(|| format!("while waiting for {what}"))? {
            return Ok(());
        }
        if start.elapsed() >= timeout {
            bail!("waited {} s for {what}, in vain", timeout.as_secs_f32());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// A TCP port of the loopback interface that was free a moment ago. Another process may take it
/// before it is used, so whoever starts a server on it tries again with another one.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("asking for a free port")?;
    Ok(listener.local_addr().context("reading the free port")?.port())
}

/// How often a server is started anew when it ended at once, as it does when another process took
/// the port that [`free_port`] had found.
const START_ATTEMPTS: u32 = 3;

/// Runs `start` until it succeeds, a few times at most; the last error is the one reported.
pub(crate) fn with_new_ports<T>(mut start: impl FnMut() -> Result<T>) -> Result<T> {
    let mut attempt = 1;
    loop {
        match start() {
            Err(error) if attempt < START_ATTEMPTS && is_port_conflict(&error) => attempt += 1,
            other => return other,
        }
    }
}

fn is_port_conflict(error: &anyhow::Error) -> bool {
    format!("{error:#}").to_lowercase().contains("address already in use")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_names_what_was_awaited() {
        let error = wait_until("the moon", Duration::from_millis(20), || Ok(false)).unwrap_err();
        assert!(error.to_string().contains("the moon"), "{error}");
    }

    #[test]
    fn only_a_port_conflict_is_tried_again() {
        let mut calls = 0;
        let result: Result<()> = with_new_ports(|| {
            calls += 1;
            bail!("bind 127.0.0.1:1: Address already in use")
        });
        assert!(result.is_err());
        assert_eq!(calls, 3);

        let mut calls = 0;
        let result: Result<()> = with_new_ports(|| {
            calls += 1;
            bail!("no such option")
        });
        assert!(result.is_err());
        assert_eq!(calls, 1);
    }
}
