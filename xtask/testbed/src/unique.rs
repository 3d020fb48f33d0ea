//! Names and secrets that no other run uses.

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

/// Gives a name that no other test of this or another process uses: the prefix, the process id and
/// a counter, in lower case with underscores, so that it is a database name, a stream name and a
/// subject token as it stands.
pub fn fresh_name(prefix: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let prefix: String = prefix
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .take(40)
        .collect();
    format!("{prefix}_{}_{number}", std::process::id())
}

/// A secret of 128 random bits, in hexadecimal.
pub(crate) fn random_secret() -> Result<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("reading random bytes from /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_are_plain() {
        let first = fresh_name("Sync-Athlete");
        assert_ne!(first, fresh_name("Sync-Athlete"));
        assert!(first.starts_with("sync_athlete_"));
        assert!(fresh_name(&"x".repeat(100)).len() <= 63);
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(random_secret().unwrap(), random_secret().unwrap());
    }
}
