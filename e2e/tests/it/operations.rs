//! `docs/operations.md` says what to type, and typing it works.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use stack::Options;
use stack::journey::{User, wait};
use testbed::{Tool, Tools};

const DOCUMENT: &str = include_str!("../../../docs/operations.md");

const PATIENCE: Duration = Duration::from_secs(60);

/// Programs that the commands are run of.
const RUN: [&str; 3] = ["curl", "psql", "temporal"];

/// Programs that are run where they are: nothing installs them.
const RUN_IF_THERE: [&str; 2] = ["grpcurl", "nats"];

/// What needs a cluster, or is `cargo xtask`, whose verbs have tests of their own and look for the
/// system of the repository.
const LEFT_OUT: [&str; 4] = ["kubectl", "helm", "alias", "cargo"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_operations_says_to_type_works() -> Result<()> {
    let options = Options {
        athletes: 1,
        activities_per_athlete: 3,
        consumers: 1,
        dispatch_every: Duration::from_secs(2),
        ..Options::default()
    };
    let (mut stack, directory) = crate::start(&options)?;
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(PATIENCE).await?;
    user.join_all(options.athletes).await?;
    wait("all activities to be in Postgres", PATIENCE, async || {
        Ok(user.activities().await? >= options.activities())
    })
    .await?;

    let told = directory.path().join(".treaty");
    std::fs::create_dir(&told)?;
    std::fs::write(told.join("up.json"), stack.state().to_string())?;
    let tools = programs(&directory.path().join("tools"))?;
    let blocks = blocks(DOCUMENT);
    let (preparation, rest) = blocks.split_first().context("the document has no commands")?;
    let mut run = 0;
    for command in rest.iter().flat_map(|block| commands(block)) {
        if is_run(&command)? {
            let shell = Shell { preparation, tools: &tools, directory: directory.path() };
            // What was dispatched a moment ago is not in Temporal's list yet.
            wait(&format!("{command} to say something"), PATIENCE, async || {
                Ok(!shell.run(&command)?.is_empty() || is_silent(&command))
            })
            .await?;
            run += 1;
        }
    }
    ensure!(run >= 14, "only {run} commands were found in docs/operations.md");
    stack.stop();
    directory.succeeded()
}

/// A terminal in which the document's first block was typed.
struct Shell<'a> {
    preparation: &'a str,
    tools: &'a Path,
    directory: &'a Path,
}

impl Shell<'_> {
    /// Types a command, and gives what it says.
    fn run(&self, command: &str) -> Result<String> {
        // What the document's reader sees with their eyes: an answer that is a failure.
        let strict = "curl() { command curl --fail \"$@\"; }";
        let script = format!("set -euo pipefail\n{}\n{strict}\n{command}", self.preparation);
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("bash")
            .args(["-c", &script])
            .env("PATH", format!("{}:{path}", self.tools.display()))
            .current_dir(self.directory)
            .output()
            .context("running bash")?;
        let (said, failed) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(
            output.status.success(),
            "`{command}` of docs/operations.md: {}\n{said}{failed}",
            output.status
        );
        Ok(said.trim().to_owned())
    }
}

/// A directory with those programs that the workshop has.
fn programs(directory: &Path) -> Result<PathBuf> {
    std::fs::create_dir(directory)?;
    let tools = Tools::new()?;
    let found = [
        ("psql", tools.ensure(Tool::Postgres)?.join("psql")),
        ("temporal", tools.ensure(Tool::Temporal)?),
    ];
    for (name, program) in found {
        // No link: a program may look for its companions by the name that it is called by.
        let path = directory.join(name);
        std::fs::write(&path, format!("#!/bin/sh\nexec '{}' \"$@\"\n", program.display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(directory.to_owned())
}

/// The blocks that are marked as commands.
fn blocks(document: &str) -> Vec<String> {
    document
        .split("```bash\n")
        .skip(1)
        .filter_map(|after| after.split_once("```").map(|(block, _)| block.to_owned()))
        .collect()
}

/// The commands of a block; a line that ends in a backslash goes on in the next.
fn commands(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    joined.lines().map(str::to_owned).filter(|line| !line.trim().is_empty()).collect()
}

/// Whether a command does something, and has nothing to say.
fn is_silent(command: &str) -> bool {
    ["schedule trigger", "schedule toggle"].iter().any(|verb| command.contains(verb))
}

/// Whether a command can be run here.
///
/// # Errors
/// When its program is none of those that this test knows.
fn is_run(command: &str) -> Result<bool> {
    let program = command.split_whitespace().next().unwrap_or_default();
    // What a cluster's variables are set to is asked of the cluster.
    if LEFT_OUT.contains(&program) || program == "export" {
        return Ok(false);
    }
    let there = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
    };
    ensure!(
        RUN.contains(&program) || RUN_IF_THERE.contains(&program),
        "`{command}` of docs/operations.md: say in this test whether {program} is to be run"
    );
    Ok(RUN.contains(&program) || there())
}
