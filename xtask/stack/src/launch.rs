//! How each process of ours is started: its arguments and its environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use testbed::{Launch, Leashed, free_port};

use crate::{Binaries, Options, vault};

/// How long a process may take to write down its address.
const START: Duration = Duration::from_secs(60);

/// How long an api that is asked to stop still takes calls.
const NOTICE_MILLISECONDS: &str = "500";

/// What all processes need to know of each other.
pub(crate) struct Plan<'a> {
    pub(crate) binaries: &'a Binaries,
    pub(crate) directory: &'a Path,
    pub(crate) options: &'a Options,
    pub(crate) secrets: &'a Secrets,
}

/// Where an api listens on loopback.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApiPorts {
    pub(crate) http: u16,
    pub(crate) grpc: u16,
}

impl ApiPorts {
    fn free() -> Result<Self> {
        Ok(Self { http: free_port()?, grpc: free_port()? })
    }

    /// Those of so many apis; at least one is taken.
    pub(crate) fn of(apis: u32) -> Result<Vec<Self>> {
        (0..apis.max(1)).map(|_| Self::free()).collect()
    }
}

/// Where each process finds the others.
#[derive(Clone)]
pub(crate) struct Peers {
    /// URL of the database, password included.
    pub(crate) postgres: String,
    pub(crate) nats: String,
    pub(crate) temporal: String,
    pub(crate) strava: SocketAddr,
    /// How the api reaches its secrets.
    pub(crate) secrets: vault::Settings,
    /// The ports of all apis.
    pub(crate) apis: Vec<ApiPorts>,
}

impl Peers {
    /// The gRPC addresses of all apis, as clients take them.
    fn addresses(&self) -> String {
        let addresses = self.apis.iter().map(|ports| format!("127.0.0.1:{}", ports.grpc));
        addresses.collect::<Vec<_>>().join(",")
    }

    /// The api that Strava calls: a subscription has one callback, whichever api makes it.
    fn called_by_strava(&self) -> String {
        let http = self.apis.first().map_or(0, |ports| ports.http);
        format!("http://127.0.0.1:{http}")
    }
}

/// Secrets made for one run.
#[derive(Clone)]
pub(crate) struct Secrets {
    pub(crate) strava_client: String,
    pub(crate) consumer: String,
    pub(crate) worker: String,
    pub(crate) operator: String,
    pub(crate) webhook_path: String,
    pub(crate) webhook_token: String,
    pub(crate) nats: BrokerPasswords,
}

/// Passwords at the broker.
#[derive(Clone)]
pub(crate) struct BrokerPasswords {
    pub(crate) operations: String,
    pub(crate) api: String,
    pub(crate) consumer: String,
    pub(crate) worker: String,
}

impl Secrets {
    pub(crate) fn random() -> Self {
        // nats-server reads what begins with a digit as a number.
        let secret = || format!("s{}", uuid::Uuid::new_v4().simple());
        Self {
            strava_client: secret(),
            consumer: secret(),
            worker: secret(),
            operator: secret(),
            webhook_path: secret(),
            webhook_token: secret(),
            nats: BrokerPasswords {
                operations: secret(),
                api: secret(),
                consumer: secret(),
                worker: secret(),
            },
        }
    }
}

impl BrokerPasswords {
    /// The environment in which nats-server finds them.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let passwords = [
            ("OPERATIONS", &self.operations),
            ("API", &self.api),
            ("CONSUMER", &self.consumer),
            ("WORKER", &self.worker),
        ];
        let variable =
            |(user, password): (&str, &String)| (format!("NATS_PASSWORD_{user}"), password.clone());
        passwords.map(variable).to_vec()
    }
}

pub(crate) const STRAVA_CLIENT_ID: &str = "12345";

