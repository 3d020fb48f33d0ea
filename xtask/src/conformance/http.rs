//! `cargo xtask conformance http`: the test tables of three other gateways.
//!
//! grpc-gateway is fetched as the Go module that it is; gapic-showcase and
//! grpc-httpjson-transcoding need the path of a checkout. None of it is copied into this
//! repository: a program reads the tables where they are.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// What reads the tables.
const PROGRAM: &str = "e2e/conformance/http";

/// Where it is built, and where the showcase's contracts and their crate are.
const DIRECTORY: &str = "target/conformance/http";

const GRPC_GATEWAY: &str = "github.com/grpc-ecosystem/grpc-gateway/v2";

/// The module that pins its version.
const PINNED_IN: &str = "tools/grpc-gateway-examples";

/// The contract of the showcase's suite, in its repository below `schema`.
const CONTRACT: &str = "google/showcase/v1beta1/compliance.proto";

/// Measures the JSON gateway against the test tables of three others.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask conformance http
  cargo xtask conformance http --transcoding ../grpc-httpjson-transcoding --showcase ../gapic-showcase")]
pub struct Arguments {
    /// A checkout of gapic-showcase; without it, its suite is left out.
    #[arg(long, value_name = "PATH")]
    showcase: Option<PathBuf>,
    /// A checkout of grpc-gateway, instead of the pinned Go module.
    #[arg(long, value_name = "PATH")]
    httprule: Option<PathBuf>,
    /// A checkout of grpc-httpjson-transcoding; without it, its tables are left out.
    #[arg(long, value_name = "PATH")]
    transcoding: Option<PathBuf>,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let gateway = match &self.httprule {
            Some(path) => absolute(path)?,
            None => super::go_module(PINNED_IN, GRPC_GATEWAY)?,
        };
        let mut tables = vec![("httprule", gateway.join("internal/httprule/parse_test.go"))];
        let mut left_out = Vec::new();
        match &self.transcoding {
            Some(path) => {
                let tests = absolute(path)?.join("test");
                tables.push(("template", tests.join("http_template_test.cc")));
                tables.push(("matcher", tests.join("path_matcher_test.cc")));
            }
            None => left_out.push("grpc-httpjson-transcoding (--transcoding)"),
        }
        match &self.showcase {
            Some(path) => {
                let path = absolute(path)?;
                generate(&path)?;
                tables.push(("showcase", path.join("server/services/compliance_suite.json")));
            }
            None => {
                stand_in()?;
                left_out.push("gapic-showcase (--showcase)");
            }
        }
        for suite in left_out {
            println!("left out, for want of a checkout: {suite}");
        }
        read(&tables, self.showcase.is_some())
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("no path: {}", path.display()))
}

/// Makes a crate of the showcase's contract, as anybody would of theirs.
fn generate(showcase: &Path) -> Result<()> {
    let directory = workspace::root().join(DIRECTORY);
    let path = showcase.join("schema").join(CONTRACT);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read the contract {}", path.display()))?;
    // Where Google's client libraries look for the server is of no interest here, and the
    // contract that declares the option is not carried along.
    let is_of_clients = |line: &&str| {
        line.contains("google/api/client.proto") || line.contains("google.api.default_host")
    };
    let text: String =
        text.lines().filter(|line| !is_of_clients(line)).flat_map(|line| [line, "\n"]).collect();
    let copy = directory.join("contracts").join(CONTRACT);
    fs::create_dir_all(copy.parent().unwrap_or(&directory))
        .and_then(|()| fs::write(&copy, text))
        .with_context(|| format!("cannot write {}", copy.display()))?;
    let status = Command::new(std::env::current_exe().context("this program's own path")?)
        .args(["codegen", "--package", "conformance-showcase", "--allow-undeclared-access"])
        .arg("--contracts")
        .arg(directory.join("contracts"))
        .arg("--out")
        .arg(directory.join("showcase"))
        .stdout(Stdio::null())
        .status()
        .context("cannot run the generator")?;
    if !status.success() {
        bail!("the showcase's contract was not taken");
    }
    Ok(())
}

/// A crate without anything, for the program's manifest to be complete without the
/// showcase. It bears the generator's mark, so that the real one may take its place.
fn stand_in() -> Result<()> {
    let directory = workspace::root().join(DIRECTORY).join("showcase");
    if directory.join("Cargo.toml").exists() {
        return Ok(());
    }
    let manifest = "# @generated by `cargo xtask codegen`. Do not edit.\n\n[package]\n\
                    name = \"conformance-showcase\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::create_dir_all(directory.join("src"))
        .and_then(|()| fs::write(directory.join("Cargo.toml"), manifest))
        .and_then(|()| fs::write(directory.join("src/lib.rs"), ""))
        .context("cannot write the crate that stands in for the showcase's")
}

/// Builds the program and lets it read the tables.
fn read(tables: &[(&str, PathBuf)], with_showcase: bool) -> Result<ExitCode> {
    let root = workspace::root();
    let program = root.join(PROGRAM);
    let lock = program.join("Cargo.lock");
    if !lock.exists() {
        // Cargo takes out of it what the program does not need.
        fs::copy(root.join("Cargo.lock"), &lock).context("cannot copy Cargo.lock")?;
    }
    let arguments = tables.iter().flat_map(|(name, path)| [OsString::from(name), path.into()]);
    let status = stack::cargo()
        .args(["run", "--quiet"])
        .args(with_showcase.then_some("--features=showcase"))
        .arg("--target-dir")
        .arg(root.join(DIRECTORY).join("build"))
        .arg("--")
        .args(arguments)
        .current_dir(program)
        .status()
        .context("cannot run cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
