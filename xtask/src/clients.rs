//! `cargo xtask clients`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use codegen::File;
use codegen::emit::clients::Settings;
use codegen::load::Contracts;
use codegen::model::Model;
use codegen::write::Changes;
use testbed::{Tool, Tools};

use crate::{lint, workspace};

/// Where clients are, as `buf.gen.yaml` has it too.
const OUTPUT: &str = "gen/clients";

/// What the Go client stands on.
const GO_MOD: &str = include_str!("../../tools/client-go/go.mod");
const GO_SUM: &str = include_str!("../../tools/client-go/go.sum");

/// The programs that `buf.gen.yaml` names.
const PLUGINS: [Tool; 4] =
    [Tool::ProtocGenEs, Tool::ProtocGenGo, Tool::ProtocGenGoGrpc, Tool::ProtocGenGrpcio];

/// Turns the contracts into the Go, Python and TypeScript clients under `gen/clients/`.
///
/// Runs buf with the plugins of `buf.gen.yaml`, which it installs into the user's cache
/// when they are missing: that takes Go, Python with pip, and npm.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask clients           # after a change of the contracts
  cargo xtask clients --check   # as in CI")]
pub struct Arguments {
    /// Write nothing; fail when `gen/clients/` is not what the contracts say.
    #[arg(long)]
    check: bool,
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        let tools = Tools::new()?;
        if self.check {
            check(&tools)?;
        } else {
            write(&tools)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes `gen/clients/`, and lists what changed.
pub fn write(tools: &Tools) -> Result<()> {
    let files = generate(tools)?;
    list(&codegen::write::write(&output(), &files)?);
    eprintln!("{} files", files.len());
    Ok(())
}

/// Fails, with a list, when `gen/clients/` is not what the contracts say.
pub fn check(tools: &Tools) -> Result<()> {
    let changes = codegen::write::check(&output(), &generate(tools)?)?;
    list(&changes);
    if !changes.is_empty() {
        bail!("{OUTPUT}/ is not what the contracts say: run `cargo xtask clients` and commit");
    }
    Ok(())
}

fn output() -> PathBuf {
    workspace::root().join(OUTPUT)
}

/// Everything that belongs under `gen/clients/`. Nothing is written before all of it is there.
fn generate(tools: &Tools) -> Result<Vec<File>> {
    let root = workspace::root();
    let contracts = codegen::load::load(&root.join("contracts"), &workspace::includes()?)?;
    let model = codegen::lower::lower(&contracts)?;
    let settings = settings()?;
    let directory = tempfile::tempdir().context("creating a directory for buf's output")?;
    buf_generate(tools, &model, &contracts, directory.path())?;
    error_details(tools, directory.path())?;
    let mut generated = Vec::new();
    read(&directory.path().join(OUTPUT), "", &mut generated)?;
    Ok(codegen::emit::clients::emit(&model, &settings, generated))
}

/// Names of Cargo.toml, in agreement with buf.gen.yaml.
fn settings() -> Result<Settings> {
    let metadata = workspace::metadata()?;
    let name = |language: &str| {
        let name = metadata["metadata"]["clients"][language].as_str();
        name.map(str::to_owned).with_context(|| {
            format!("Cargo.toml names no client for {language} in [workspace.metadata.clients]")
        })
    };
    let go = name("go")?;
    let path = workspace::root().join("buf.gen.yaml");
    let template =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if !template.lines().any(|line| line.trim() == format!("value: {go}")) {
        bail!(
            "the Go module is `{go}` in Cargo.toml, [workspace.metadata.clients], and another one \
             in buf.gen.yaml, go_package_prefix: name it the same in both"
        );
    }
    Ok(Settings {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        license: env!("CARGO_PKG_LICENSE").to_owned(),
        go,
        python: name("python")?,
        typescript: name("typescript")?,
        go_mod: GO_MOD.to_owned(),
        go_sum: GO_SUM.to_owned(),
    })
}

/// Runs the plugins on what clients need: services that are answered over a network, and the
/// types that they need. What options say is for servers, so clients need not know them.
fn buf_generate(
    tools: &Tools,
    model: &Model,
    contracts: &Contracts,
    directory: &Path,
) -> Result<()> {
    let services = model.packages.iter().flat_map(|package| &package.services);
    let types = services.flat_map(|service| ["--type".to_owned(), service.full_name.clone()]);
    let types: Vec<_> = types.collect();
    if types.is_empty() {
        bail!("the contracts have no service that a client could call");
    }
    let options = contracts.pool.all_extensions().filter(|extension| {
        let extended = extension.containing_message();
        extended.package_name() == "google.protobuf" && extended.name().ends_with("Options")
    });
    let options =
        options.flat_map(|option| ["--exclude-type".to_owned(), option.full_name().to_owned()]);
    lint::provide_includes()?;
    let mut buf = buf(tools, directory)?;
    run(buf.arg("contracts").args(types).args(options).current_dir(workspace::root()))
}

/// Makes the details of errors for TypeScript. Go and Python have libraries for them, of which
/// Python's brings the contract.
fn error_details(tools: &Tools, directory: &Path) -> Result<()> {
    const DETAILS: &str = "google/rpc/error_details.proto";
    let plugin = tools.ensure(Tool::ProtocGenGrpcio)?;
    let home = plugin.parent().and_then(Path::parent).unwrap_or(&plugin);
    let (from, to) = (home.join("site").join(DETAILS), directory.join("contracts").join(DETAILS));
    let copied = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(&from, &to));
    copied.with_context(|| format!("cannot copy {}", from.display()))?;
    let template = serde_json::json!({
        "version": "v2",
        "plugins": [{
            "local": "protoc-gen-es",
            "out": format!("{OUTPUT}/typescript/src"),
            "opt": ["target=js+dts", "import_extension=js", "json_types=true"],
        }],
    });
    let mut buf = buf(tools, directory)?;
    let arguments = ["contracts", "--template", &template.to_string()];
    run(buf.args(arguments).current_dir(directory))
}

/// `buf generate` with the pinned plugins, and output below a directory.
fn buf(tools: &Tools, directory: &Path) -> Result<Command> {
    let mut command = Command::new(tools.ensure(Tool::Buf)?);
    command.args(["generate", "--output"]).arg(directory).env("PATH", path_with_plugins(tools)?);
    Ok(command)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot run buf")?;
    if !status.success() {
        bail!("`buf generate` has failed");
    }
    Ok(())
}

/// PATH with the plugins in front.
fn path_with_plugins(tools: &Tools) -> Result<OsString> {
    let mut directories = Vec::new();
    for plugin in PLUGINS {
        let path = tools.ensure(plugin)?;
        directories.extend(path.parent().map(Path::to_path_buf));
    }
    directories.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    std::env::join_paths(directories).context("a directory of the tool cache has a colon in it")
}

/// Reads everything below a directory.
fn read(directory: &Path, prefix: &str, files: &mut Vec<File>) -> Result<()> {
    let entries = fs::read_dir(directory)
        .with_context(|| format!("buf has written no {}", directory.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(File::new(name, fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn list(changes: &Changes) {
    let kinds =
        [("added", &changes.added), ("changed", &changes.changed), ("stale", &changes.stale)];
    for (kind, paths) in kinds {
        for path in paths {
            eprintln!("{kind:>8}  {OUTPUT}/{path}");
        }
    }
}
