//! Building and running the programs below `e2e/clients`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use stack::Stack;
use testbed::{Tool, Tools};

/// A program that walks through the api.
#[derive(Clone, Copy, Debug)]
pub(super) enum Program {
    Go,
    Python,
    TypeScriptGrpc,
    TypeScriptHttp,
}

impl Program {
    pub(super) const ALL: [Self; 4] =
        [Self::Go, Self::Python, Self::TypeScriptGrpc, Self::TypeScriptHttp];

    /// With what the names of its athletes begin.
    pub(super) fn greeting(self) -> &'static str {
        match self {
            Self::Go => "Go",
            Self::Python => "Python",
            Self::TypeScriptGrpc => "TypeScript",
            Self::TypeScriptHttp => "JSON",
        }
    }
}

/// The programs, compiled. Sources stay untouched: everything is built below `target/clients`.
pub(super) struct Programs {
    python: PathBuf,
}

impl Programs {
    /// Builds all of them, side by side.
    pub(super) fn build() -> Result<Self> {
        let python = Tools::new()?.ensure(Tool::ProtocGenGrpcio)?.with_file_name("python");
        thread::scope(|scope| {
            let builds = [
                scope.spawn(build_go),
                scope.spawn(build_typescript),
                scope.spawn(|| build_python(&python)),
            ];
            builds.into_iter().try_for_each(|build| {
                build.join().map_err(|_| anyhow!("a thread that builds has panicked"))?
            })
        })?;
        Ok(Self { python })
    }

    /// Runs one against the system and gives what it has printed.
    pub(super) fn run(&self, program: Program, stack: &Stack) -> Result<String> {
        let mut command = match program {
            Program::Go => Command::new(built("go").join("program")),
            Program::Python => {
                let mut command = Command::new(&self.python);
                command.arg(source("python").join("main.py"));
                command.env("PYTHONPATH", built("python").join("site"));
                command
            }
            Program::TypeScriptGrpc => node("grpc.js"),
            Program::TypeScriptHttp => node("http.js"),
        };
        let addresses = stack.addresses();
        command
            .env("API_GRPC", addresses.grpc.to_string())
            .env("API_HTTP", format!("http://{}", addresses.http))
            .env("API_TOKEN", stack.operator_token());
        run(&mut command)
    }
}

fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(built("typescript").join("dist").join(script));
    command
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where a program's source is.
fn source(language: &str) -> PathBuf {
    workspace().join("e2e/clients").join(language)
}

/// Where it is built: as deep as its source, so that relative paths to `gen/` hold in both.
fn built(language: &str) -> PathBuf {
    workspace().join("target/clients").join(language)
}

fn build_go() -> Result<()> {
    let mut command = Command::new("go");
    command
        .args(["build", "-mod=readonly", "-o"])
        .arg(built("go").join("program"))
        .arg(".")
        .current_dir(source("go"))
        // A workspace of the developer's must not replace what go.mod pins.
        .env("GOWORK", "off");
    run(&mut command).map(drop)
}

/// Installs the client like a published package, checks the program's types, and compiles it.
fn build_typescript() -> Result<()> {
    let (from, to) = (source("typescript"), built("typescript"));
    copy(&from.join("src"), &to.join("src"))?;
    for name in ["package.json", "package-lock.json", ".npmrc", "tsconfig.json"] {
        fs::copy(from.join(name), to.join(name)).with_context(|| format!("copying {name}"))?;
    }
    let mut install = Command::new("npm");
    install.args(["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]);
    run(install.current_dir(&to))?;
    run(Command::new(to.join("node_modules/.bin/tsc")).current_dir(&to))?;
    // What the client of the JSON gateway does with routes that the api does not have.
    run(Command::new("node").args(["--test", "dist/gateway.test.js"]).current_dir(&to)).map(drop)
}

/// Builds and installs the distribution, and checks the program's types.
fn build_python(python: &Path) -> Result<()> {
    let to = built("python");
    let (package, site) = (to.join("package"), to.join("site"));
    for old in [&package, &site] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    // The build leaves files beside the sources, which gen/ must not have.
    copy(&workspace().join("gen/clients/python"), &package)?;
    let mut install = Command::new(python);
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--root-user-action", "ignore", "--no-index", "--no-deps", "--no-build-isolation"])
        .arg("--target")
        .args([&site, &package]);
    run(&mut install)?;
    let mut check = Command::new(python);
    check
        .args(["-m", "mypy", "--strict", "--cache-dir"])
        .arg(to.join("mypy"))
        .arg(source("python").join("main.py"))
        .env("PYTHONPATH", &site);
    run(&mut check).map(drop)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Runs a command to its end and gives what it has printed.
fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| {
        format!("cannot run {program}: these tests take Go 1.26, Python 3.10 and Node 20 or newer")
    })?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{program} failed ({}):\n{printed}{errors}", output.status);
    }
    Ok(printed)
}
