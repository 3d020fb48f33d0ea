//! A small volume in memory, to be filled.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::User;

/// Ends the volume at `$1` once standard input ends, which is when the process that holds the other
/// end of the pipe is gone. Servers that use it may still be stopping then; a lazy end waits for them.
const JANITOR: &str = r#"
while read -r _; do :; done
umount -l -- "$1"
rmdir -- "$1"
"#;

/// A volume in memory that holds no more than it was made for. It goes with this handle, and with
/// this process, however that ends.
#[derive(Debug)]
pub struct Tmpfs {
    path: PathBuf,
    janitor: Child,
}

impl Tmpfs {
    /// Makes a volume of so many bytes, which takes root.
    ///
    /// `None`, with the reason on standard error, where this process may make none: as another user,
    /// or as a root that may not mount, which containers have. In CI (the variable `CI` is set) the
    /// latter is an error, so that no test is left out there unnoticed.
    pub fn mount(bytes: u64) -> Result<Option<Self>> {
        let told =
            |why: &str| eprintln!("LEFT OUT: this test needs a volume of its own, and {why}");
        if !User::is_root() {
            told("only root can make one");
            return Ok(None);
        }
        let path = tempfile::Builder::new()
            .prefix("testbed-tmpfs-")
            .tempdir()
            .context("creating a mount point")?
            .keep();
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes},mode=0711"), "testbed"])
            .arg(&path)
            .output()
            .context("running mount")?;
        if !output.status.success() {
            // An empty directory in the way harms nobody.
            let _ = std::fs::remove_dir(&path);
            let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            if std::env::var_os("CI").is_some() {
                bail!("root could not mount a volume in CI: {reason}");
            }
            told(&format!("this root may not mount: {reason}"));
            return Ok(None);
        }
        let janitor = Command::new("sh")
            .args(["-c", JANITOR, "sh"])
            .arg(&path)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting the shell that ends the volume")?;
        Ok(Some(Self { path, janitor }))
    }

    /// Where the volume is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        let _ = self.janitor.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_full_when_it_is_full_and_goes_with_its_handle() {
        let Some(volume) = Tmpfs::mount(1 << 20).unwrap() else { return };
        let path = volume.path().to_owned();
        let error = std::fs::write(path.join("large"), vec![0; 2 << 20]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        std::fs::remove_file(path.join("large")).unwrap();
        std::fs::write(path.join("small"), b"x").unwrap();
        drop(volume);
        assert!(!path.exists());
    }
}
