//! The directory that one run keeps its data and logs in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// Removes the directory `$1` once standard input ends, which is when the process that holds the
/// other end of the pipe is gone. Servers may still be stopping then, so it tries for a while.
const JANITOR: &str = r#"
while read -r _; do :; done
tries=0
while [ -e "$1" ] && [ "$tries" -lt 100 ]; do
    sleep 0.3
    rm -rf -- "$1" 2>/dev/null
    tries=$((tries + 1))
done
"#;

/// A new directory for the data and logs of a run. It goes when the run [succeeded], and stays,
/// with a line on standard error that names it, when it did not.
///
/// [succeeded]: RunDirectory::succeeded
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    fate: Fate,
}

#[derive(Debug)]
enum Fate {
    /// Kept, and said so, unless the run succeeds.
    KeepOnFailure,
    /// Removed by a janitor process when this one ends, however it ends. The child is held only
    /// for its standard input.
    Remove { _janitor: Child },
    /// Already removed, or to be left without a word.
    Settled,
}

impl RunDirectory {
    /// Creates a directory that outlives a failed run, so that its logs can be read.
    pub fn create(prefix: &str) -> Result<Self> {
        Ok(Self { path: new_directory(prefix)?, fate: Fate::KeepOnFailure })
    }

    /// Creates a directory that is removed when this process ends, even by SIGKILL: for servers that
    /// live in a static and so are never dropped.
    pub fn disposable(prefix: &str) -> Result<Self> {
        let path = new_directory(prefix)?;
        let janitor = Command::new("sh")
            .arg("-c")
            .arg(JANITOR)
            .arg("sh")
            .arg(&path)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting the shell that removes the run directory")?;
        Ok(Self { path, fate: Fate::Remove { _janitor: janitor } })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the directory: the run went well and nobody needs its logs.
    pub fn succeeded(mut self) -> Result<()> {
        self.fate = Fate::Settled;
        fs::remove_dir_all(&self.path).with_context(|| format!("removing {}", self.path.display()))
    }

    /// Leaves the directory where it is without a message, and gives its path.
    pub fn into_path(mut self) -> PathBuf {
        self.fate = Fate::Settled;
        self.path.clone()
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        if matches!(self.fate, Fate::KeepOnFailure) {
            eprintln!("The run's data and logs are kept in {}.", self.path.display());
        }
    }
}

fn new_directory(prefix: &str) -> Result<PathBuf> {
    let path = tempfile::Builder::new()
        .prefix(&format!("{prefix}-"))
        .tempdir()
        .context("creating a temporary directory")?
        .keep();
    // Postgres refuses to run as root and then runs as another user, who must be able to pass
    // through here to its own directory below. Listing it stays the owner's.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o711))
        .with_context(|| format!("opening {} to servers of other users", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wait_until;

    #[test]
    fn a_failed_run_keeps_its_directory() {
        let run = RunDirectory::create("testbed-unit").unwrap();
        let path = run.path().to_owned();
        drop(run);
        assert!(path.is_dir());
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_successful_run_leaves_nothing() {
        let run = RunDirectory::create("testbed-unit").unwrap();
        let path = run.path().to_owned();
        fs::write(path.join("log"), "x").unwrap();
        run.succeeded().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_disposable_directory_goes_with_its_handle() {
        let run = RunDirectory::disposable("testbed-unit").unwrap();
        let path = run.path().to_owned();
        fs::write(path.join("log"), "x").unwrap();
        drop(run);
        wait_until("the janitor", Duration::from_secs(20), || Ok(!path.exists())).unwrap();
    }
}
