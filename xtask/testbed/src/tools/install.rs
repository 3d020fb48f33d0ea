//! Installing the pinned version of a tool.

mod apt;
mod conformance;
mod debian;
mod npm;
mod pip;
mod schemas;
mod task;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::catalog::{ModuleFiles, Recipe};
use super::{Tool, Tools, find};
use crate::process::User;

/// Installs the tool; afterwards a search finds it.
pub(super) fn install(tools: &Tools, tool: Tool) -> Result<()> {
    fs::create_dir_all(&tools.cache)
        .with_context(|| format!("creating the tool cache {}", tools.cache.display()))?;
    let _lock = lock(tools, tool)?;
    if find::search(tools, tool)?.found.is_some() {
        // Another process installed it while we waited for the lock.
        return Ok(());
    }
    match Recipe::of(tool) {
        Recipe::Go { module, package, version_variable } => in_cache(tools, tool, |staging| {
            build_go(tools, tool, staging, module, package, version_variable)
        }),
        Recipe::Npm { linux_only: true, .. } if !cfg!(target_os = "linux") => {
            bail!("package-lock.json pins the executables for Linux alone")
        }
        Recipe::Npm { module, executable, .. } => {
            in_cache(tools, tool, |staging| npm::install(tools, tool, staging, module, executable))
        }
        Recipe::Pip { module, commands } => {
            in_cache(tools, tool, |staging| pip::install(tools, tool, staging, module, commands))
        }
        Recipe::NpmWithLibraries { module } => {
            in_cache(tools, tool, |staging| conformance::install(tools, staging, module))
        }
        Recipe::ManifestSchemas { module, definitions } => {
            in_cache(tools, tool, |staging| schemas::install(tools, staging, module, definitions))
        }
        // Another user than root could not look into root's cache.
        Recipe::Debian { packages, other_user: true, .. } if User::is_root() => {
            debian::install(tools, tool, packages)
        }
        Recipe::Debian { packages, commands, .. } => in_cache(tools, tool, |staging| {
            debian::unpack(tools, tool, staging, packages, commands)
        }),
    }
}

/// Lets one process at a time install a tool. The lock goes with the file handle, so a process that
/// dies leaves none behind.
fn lock(tools: &Tools, tool: Tool) -> Result<File> {
    let path = tools.cache.join(format!("{tool}.lock"));
    let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    if file.try_lock().is_err() {
        (tools.say)(&format!("{tool}: another process is installing it; waiting for that one"));
        file.lock().with_context(|| format!("locking {}", path.display()))?;
    }
    Ok(file)
}

/// Fills a new directory beside the tool's place in the cache and renames it when it is complete, so
/// that nobody ever sees half a tool.
fn in_cache(tools: &Tools, tool: Tool, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let home = tools.cached_home(tool);
    let staging = tempfile::Builder::new()
        .prefix(&format!(".{tool}-"))
        .tempdir_in(&tools.cache)
        .context("creating a directory to install to")?;
    fill(staging.path())?;
    let executable = staging.path().join("bin").join(tool.name());
    if !executable.is_file() {
        bail!("the installation ended well but left no {}", executable.display());
    }
    if home.exists() {
        // Without the executable, or the search would have found it: somebody tampered with it.
        fs::remove_dir_all(&home).with_context(|| format!("removing {}", home.display()))?;
    }
    let staging = staging.keep();
    fs::rename(&staging, &home)
        .with_context(|| format!("renaming {} to {}", staging.display(), home.display()))?;
    (tools.say)(&format!("{tool}: installed in {}", home.display()));
    Ok(())
}

fn write_module(directory: &Path, module: ModuleFiles) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
    for (name, text) in module {
        fs::write(directory.join(name), text).with_context(|| format!("writing {name}"))?;
    }
    Ok(())
}

fn build_go(
    tools: &Tools,
    tool: Tool,
    staging: &Path,
    module: ModuleFiles,
    package: &str,
    version_variable: Option<&str>,
) -> Result<()> {
    require("go", "Go 1.26 or newer builds it from source")?;
    let entry = tools.catalog.entry(tool);
    let source = staging.join("module");
    write_module(&source, module)?;
    let mut linker_flags = "-s -w".to_owned();
    if let (Some(variable), Some(pinned)) = (version_variable, &entry.pinned) {
        linker_flags.push_str(&format!(" -X {variable}={pinned}"));
    }
    (tools.say)(&format!(
        "{tool}: needed because {}; building {package} from Go modules, once; \
         this takes minutes",
        entry.why
    ));
    let mut command = Command::new("go");
    command
        .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags"])
        .arg(linker_flags)
        .arg("-o")
        .arg(staging.join("bin").join(tool.name()))
        .arg(package)
        .current_dir(&source)
        // A workspace of the developer's must not replace what go.mod pins.
        .env("GOWORK", "off");
    task::run(tools, tool, "building", &mut command)
}

fn require(command: &str, purpose: &str) -> Result<()> {
    if find::is_on_path(command) {
        return Ok(());
    }
    bail!("there is no {command} on PATH ({purpose})")
}
