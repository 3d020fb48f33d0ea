//! apt with lists and cache of its own: it fetches packages without root and changes nothing of the
//! system's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::{Tool, Tools, require, task};

/// apt in a directory.
pub(super) struct Apt {
    pub(super) root: PathBuf,
}

impl Apt {
    /// One that fetches what the system would install: from its sources, and knowing what it has.
    pub(super) fn of_system(root: PathBuf) -> Result<Self> {
        let apt = Self::with(root, "")?;
        fs::copy("/var/lib/dpkg/status", apt.root.join("status"))
            .context("copying the list of installed packages")?;
        Ok(apt)
    }

    /// One with a source of its own, which takes nothing for installed.
    pub(super) fn of_source(root: PathBuf, source: &str) -> Result<Self> {
        let settings = format!(
            "Dir::Etc::sourcelist \"{0}/sources.list\";\n\
             Dir::Etc::sourceparts \"/dev/null\";\nDir::Etc::preferencesparts \"/dev/null\";\n\
             APT::Architecture \"amd64\";\n",
            root.display(),
        );
        let apt = Self::with(root, &settings)?;
        fs::write(apt.root.join("sources.list"), source).context("writing sources.list for apt")?;
        Ok(apt)
    }

    fn with(root: PathBuf, settings: &str) -> Result<Self> {
        require("apt-get", "Debian's packages are fetched with it")?;
        require("dpkg-deb", "it unpacks Debian's packages")?;
        for directory in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(root.join(directory)).context("creating a directory for apt")?;
        }
        let place = root.display();
        let settings = format!(
            "Dir::State \"{place}/state\";\nDir::State::status \"{place}/status\";\n\
             Dir::Cache \"{place}/cache\";\nAcquire::Languages \"none\";\n\
             APT::Sandbox::User \"\";\nDebug::NoLocking \"true\";\n{settings}"
        );
        for (name, text) in [("status", ""), ("apt.conf", settings.as_str())] {
            fs::write(root.join(name), text).with_context(|| format!("writing {name} for apt"))?;
        }
        Ok(Self { root })
    }

    /// `apt-get` as it is set up here.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new("apt-get");
        command
            .current_dir(&self.root)
            .env("APT_CONFIG", self.root.join("apt.conf"))
            .stdin(Stdio::null());
        command
    }

    /// Where packages lie that were fetched with others that they need.
    pub(super) fn archives(&self) -> PathBuf {
        self.root.join("cache/archives")
    }
}

/// Unpacks each package of a directory; none of their scripts is run.
pub(super) fn unpack(tools: &Tools, tool: Tool, packages: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(packages).context("reading what was fetched")? {
        let path = entry.context("reading what was fetched")?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            let mut command = Command::new("dpkg-deb");
            command.arg("--extract").arg(&path).arg(to);
            task::run(tools, tool, "unpacking", &mut command)?;
        }
    }
    Ok(())
}
