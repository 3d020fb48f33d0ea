//! The processes below a process.

use std::process::Command;

use anyhow::{Context, Result, bail};

/// The children of a process, their children, and so on.
pub(super) fn descendants(pid: u32) -> Result<Vec<u32>> {
    let output = Command::new("ps")
        .args(["-A", "-o", "pid=", "-o", "ppid="])
        .output()
        .context("running ps, which lists the processes below a server")?;
    if !output.status.success() {
        bail!("ps: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let pairs: Vec<(u32, u32)> =
        String::from_utf8_lossy(&output.stdout).lines().filter_map(pair).collect();
    Ok(below(pid, &pairs))
}

fn pair(line: &str) -> Option<(u32, u32)> {
    let mut numbers = line.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// What is below `pid` in pairs of child and parent, parents before children.
fn below(pid: u32, pairs: &[(u32, u32)]) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = pairs.iter().filter(|(child, of)| *of == parent && !found.contains(child));
        found.extend(children.map(|(child, _)| *child).collect::<Vec<_>>());
        next += 1;
    }
    found.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_of_children_are_found_and_strangers_are_not() {
        let pairs = [(2, 1), (3, 2), (4, 1), (5, 9), (9, 0), (1, 0)];
        assert_eq!(below(1, &pairs), [2, 4, 3]);
        assert!(below(5, &pairs).is_empty());
    }
}
