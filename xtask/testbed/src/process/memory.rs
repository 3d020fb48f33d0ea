//! How much memory a process has.

use std::fs;

use anyhow::{Context, Result};

/// Memory of a process that is resident, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// As it is now.
    pub resident: u64,
    /// The most that it ever was.
    pub peak: u64,
}

impl Memory {
    /// Reads what the kernel counts; Linux alone tells the peak.
    ///
    /// # Errors
    /// When there is no such process, or the system does not tell.
    pub fn of(pid: u32) -> Result<Self> {
        let path = format!("/proc/{pid}/status");
        let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        let field = |name| kibibytes(&status, name).with_context(|| format!("{path}: no {name}"));
        Ok(Self { resident: field("VmRSS:")? * 1024, peak: field("VmHWM:")? * 1024 })
    }
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_memory_is_told() {
        let memory = Memory::of(std::process::id()).unwrap();
        assert!(memory.resident > 100_000 && memory.peak >= memory.resident, "{memory:?}");
    }
}
