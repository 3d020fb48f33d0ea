//! Everything that a verb writes: first put together, then checked, then written at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use codegen::File;
use tempfile::TempDir;
use testbed::{Tool, Tools};

use super::rust;
use crate::codegen_command;

/// Files to write, by their path in the workspace.
#[derive(Debug)]
pub(super) struct Plan {
    root: PathBuf,
    files: BTreeMap<PathBuf, Planned>,
}

#[derive(Debug)]
struct Planned {
    text: String,
    is_new: bool,
}

impl Plan {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf(), files: BTreeMap::new() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether there is such a file, or will be.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(Path::new(path)) || self.root.join(path).exists()
    }

    /// A file as it is, or as it is planned.
    pub(super) fn read(&self, path: &str) -> Result<String> {
        match self.files.get(Path::new(path)) {
            Some(planned) => Ok(planned.text.clone()),
            None => fs::read_to_string(self.root.join(path))
                .with_context(|| format!("cannot read {path}")),
        }
    }

    /// A new file.
    pub(super) fn create(&mut self, path: &str, text: impl Into<String>) -> Result<()> {
        if self.has(path) {
            bail!("{path} is there already: nothing is overwritten, choose another name");
        }
        let planned = Planned { text: text.into(), is_new: true };
        self.files.insert(PathBuf::from(path), planned);
        Ok(())
    }

    /// Another text for a file that is there.
    pub(super) fn edit(
        &mut self,
        path: &str,
        change: impl FnOnce(&str) -> Result<String>,
    ) -> Result<()> {
        let before = self.read(path)?;
        let text = change(&before).with_context(|| format!("cannot add to {path}"))?;
        let is_new = self.files.get(Path::new(path)).is_some_and(|planned| planned.is_new);
        self.files.insert(PathBuf::from(path), Planned { text, is_new });
        Ok(())
    }

    /// Checks everything, writes it, and generates.
    pub(super) fn apply(mut self, dry_run: bool) -> Result<()> {
        let generated = self
            .check_contracts()
            .context("nothing was written, for the contracts would not be valid")?;
        for (path, planned) in &mut self.files {
            if path.extension().is_some_and(|extension| extension == "rs") {
                planned.text = rust::format(&self.root, &planned.text)
                    .with_context(|| format!("{} would not be valid", path.display()))?;
            }
        }
        self.list(dry_run);
        if dry_run {
            return Ok(());
        }
        self.write(&generated)?;
        self.lock()
    }

    /// Lets buf lay the contracts out and the generator judge them, on a copy; gives what it makes
    /// of them.
    fn check_contracts(&mut self) -> Result<Vec<File>> {
        let copy = TempDir::new().context("cannot make a directory for the contracts")?;
        let contracts = copy.path().join("contracts");
        copy_tree(&self.root.join("contracts"), &contracts)?;
        let own = |path: &Path| path.starts_with("contracts");
        for (path, planned) in self.files.iter().filter(|(path, _)| own(path)) {
            let target = copy.path().join(path);
            target.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&target, &planned.text)?;
        }
        let buf = Tools::new()?.ensure(Tool::Buf)?;
        for (path, planned) in self.files.iter_mut().filter(|(path, _)| own(path)) {
            let target = copy.path().join(path);
            let output = Command::new(&buf)
                .args(["format", "--write"])
                .arg(&target)
                .current_dir(copy.path())
                .output()
                .with_context(|| format!("cannot run {}", buf.display()))?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                bail!("{} would not be valid:\n{said}", path.display());
            }
            planned.text = fs::read_to_string(&target)?;
        }
        codegen_command::generate(&contracts, &self.root.join("migrations"))
    }

    fn list(&self, dry_run: bool) {
        let (create, change) =
            if dry_run { ("would create", "would change") } else { ("created", "changed") };
        for (path, planned) in &self.files {
            let what = if planned.is_new { create } else { change };
            println!("{what:>12}  {}", path.display());
        }
    }

    /// Writes all files and what is generated or, when something cannot be written, leaves the
    /// files as they were.
    fn write(&self, generated: &[File]) -> Result<()> {
        let mut before: Vec<(PathBuf, Option<String>)> = Vec::new();
        let files = self.files.iter().try_for_each(|(path, planned)| {
            let target = self.root.join(path);
            before.push((target.clone(), fs::read_to_string(&target).ok()));
            target.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&target, &planned.text)
                .with_context(|| format!("cannot write {}", path.display()))
        });
        let outcome = files.and_then(|()| codegen_command::write(&self.root, generated));
        if outcome.is_err() {
            for (path, text) in before {
                // The first failure is the one to tell; what is put back is what we changed.
                let _ = match text {
                    Some(text) => fs::write(&path, text),
                    None => fs::remove_file(&path),
                };
            }
        }
        outcome
    }

    /// Lets Cargo note new crates in the lock file.
    fn lock(&self) -> Result<()> {
        let output = stack::cargo()
            .args(["metadata", "--format-version", "1", "--offline"])
            .current_dir(&self.root)
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let path = entry?.path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_tree(&path, &to)?;
        } else {
            fs::copy(&path, &to).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}
