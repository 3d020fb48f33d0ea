//! Debian's packages, in the version that this system's sources have.
//!
//! They are unpacked into the cache rather than installed: that needs no root, and starts none of the
//! services that packages bring along (a Prometheus at port 9090, a cluster of Postgres at 5432).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::apt::{self, Apt};
use super::{Tool, Tools, require, task};

/// Where packages are unpacked, below the tool's home.
const UNPACKED: &str = "debian";

/// Fills `staging` with the packages, those that they need and this system lacks, and a command for
/// each executable that `commands` (a directory, of which `*` is any name) has.
pub(super) fn unpack(
    tools: &Tools,
    tool: Tool,
    staging: &Path,
    packages: &[&str],
    commands: &str,
) -> Result<()> {
    require("apt-get", "only Debian's packages are fetched automatically")?;
    (tools.say)(&format!(
        "{tool}: needed because {}; unpacking Debian's package, once",
        tools.catalog.entry(tool).why,
    ));
    let apt = Apt::of_system(staging.join("apt"))?;
    task::run(tools, tool, "asking Debian", apt.command().arg("update"))?;
    let mut fetch = apt.command();
    fetch.args(["install", "--download-only", "--yes", "--no-install-recommends"]).args(packages);
    task::run(tools, tool, "fetching", &mut fetch)?;
    apt::unpack(tools, tool, &apt.archives(), &staging.join(UNPACKED))?;
    fs::remove_dir_all(&apt.root).context("removing what was fetched")?;
    write_commands(staging, commands)
}

/// Writes commands that find the libraries beside them. What they run finds its other files by its own
/// place.
fn write_commands(staging: &Path, commands: &str) -> Result<()> {
    let directory = only_match(&staging.join(UNPACKED), commands)?;
    let bin = staging.join("bin");
    fs::create_dir_all(&bin).with_context(|| format!("creating {}", bin.display()))?;
    for entry in fs::read_dir(&directory).context("reading what was unpacked")? {
        let name = entry.context("reading what was unpacked")?.file_name();
        let name = name.to_str().context("an executable with a strange name")?;
        let place = directory.strip_prefix(staging).context("it is elsewhere")?;
        let path = bin.join(name);
        fs::write(&path, script(&place.join(name)))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn script(place: &Path) -> String {
    let architecture = std::env::consts::ARCH;
    let place = place.display();
    format!(
        "#!/bin/sh\n\
         home=$(CDPATH= cd -- \"$(dirname -- \"$0\")/..\" && pwd) || exit 1\n\
         libraries=$home/{UNPACKED}/usr/lib/{architecture}-linux-gnu:$home/{UNPACKED}/lib/{architecture}-linux-gnu\n\
         export LD_LIBRARY_PATH=\"$libraries${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"\n\
         exec \"$home/{place}\" \"$@\"\n"
    )
}

/// The directory of that name, of which one part may be `*`.
fn only_match(root: &Path, pattern: &str) -> Result<PathBuf> {
    let Some((before, after)) = pattern.split_once("/*/") else { return Ok(root.join(pattern)) };
    let parent = root.join(before);
    let inside = fs::read_dir(&parent).with_context(|| format!("reading {}", parent.display()))?;
    let found: Vec<_> = inside.flatten().map(|entry| entry.path().join(after)).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        _ => bail!("the packages hold {} of {pattern}", found.len()),
    }
}

/// Installs packages as root. Postgres runs as another user then, for whom root's cache is closed.
///
/// # Errors
/// When apt fails.
pub(super) fn install(tools: &Tools, tool: Tool, packages: &[&str]) -> Result<()> {
    require("apt-get", "only Debian's packages are installed automatically")?;
    (tools.say)(&format!(
        "{tool}: needed because {}; installing Debian's package",
        tools.catalog.entry(tool).why,
    ));
    let _no_cluster = NoCluster::declare(Path::new("/etc/postgresql-common/createcluster.d"))?;
    let install = [&["install", "--yes", "--no-install-recommends"][..], packages].concat();
    for arguments in [vec!["update"], install] {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        task::run(tools, tool, "installing", &mut command)?;
    }
    Ok(())
}

/// While it is there, the installation of Postgres makes no cluster, and so starts none.
struct NoCluster(PathBuf);

impl NoCluster {
    fn declare(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        let file = directory.join("treaty.conf");
        fs::write(&file, "create_main_cluster = false\n")
            .with_context(|| format!("writing {}", file.display()))?;
        Ok(Self(file))
    }
}

impl Drop for NoCluster {
    fn drop(&mut self) {
        // What stays behind would keep a later installation from making a cluster, and no more.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_s_executables_become_commands_that_find_their_libraries() {
        let staging = tempfile::tempdir().unwrap();
        let bin = staging.path().join("debian/usr/lib/server/15/bin");
        fs::create_dir_all(&bin).unwrap();
        let executable = bin.join("server");
        fs::write(&executable, "#!/bin/sh\necho \"$LD_LIBRARY_PATH $*\"\n").unwrap();
        fs::set_permissions(&executable, fs::Permissions::from_mode(0o755)).unwrap();
        write_commands(staging.path(), "usr/lib/server/*/bin").unwrap();
        let command = staging.path().join("bin/server");
        let output =
            Command::new(command).arg("a b").env_remove("LD_LIBRARY_PATH").output().unwrap();
        let libraries = format!("debian/lib/{}-linux-gnu a b\n", std::env::consts::ARCH);
        assert!(String::from_utf8(output.stdout).unwrap().ends_with(&libraries));

        fs::create_dir_all(staging.path().join("debian/usr/lib/server/16/bin")).unwrap();
        assert!(write_commands(staging.path(), "usr/lib/server/*/bin").is_err(), "which of them?");
    }

    #[test]
    fn no_cluster_is_made_while_packages_are_installed() {
        let etc = tempfile::tempdir().unwrap();
        let directory = etc.path().join("createcluster.d");
        let declared = NoCluster::declare(&directory).unwrap();
        let text = fs::read_to_string(directory.join("treaty.conf")).unwrap();
        assert_eq!(text, "create_main_cluster = false\n");
        drop(declared);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
    }
}
