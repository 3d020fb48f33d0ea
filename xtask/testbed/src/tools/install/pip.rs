//! Packages of pip.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Tool, Tools, require, task, write_module};
use crate::tools::catalog::ModuleFiles;

/// Installs what requirements.txt pins, and writes the commands.
///
/// This is no virtual environment: its scripts would name the directory that is renamed when it is
/// complete, and Debian keeps the module for it in a package of its own. The commands name the
/// interpreter that the packages were installed for; another one could not load them.
pub(super) fn install(
    tools: &Tools,
    tool: Tool,
    staging: &Path,
    module: ModuleFiles,
    commands: &[(&str, &str)],
) -> Result<()> {
    require("python3", "Python 3.10 or newer with pip installs it")?;
    let interpreter = interpreter()?;
    write_module(staging, module)?;
    (tools.say)(&format!(
        "{tool}: needed because {}; installing it with pip, once",
        tools.catalog.entry(tool).why
    ));
    let mut command = Command::new(&interpreter);
    command
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--require-hashes", "--only-binary", ":all:", "--target", "site"])
        .args(["--requirement", "requirements.txt"])
        .current_dir(staging);
    task::run(tools, tool, "installing", &mut command)?;
    let bin = staging.join("bin");
    fs::create_dir_all(&bin).with_context(|| format!("creating {}", bin.display()))?;
    for (name, arguments) in commands {
        let path = bin.join(name);
        fs::write(&path, script(&interpreter, arguments))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// The interpreter itself, behind whatever chooses one by the working directory.
fn interpreter() -> Result<String> {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .context("running python3")?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || path.is_empty() || path.contains('\'') {
        bail!("python3 does not tell where it is: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(path)
}

/// A command that runs Python with the packages that stand beside it, and with those that the
/// caller's PYTHONPATH names.
fn script(interpreter: &str, arguments: &str) -> String {
    format!(
        "#!/bin/sh\n\
         home=$(cd \"$(dirname \"$0\")/..\" && pwd)\n\
         export PYTHONPATH=\"$home/site${{PYTHONPATH:+:$PYTHONPATH}}\"\n\
         export PYTHONDONTWRITEBYTECODE=1\n\
         exec '{interpreter}' {arguments} \"$@\"\n"
    )
}