impl Plan<'_> {
    /// A process with the settings that were asked for it.
    fn launch(&self, name: &str, binary: &str) -> Launch {
        let prefix = format!("{}__", binary.to_uppercase());
        let own = self.options.settings.iter().filter(|(key, _)| key.starts_with(&prefix));
        Launch::new(name, self.binaries.path(binary)).envs(own.map(|(key, value)| (key, value)))
    }

    /// A service, whose metrics are wherever there is a free port.
    fn service(&self, name: &str, binary: &str) -> Launch {
        let prefix = format!("{}__METRICS", binary.to_uppercase());
        self.launch(name, binary)
            .env(format!("{prefix}__LISTEN"), "127.0.0.1:0")
            .env(format!("{prefix}__ADDRESS_FILE"), metrics_file(self.directory, name))
    }

    fn log(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.log"))
    }

    fn address_file(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.address"))
    }

    pub(crate) fn simulator(&self) -> Result<(Leashed, SocketAddr)> {
        let file = self.address_file("strava-sim");
        let launch = self
            .launch("strava-sim", "strava-sim")
            .args(["--listen", "127.0.0.1:0"])
            .args(&self.options.quota)
            .arg("--write-address")
            .arg(&file)
            .args(["--client-id", STRAVA_CLIENT_ID])
            .args(["--seed", &self.options.seed.to_string()])
            .args(["--athletes", &self.options.athletes.to_string()])
            .args(["--activities-per-athlete", &self.options.activities_per_athlete.to_string()])
            .env("STRAVA_SIM_CLIENT_SECRET", &self.secrets.strava_client);
        start(&launch, &self.log("strava-sim"), &file)
    }

    /// Makes the streams and consumers, as a deployment does before the services start.
    pub(crate) fn topology(&self, nats_url: &str) -> Result<()> {
        let output = self.topology_command("apply", nats_url).output();
        let output = output.context("cannot run treaty-topology")?;
        anyhow::ensure!(
            output.status.success(),
            "treaty-topology apply failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    pub(crate) fn topology_command(&self, verb: &str, nats_url: &str) -> Command {
        let mut command = Command::new(self.binaries.path("treaty-topology"));
        command
            .arg(verb)
            .arg("--definitions")
            .arg(self.binaries.nats_definitions())
            .args(["--url", nats_url, "--user", "operations"])
            .env("NATS_PASSWORD", &self.secrets.nats.operations);
        command
    }

    /// Starts an api. Its ports are given: Strava must be told the one before, and its callers
    /// find it on the other after a restart.
    pub(crate) fn api(&self, number: usize, ports: ApiPorts, peers: &Peers) -> Result<Leashed> {
        let name = format!("api-{number}");
        let grpc = self.address_file(&name);
        let ApiPorts { http: http_port, grpc: grpc_port } = ports;
        let launch = self
            .service(&name, "api")
            .env("API__HTTP__LISTEN", format!("127.0.0.1:{http_port}"))
            .env("API__HTTP__DOCUMENTS", self.binaries.generated())
            .env("API__GRPC__LISTEN", format!("127.0.0.1:{grpc_port}"))
            .env("API__GRPC__ADDRESS_FILE", &grpc)
            .env("API__DATABASE__URL", &peers.postgres)
            .env("API__MIGRATE_ON_START", "true")
            // On one machine it is soon known who is ready.
            .env("API__HTTP__SERVER__NOTICE_MILLISECONDS", NOTICE_MILLISECONDS)
            .env("API__GRPC__SERVER__NOTICE_MILLISECONDS", NOTICE_MILLISECONDS)
            .env("API__NATS__URL", &peers.nats)
            .env("API__NATS__USER", "api")
            .env("API__NATS__PASSWORD", &self.secrets.nats.api)
            .env("API__OPERATIONS__NATS__USER", "operations")
            .env("API__OPERATIONS__NATS__PASSWORD", &self.secrets.nats.operations)
            .env("API__STRAVA__OAUTH_BASE_URL", format!("http://{}", peers.strava))
            .envs(peers.secrets.iter().map(|(name, value)| (name, value)))
            .env(
                "API__STRAVA__REDIRECT_URL",
                format!("http://127.0.0.1:{http_port}/v1/strava/callback"),
            )
            .env("API__WEBHOOKS__PATH_SECRET", &self.secrets.webhook_path)
            .env("API__WEBHOOKS__VERIFY_TOKEN", &self.secrets.webhook_token)
            .env("API__WEBHOOKS__PUBLIC_URL", peers.called_by_strava())
            .env("API__WEBHOOKS__API_BASE_URL", format!("http://{}", peers.strava))
            .env("API__CALLERS__CONSUMER", &self.secrets.consumer)
            .env("API__CALLERS__WORKER", &self.secrets.worker)
            .env("API__OPERATOR_TOKEN", &self.secrets.operator);
        start(&launch, &self.log(&name), &grpc).map(|(process, _)| process)
    }

    /// Starts a consumer, and tells where it answers for its health.
    pub(crate) fn consumer(&self, number: usize, peers: &Peers) -> Result<(Leashed, SocketAddr)> {
        let name = format!("consumer-{number}");
        let health = self.address_file(&name);
        let launch = self
            .service(&name, "consumer")
            .env("CONSUMER__NATS__URL", &peers.nats)
            .env("CONSUMER__NATS__USER", "consumer")
            .env("CONSUMER__NATS__PASSWORD", &self.secrets.nats.consumer)
            .env("CONSUMER__PEERS__API__ADDRESS", peers.addresses())
            .env("CONSUMER__PEERS__API__TOKEN", &self.secrets.consumer)
            .env("CONSUMER__STRAVA__API_BASE_URL", format!("http://{}", peers.strava))
            .env("CONSUMER__HEALTH__LISTEN", "127.0.0.1:0")
            .env("CONSUMER__HEALTH__ADDRESS_FILE", &health);
        start(&launch, &self.log(&name), &health)
    }

    /// Starts the worker, and tells where it answers for its health.
    pub(crate) fn worker(&self, peers: &Peers) -> Result<(Leashed, SocketAddr)> {
        let health = self.address_file("worker");
        let launch = self
            .service("worker", "worker")
            .env("WORKER__NATS__URL", &peers.nats)
            .env("WORKER__NATS__USER", "worker")
            .env("WORKER__NATS__PASSWORD", &self.secrets.nats.worker)
            .env("WORKER__TEMPORAL__ADDRESS", &peers.temporal)
            .env("WORKER__PEERS__API__ADDRESS", peers.addresses())
            .env("WORKER__PEERS__API__TOKEN", &self.secrets.worker)
            .env(
                "WORKER__SCHEDULE__EVERY_SECONDS",
                self.options.dispatch_every.as_secs().to_string(),
            )
            .env("WORKER__HEALTH__LISTEN", "127.0.0.1:0")
            .env("WORKER__HEALTH__ADDRESS_FILE", &health);
        start(&launch, &self.log("worker"), &health)
    }
}

/// Where a service writes down where its metrics are.
pub(crate) fn metrics_file(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.metrics"))
}

/// Starts a process and waits until it has written down where it listens.
fn start(launch: &Launch, log: &Path, address_file: &Path) -> Result<(Leashed, SocketAddr)> {
    // A file of an earlier process of the same name would be taken for this one's.
    if address_file.exists() {
        std::fs::remove_file(address_file)?;
    }
    let mut process = launch.start(log)?;
    let file = address_file.to_path_buf();
    process.wait_ready(START, || Ok(file.exists()))?;
    let address = std::fs::read_to_string(address_file)
        .with_context(|| format!("reading {}", address_file.display()))?;
    let address = address.trim().parse().with_context(|| format!("address {address:?}"))?;
    Ok((process, address))
}
