//! What to run and how.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Leashed, Signal, log, mark};

/// The supervisor's script.
const LEASH: &str = include_str!("leash.sh");

/// What a server gets of our own environment. Everything else is told explicitly, so that a run does
/// not depend on what the developer's shell exports.
const INHERITED: [&str; 8] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "USER",
    "LD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "RUST_BACKTRACE",
    "LLVM_PROFILE_FILE",
];

/// A user to run a server as, for those that refuse to run as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user's number.
    pub uid: u32,
    /// The number of the user's group.
    pub gid: u32,
}

impl User {
    /// Looks a user up by name; none if the machine does not know it.
    pub fn find(name: &str) -> Option<Self> {
        Some(Self { uid: id(&["-u", name])?, gid: id(&["-g", name])? })
    }

    /// Whether this process runs as root.
    pub fn is_root() -> bool {
        id(&["-u"]) == Some(0)
    }
}

fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(args).stderr(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// A process to be started on a leash.
#[derive(Debug, Clone)]
pub struct Launch {
    name: String,
    program: PathBuf,
    args: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    stop_signal: Signal,
    grace: Duration,
    user: Option<User>,
}

impl Launch {
    /// Plans to run `program`; `name` is what errors call it.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            args: Vec::new(),
            environment: Vec::new(),
            directory: None,
            stop_signal: Signal::Term,
            grace: Duration::from_secs(10),
            user: None,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable. Of our own environment the process gets only what any program
    /// needs, such as PATH.
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets environment variables.
    pub fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        for (key, value) in pairs {
            self = self.env(key, value);
        }
        self
    }

    /// Sets the working directory, which is ours unless told.
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets the signal that asks the process to stop, which is SIGTERM unless told.
    pub fn stop_signal(mut self, signal: Signal) -> Self {
        self.stop_signal = signal;
        self
    }

    /// Sets how long the process gets between its stop signal and SIGKILL, ten seconds unless told.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Runs the process as another user, which takes root.
    pub fn run_as(mut self, user: User) -> Self {
        self.user = Some(user);
        self
    }

    /// Starts the process with its output appended to the file `log`.
    pub fn start(&self, log: impl AsRef<Path>) -> Result<Leashed> {
        let log = log.as_ref().to_owned();
        self.try_start(&log)
            .with_context(|| format!("starting {} ({})", self.name, self.program.display()))
    }

    fn try_start(&self, log: &Path) -> Result<Leashed> {
        if let Some(directory) = log.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("creating {}", directory.display()))?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("opening the log {}", log.display()))?;
        mark(&mut file, &format!("--- {} starts", self.name));
        let mut supervisor =
            self.command(Stdio::from(file)).spawn().context("starting its supervising shell")?;
        let pid = read_pid(&mut supervisor).with_context(|| {
            format!("its supervising shell gave no process id; its log:\n{}", log::tail(log, 10))
        })?;
        Ok(Leashed {
            name: self.name.clone(),
            supervisor,
            pid,
            log: log.to_owned(),
            grace: self.grace,
        })
    }

    fn command(&self, log: Stdio) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", LEASH, "sh", self.stop_signal.name()])
            .arg((self.grace.as_millis() / 100).to_string())
            .arg(&self.program)
            .args(&self.args)
            .env_clear()
            .envs(INHERITED.iter().filter_map(|key| Some((key, std::env::var_os(key)?))))
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }
}

/// The supervisor's first words are the process id of the command.
fn read_pid(supervisor: &mut Child) -> Result<u32> {
    let Some(stdout) = supervisor.stdout.take() else {
        bail!("the shell has no standard output");
    };
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).context("reading from the shell")?;
    line.trim().parse().with_context(|| format!("{line:?} is no process id"))
}
