//! A Postgres of one's own.

use std::fmt;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{Launch, Leashed, Signal, User};
use crate::tools::{Tool, Tools};
use crate::unique::random_secret;
use crate::wait::{free_port, wait_until, with_new_ports};

/// The superuser of the cluster.
const SUPERUSER: &str = "treaty";

/// How long a cluster may take to start, recovery after a crash included.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How a cluster is to behave.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Whether a commit is on disk before it is acknowledged. Without, it survives a crash of the
    /// server but not of the machine, and is written several times faster.
    pub durable: bool,
    /// How many connections the server takes.
    pub max_connections: u16,
    /// Further settings, as `name=value`.
    pub settings: Vec<String>,
    /// The file of the log, instead of one beside the data.
    pub log: Option<PathBuf>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { durable: false, max_connections: 300, settings: Vec::new(), log: None }
    }
}

/// A running Postgres cluster that listens on loopback only.
pub struct Postgres {
    process: Leashed,
    binaries: PathBuf,
    directory: PathBuf,
    options: PostgresOptions,
    user: Option<User>,
    port: u16,
    password: String,
}

impl Postgres {
    /// Starts a cluster with data and log in `directory`, with the durability that suits tests.
    pub fn start(tools: &Tools, directory: impl AsRef<Path>) -> Result<Self> {
        Self::start_with(tools, directory, PostgresOptions::default())
    }

