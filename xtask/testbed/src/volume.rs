//! A disk that is small enough to be filled.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::User;
use crate::wait::wait_until;

/// Unmounts `$1` once standard input ends, which is when the process that holds the other end of
/// the pipe is gone. A server that stops may still hold files there, so it tries for a while.
const JANITOR: &str = r#"
while read -r _; do :; done
tries=0
while [ "$tries" -lt 100 ] && ! umount "$1"; do
    sleep 0.3
    tries=$((tries + 1))
done
rmdir "$1"
"#;

/// A file system in memory, of a fixed size. It goes with this handle, and also when the process
/// that holds it dies; so does the directory it is mounted on.
#[derive(Debug)]
pub struct SmallVolume {
    path: PathBuf,
    janitor: Child,
}

impl SmallVolume {
    /// Mounts one of so many mebibytes at `path`, which is created. `None`, with the reason on
    /// standard error, for a user other than root, who may not mount.
    pub fn mount(path: impl Into<PathBuf>, mebibytes: u32) -> Result<Option<Self>> {
        if !User::is_root() {
            eprintln!("SKIPPED: a volume that can be filled takes root, who alone may mount one");
            return Ok(None);
        }
        let path = path.into();
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m,mode=0755"), "tmpfs"])
            .arg(&path)
            .output()
            .context("running mount")?;
        if !output.status.success() {
            bail!(
                "root may not mount here, as in a container without CAP_SYS_ADMIN: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
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
            .context("starting the shell that unmounts the volume")?;
        Ok(Some(Self { path, janitor }))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves no byte of it free. What others give back afterwards is free until the next call.
    pub fn fill(&self) -> Result<()> {
        let file = self.ballast();
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(&file)
            .with_context(|| format!("opening {}", file.display()))?;
        // Less and less, so that the last block goes too.
        for size in [1024 * 1024, 64 * 1024, 4096, 1] {
            let piece = vec![0_u8; size];
            loop {
                match ballast.write_all(&piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error).context("filling the volume"),
                }
            }
        }
        Ok(())
    }

    /// Gives back what [`fill`](Self::fill) took.
    pub fn make_room(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("making room on the volume")
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

impl Drop for SmallVolume {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        let gone = wait_until("the volume to be unmounted", Duration::from_secs(31), || {
            Ok(self.janitor.try_wait()?.is_some())
        });
        if let Err(error) = gone {
            eprintln!("{} may still be mounted: {error:#}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_full_when_it_was_filled_and_has_room_again_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("volume");
        let Some(volume) = SmallVolume::mount(&path, 4).unwrap() else { return };
        let note = path.join("note");
        let refused = fs::write(path.join("large"), vec![0; 8 << 20]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::StorageFull);
        fs::remove_file(path.join("large")).unwrap();
        volume.fill().unwrap();
        let refused = fs::write(&note, "x").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::StorageFull);
        volume.make_room().unwrap();
        fs::write(&note, "x").unwrap();
        drop(volume);
        assert!(!note.exists(), "unmounted");
        assert!(!path.exists(), "removed");
    }
}
