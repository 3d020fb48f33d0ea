//! A NATS server of one's own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::http;
use crate::process::{Launch, Leashed, Signal};
use crate::tools::{Tool, Tools};
use crate::wait::{free_port, with_new_ports};

/// How long a server may take to start, recovery of its streams included.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How a server is to behave.
#[derive(Debug, Clone, Default)]
pub struct NatsOptions {
    /// Whether a message is on disk before its publisher gets the acknowledgement. By default the
    /// server syncs every two minutes.
    pub durable: bool,
    /// Where streams are kept, such as a volume that a test fills; in the server's directory when
    /// absent.
    pub store: Option<PathBuf>,
    /// Bytes that streams may take in all. By default the server takes three quarters of what was
    /// free when it started.
    pub max_store_bytes: Option<u64>,
    /// Further text for the configuration file, such as accounts and permissions.
    pub configuration: String,
    /// Environment variables that this text refers to, such as passwords.
    pub environment: Vec<(String, String)>,
}

/// A running nats-server with JetStream that listens on loopback only.
#[derive(Debug)]
pub struct NatsServer {
    process: Leashed,
    executable: PathBuf,
    environment: Vec<(String, String)>,
    directory: PathBuf,
    port: u16,
    monitoring_port: u16,
}

impl NatsServer {
    /// Starts a server with its streams and log in `directory`.
    pub fn start(tools: &Tools, directory: impl AsRef<Path>) -> Result<Self> {
        Self::start_with(tools, directory, &NatsOptions::default())
    }

    /// Starts a server with its streams and log in `directory`; continues the streams that are there.
    pub fn start_with(
        tools: &Tools,
        directory: impl AsRef<Path>,
        options: &NatsOptions,
    ) -> Result<Self> {
        let executable = tools.ensure(Tool::NatsServer)?;
        let directory = directory.as_ref().to_owned();
        fs::create_dir_all(&directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        with_new_ports(|| {
            let port = free_port()?;
            let monitoring_port = free_port()?;
            let text = configuration(&directory, port, monitoring_port, options);
            fs::write(directory.join("nats.conf"), text).context("writing nats.conf")?;
            let process = launch(&executable, &options.environment, &directory)?;
            let mut server = Self {
                process,
                executable: executable.clone(),
                environment: options.environment.clone(),
                directory: directory.clone(),
                port,
                monitoring_port,
            };
            server.wait_ready()?;
            Ok(server)
        })
    }

    /// The URL that clients connect to.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The base URL of the monitoring endpoints, such as `/jsz`.
    pub fn monitoring_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.monitoring_port)
    }

    /// Gets a monitoring endpoint, such as `/jsz?consumers=true`, as JSON text.
    pub fn monitoring(&self, path: &str) -> Result<String> {
        let (status, body) = http::get(self.monitoring_address(), path)?;
        anyhow::ensure!(status == 200, "nats-server answered {path} with {status}: {body}");
        Ok(body)
    }

    /// Stops the server and starts it again with the same ports and streams.
    pub fn restart(&mut self) -> Result<()> {
        self.process.signal(Signal::Term)?;
        self.start_again()
    }

    /// Ends the server at once, as a crash would, and starts it again with the same ports and streams.
    pub fn crash_and_restart(&mut self) -> Result<()> {
        self.crash()?;
        self.start_again()
    }

    /// Ends the server at once, as a crash would, and leaves it down.
    pub fn crash(&mut self) -> Result<()> {
        self.process.signal(Signal::Kill)?;
        self.process.wait_ended(START_TIMEOUT).map(drop)
    }

    /// Starts a server that is down or ending, with the same ports and streams.
    pub fn start_again(&mut self) -> Result<()> {
        self.process.wait_ended(START_TIMEOUT)?;
        self.process = launch(&self.executable, &self.environment, &self.directory)?;
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

    fn monitoring_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.monitoring_port).into()
    }

    fn wait_ready(&mut self) -> Result<()> {
        let address = self.monitoring_address();
        // Healthy includes that JetStream has recovered all streams and consumers.
        self.process.wait_ready(START_TIMEOUT, || {
            http::get(address, "/healthz").map(|(status, _)| status == 200)
        })
    }
}

fn launch(
    executable: &Path,
    environment: &[(String, String)],
    directory: &Path,
) -> Result<Leashed> {
    Launch::new("nats-server", executable)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .arg("--config")
        .arg(directory.join("nats.conf"))
        .start(directory.join("nats-server.log"))
}

fn configuration(
    directory: &Path,
    port: u16,
    monitoring_port: u16,
    options: &NatsOptions,
) -> String {
    let store = options.store.as_deref().unwrap_or(directory).display();
    let limit = options.max_store_bytes.map(|bytes| format!(", max_file_store: {bytes}"));
    let limit = limit.unwrap_or_default();
    let sync = if options.durable { ", sync_interval: always" } else { "" };
    let further = &options.configuration;
    format!(
        "server_name: \"testbed-{port}\"\n\
         listen: \"127.0.0.1:{port}\"\n\
         http: \"127.0.0.1:{monitoring_port}\"\n\
         jetstream {{ store_dir: \"{store}\"{limit}{sync} }}\n\
         {further}\n"
    )
}