    /// Starts a cluster with data and log in `directory`; continues the one that is there, if any.
    pub fn start_with(
        tools: &Tools,
        directory: impl AsRef<Path>,
        options: PostgresOptions,
    ) -> Result<Self> {
        let binaries = tools.ensure(Tool::Postgres)?;
        let directory = directory.as_ref().to_owned();
        fs::create_dir_all(&directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        let user = unprivileged_user()?;
        let password = prepare(&binaries, &directory, user)?;
        with_new_ports(|| {
            let port = free_port()?;
            let process = launch(&binaries, &directory, &options, user, port)?;
            let mut postgres = Self {
                process,
                binaries: binaries.clone(),
                directory: directory.clone(),
                options: options.clone(),
                user,
                port,
                password: password.clone(),
            };
            postgres.wait_ready()?;
            Ok(postgres)
        })
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's name.
    pub fn user(&self) -> &str {
        SUPERUSER
    }

    /// The superuser's password. It is random for each cluster and opens nothing but this one.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The URL of a database, password included.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Creates an empty database.
    pub fn create_database(&self, name: &str) -> Result<()> {
        self.psql("postgres", &format!("CREATE DATABASE {}", identifier(name)?)).map(drop)
    }

    /// Creates a database as a copy of another, to which nobody may be connected: with the
    /// migrations applied once to a template, a database for each test costs milliseconds.
    pub fn create_database_from(&self, template: &str, name: &str) -> Result<()> {
        let sql = format!(
            "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy",
            identifier(name)?,
            identifier(template)?
        );
        self.psql("postgres", &sql).map(drop)
    }

    /// Removes a database, and the connections to it.
    pub fn drop_database(&self, name: &str) -> Result<()> {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", identifier(name)?);
        self.psql("postgres", &sql).map(drop)
    }

    /// Runs SQL with psql and gives its output without alignment or headers: a line for each row,
    /// fields parted by `|`.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String> {
        let output = Command::new(self.binaries.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"])
            .args(["--set", "ON_ERROR_STOP=1", "--no-password", "--host", "127.0.0.1"])
            .args(["--port", &self.port.to_string(), "--username", SUPERUSER])
            .args(["--dbname", database, "--command", sql])
            .env("PGPASSWORD", &self.password)
            .env("PGCONNECT_TIMEOUT", "5")
            .stdin(Stdio::null())
            .output()
            .context("running psql")?;
        if !output.status.success() {
            bail!("psql: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
    }

    /// Ends the server at once, as a crash would, and starts it again on the same port and data.
    pub fn crash_and_restart(&mut self) -> Result<()> {
        self.process.signal(Signal::Kill)?;
        self.start_again()
    }

    /// Stops the server at once and without a checkpoint, and leaves it down: what Postgres calls
    /// an immediate shutdown. Its backends tell their clients, where a crash would not.
    pub fn stop_immediately(&mut self) -> Result<()> {
        self.process.signal(Signal::Quit)?;
        self.process.wait_ended(START_TIMEOUT).map(drop)
    }

    /// Starts a server that is down or ending, on the same port and data.
    pub fn start_again(&mut self) -> Result<()> {
        self.process.wait_ended(START_TIMEOUT)?;
        // Orphaned backends take a moment to notice, and a new server refuses to start until they
        // have let go of the shared memory.
        wait_until("postgres to start after a crash", START_TIMEOUT, || {
            self.process =
                launch(&self.binaries, &self.directory, &self.options, self.user, self.port)?;
            match self.wait_ready() {
                Ok(()) => Ok(true),
                Err(_) if self.process.tail(5).contains("shared memory block") => Ok(false),
                Err(error) => Err(error),
            }
        })
    }

    /// The server process.
    pub fn process(&mut self) -> &mut Leashed {
        &mut self.process
    }

    /// Stops the server: open sessions are ended.
    pub fn stop(self) {
        self.process.stop();
    }

    fn wait_ready(&mut self) -> Result<()> {
        let ready = self.binaries.join("pg_isready");
        let port = self.port.to_string();
        self.process.wait_ready(START_TIMEOUT, || {
            let status = Command::new(&ready)
                .args(["--quiet", "--host", "127.0.0.1", "--port", &port])
                .args(["--username", SUPERUSER, "--dbname", "postgres"])
                .status()
                .context("running pg_isready")?;
            Ok(status.success())
        })
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        formatter
            .debug_struct("Postgres")
            .field("port", &self.port)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// Postgres refuses to run as root; as root it runs as the user that its package made, else nobody.
fn unprivileged_user() -> Result<Option<User>> {
    if !User::is_root() {
        return Ok(None);
    }
    ["postgres", "nobody"].into_iter().find_map(User::find).map(Some).context(
        "Postgres refuses to run as root, and there is no user postgres or nobody to run it as",
    )
}

/// Creates the cluster unless it is there, and gives the superuser's password.
fn prepare(binaries: &Path, directory: &Path, user: Option<User>) -> Result<String> {
    let password_file = directory.join("password");
    if directory.join("data").join("PG_VERSION").is_file() {
        return fs::read_to_string(&password_file)
            .with_context(|| format!("reading {}", password_file.display()));
    }
    let password = random_secret()?;
    fs::write(&password_file, "").context("creating the password file")?;
    fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600))
        .context("closing the password file to others")?;
    fs::write(&password_file, &password).context("writing the password file")?;
    if let Some(user) = user {
        for path in [directory, &password_file] {
            chown(path, Some(user.uid), Some(user.gid))
                .with_context(|| format!("giving {} to the server's user", path.display()))?;
        }
    }
    let mut command = Command::new(binaries.join("initdb"));
    command
        .args(["--no-sync", "--encoding=UTF8", "--locale=C", "--username", SUPERUSER])
        // Passwords in the clear never leave this machine, and spare every connection the thousands
        // of hashes of SCRAM, which an unoptimised client takes a while for.
        .args(["--auth=password", "--pwfile"])
        .arg(&password_file)
        .arg("--pgdata")
        .arg(directory.join("data"))
        .current_dir(directory)
        .stdin(Stdio::null());
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    let output = command.output().with_context(|| {
        format!(
            "running initdb in {}; every directory above it must be open to the server's user",
            directory.display()
        )
    })?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(password)
}

fn launch(
    binaries: &Path,
    directory: &Path,
    options: &PostgresOptions,
    user: Option<User>,
    port: u16,
) -> Result<Leashed> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        format!("port={port}"),
        format!("max_connections={}", options.max_connections),
    ];
    if !options.durable {
        // Commits stay synchronous: then they survive a crash of the server, which tests cause, and
        // only a crash of the machine loses them.
        settings.extend(["fsync=off", "full_page_writes=off"].map(str::to_owned));
    }
    settings.extend(options.settings.iter().cloned());
    let mut launch = Launch::new("postgres", binaries.join("postgres"))
        .arg("-D")
        .arg(directory.join("data"))
        .current_dir(directory)
        // A fast shutdown: SIGTERM would wait until every client has left by itself.
        .stop_signal(Signal::Int);
    for setting in settings {
        launch = launch.args(["-c", &setting]);
    }
    if let Some(user) = user {
        launch = launch.run_as(user);
    }
    let beside = directory.join("postgres.log");
    launch.start(options.log.as_ref().unwrap_or(&beside))
}

/// Quotes a name; plain names only, so that nothing needs escaping and URLs can carry it.
fn identifier(name: &str) -> Result<String> {
    let plain = !name.is_empty()
        && name.len() <= 63
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain {
        bail!("{name:?} is no name for a database: letters, digits and underscores, at most 63");
    }
    Ok(format!("\"{name}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_taken() {
        assert_eq!(identifier("sync_1").unwrap(), "\"sync_1\"");
        for name in ["", "a b", "x\"; DROP DATABASE y", &"n".repeat(64)] {
            assert!(identifier(name).is_err(), "{name}");
        }
    }
}
