//! A Temporal development server of one's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{Launch, Leashed, Signal};
use crate::tools::{Tool, Tools};
use crate::wait::{free_port, with_new_ports};

/// How long the server may take to start; it creates its database first.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// A running Temporal development server, with its database in a file, that listens on loopback only.
/// It has the namespace `default`.
#[derive(Debug)]
pub struct TemporalServer {
    process: Leashed,
    executable: PathBuf,
    directory: PathBuf,
    port: u16,
}

impl TemporalServer {
    /// Starts a server with its database and log in `directory`; continues the one that is there.
    pub fn start(tools: &Tools, directory: impl AsRef<Path>) -> Result<Self> {
        let executable = tools.ensure(Tool::Temporal)?;
        let directory = directory.as_ref().to_owned();
        fs::create_dir_all(&directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        with_new_ports(|| {
            let port = free_port()?;
            let mut server = Self {
                process: launch(&executable, &directory, port)?,
                executable: executable.clone(),
                directory: directory.clone(),
                port,
            };
            server.wait_ready()?;
            Ok(server)
        })
    }

    /// Host and port of the frontend, as the `temporal` CLI's `--address` takes it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The address as a URL, as SDKs take it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Runs the Temporal CLI against this server and gives its standard output.
    pub fn cli(&self, arguments: &[&str]) -> Result<String> {
        cli(&self.executable, &self.directory, &self.address(), arguments)
    }

    /// Ends the server at once, as a crash would, and leaves it down.
    pub fn crash(&mut self) -> Result<()> {
        self.process.signal(Signal::Kill)?;
        self.process.wait_ended(START_TIMEOUT).map(drop)
    }

    /// Starts a server that is down or ending, with the same port and database.
    pub fn start_again(&mut self) -> Result<()> {
        self.process.wait_ended(START_TIMEOUT)?;
        self.process = launch(&self.executable, &self.directory, self.port)?;
        self.wait_ready()
    }

    /// The server process.
    pub fn process(&mut self) -> &mut Leashed {
        &mut self.process
    }

    /// Stops the server.
    pub fn stop(self) {
        self.process.stop();
    }

    fn wait_ready(&mut self) -> Result<()> {
        let (executable, directory) = (self.executable.clone(), self.directory.clone());
        let address = self.address();
        self.process.wait_ready(START_TIMEOUT, || {
            // The frontend serves before the namespace is registered, so ask for both.
            cli(&executable, &directory, &address, &["operator", "cluster", "health"])?;
            let namespace = ["operator", "namespace", "describe", "--namespace", "default"];
            cli(&executable, &directory, &address, &namespace)?;
            Ok(true)
        })
    }
}

fn launch(executable: &Path, directory: &Path, port: u16) -> Result<Leashed> {
    Launch::new("temporal", executable)
        .args(["server", "start-dev", "--headless", "--ip", "127.0.0.1"])
        .args(["--port", &port.to_string(), "--http-port", &free_port()?.to_string()])
        .args(["--metrics-port", &free_port()?.to_string()])
        .args(["--log-level", "warn", "--db-filename"])
        .arg(directory.join("temporal.db"))
        // The developer's own profile of the CLI must not change what runs here.
        .env("HOME", directory)
        .start(directory.join("temporal.log"))
}

fn cli(executable: &Path, home: &Path, address: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(executable)
        .args(arguments)
        .args(["--address", address, "--command-timeout", "10s"])
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .context("running the Temporal CLI")?;
    anyhow::ensure!(
        output.status.success(),
        "temporal {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
