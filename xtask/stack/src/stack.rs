//! The running system.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use testbed::{BaoServer, Leashed, NatsServer, Postgres, TemporalServer, Tools};

use crate::launch::{ApiPorts, Peers, Plan, Secrets, metrics_file};
use crate::start::{Servers, Service, broker, servers, services};
use crate::{Addresses, Binaries, Options, SecretStore, vault};

/// Id of the schedule that dispatches the syncs; the worker's default.
pub const SCHEDULE: &str = "stravasync-dispatch";

/// Name of the database.
const DATABASE: &str = "stravasync";

/// The whole system. Dropping it stops every process, services first.
pub struct Stack {
    pub(crate) worker: Service,
    pub(crate) consumers: Vec<Service>,
    pub(crate) apis: Vec<Service>,
    pub(crate) simulator: Leashed,
    pub(crate) temporal: TemporalServer,
    pub(crate) nats: NatsServer,
    pub(crate) postgres: Postgres,
    pub(crate) vault: Option<BaoServer>,
    pub(crate) ports: Vec<ApiPorts>,
    pub(crate) peers: Peers,
    addresses: Addresses,
    options: Options,
    secrets: Secrets,
    binaries: Binaries,
    directory: PathBuf,
}

impl Stack {
    /// Starts everything below `directory` and tells `say` about each step.
    ///
    /// # Errors
    /// When a tool cannot be had or a process does not start; the end of its log is
    /// part of the message.
    pub fn start(
        tools: &Tools,
        binaries: &Binaries,
        options: &Options,
        directory: &Path,
        say: impl Fn(&str),
    ) -> Result<Self> {
        say(match options.secrets {
            SecretStore::File => "starting Postgres, nats-server and the Temporal server",
            SecretStore::Vault => "starting Postgres, nats-server, the Temporal server and OpenBao",
        });
        let secrets = Secrets::random();
        let broker = broker(binaries, &secrets)?;
        let Servers { postgres, nats, temporal, vault } =
            servers(tools, directory, options, &broker)?;
        postgres.create_database(DATABASE)?;
        let plan = Plan { binaries, directory, options, secrets: &secrets };
        say("starting the Strava simulator");
        let (simulator, strava) = plan.simulator()?;
        plan.topology(&nats.url())?;
        let settings = match &vault {
            Some(vault) => vault::prepare(vault, binaries, &secrets)?,
            None => vault::prepare_files(directory, binaries, &secrets)?,
        };
        let ports = ApiPorts::of(options.apis)?;
        let peers = Peers {
            postgres: postgres.url(DATABASE),
            nats: nats.url(),
            temporal: temporal.address(),
            strava,
            secrets: settings,
            apis: ports.clone(),
        };
        let (apis, consumers, worker) = services(&plan, &ports, &peers, &say)?;
        let addresses = Addresses::of(&ports, &peers, nats.monitoring_url());
        Ok(Self {
            worker,
            consumers,
            apis,
            simulator,
            temporal,
            nats,
            postgres,
            vault,
            ports,
            peers,
            addresses,
            options: options.clone(),
            secrets,
            binaries: binaries.clone(),
            directory: directory.to_path_buf(),
        })
    }

    /// Where everything listens.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Where each service answers `/metrics`, by the process's name.
    ///
    /// # Errors
    /// When one does not say where, which it does before it works.
    pub fn metrics(&self) -> Result<Vec<(String, SocketAddr)>> {
        let services = self.apis.iter().chain(&self.consumers).chain([&self.worker]);
        services
            .map(|service| {
                let name = service.process.name();
                let file = metrics_file(&self.directory, name);
                let text = std::fs::read_to_string(&file);
                let text = text.with_context(|| format!("reading {}", file.display()))?;
                Ok((name.to_owned(), text.trim().parse()?))
            })
            .collect()
    }

    /// What was asked for.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The operator's token at the api.
    #[must_use]
    pub fn operator_token(&self) -> &str {
        &self.secrets.operator
    }

    /// The path of Strava's callback at the api, of which nobody but Strava should know.
    #[must_use]
    pub fn callback_path(&self) -> String {
        format!("/v1/strava/webhook/{}", self.secrets.webhook_path)
    }

    /// Where the logs are: one file for each process.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The server of Vault's API, if the system has one.
    #[must_use]
    pub fn vault(&mut self) -> Option<&mut BaoServer> {
        self.vault.as_mut()
    }

    /// Runs SQL in the api's database.
    ///
    /// # Errors
    /// When Postgres refuses it.
    pub fn sql(&self, sql: &str) -> Result<String> {
        self.postgres.psql(DATABASE, sql)
    }

    /// Runs the Temporal CLI against the server.
    ///
    /// # Errors
    /// When the command fails.
    pub fn temporal(&self, arguments: &[&str]) -> Result<String> {
        self.temporal.cli(arguments)
    }

    /// Reads nats-server's monitoring.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn nats_monitoring(&self, path: &str) -> Result<String> {
        self.nats.monitoring(path)
    }

    /// How the broker's streams and consumers differ from the contracts: whether they
    /// do, and in words.
    ///
    /// # Errors
    /// When the comparison cannot be made.
    pub fn drift(&self) -> Result<(bool, String)> {
        let plan = self.plan();
        let output = plan.topology_command("drift", &self.addresses.nats).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.code() {
            Some(0) => Ok((false, text)),
            Some(2) => Ok((true, text)),
            _ => Err(anyhow!("drift failed: {}", String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// Runs `treaty-jobs` as an operator.
    ///
    /// # Errors
    /// When it cannot be run; what it ends with is for the caller to judge.
    pub fn jobs(&self, arguments: &[&str]) -> Result<Output> {
        Command::new(self.binaries.path("treaty-jobs"))
            .args(arguments)
            .env("NATS_URL", &self.addresses.nats)
            .env("NATS_USER", "operations")
            .env("NATS_PASSWORD", self.nats_password())
            .output()
            .context("cannot run treaty-jobs")
    }

    /// The password of the user `operations` at NATS, who may do everything.
    #[must_use]
    pub fn nats_password(&self) -> &str {
        &self.secrets.nats.operations
    }

    pub(crate) fn plan(&self) -> Plan<'_> {
        Plan {
            binaries: &self.binaries,
            directory: &self.directory,
            options: &self.options,
            secrets: &self.secrets,
        }
    }

    /// Fails when a process of ours that should run has ended; consumers are not looked at.
    ///
    /// # Errors
    /// The process and the end of its log.
    pub fn check_alive(&mut self) -> Result<()> {
        let apis = self.apis.iter_mut().map(|api| &mut api.process);
        for process in apis.chain([&mut self.worker.process, &mut self.simulator]) {
            if !process.is_running() {
                return Err(anyhow!(
                    "{} has ended; the end of its log, {}:\n{}",
                    process.name(),
                    process.log_path().display(),
                    process.tail(20)
                ));
            }
        }
        Ok(())
    }

    /// The processes that this repository builds.
    fn ours(&self) -> impl Iterator<Item = &Leashed> {
        let services = self.apis.iter().chain([&self.worker]).chain(&self.consumers);
        services.map(|service| &service.process).chain([&self.simulator])
    }

    /// The last lines of each service's log that tell of trouble, for a failure's message.
    #[must_use]
    pub fn troubles(&self) -> String {
        self.ours()
            .filter_map(|process| {
                let tail = process.tail(2_000);
                let lines: Vec<_> = tail
                    .lines()
                    .filter(|line| {
                        ["ERROR", "WARN", "panicked"].iter().any(|word| line.contains(word))
                    })
                    .collect();
                let shown = &lines[lines.len().saturating_sub(5)..];
                (!shown.is_empty()).then(|| {
                    format!(
                        "{} ({}):\n  {}\n",
                        process.name(),
                        process.log_path().display(),
                        shown.join("\n  ")
                    )
                })
            })
            .collect()
    }

    /// Process ids with names, for `status`.
    #[must_use]
    pub fn processes(&mut self) -> Vec<(String, u32)> {
        let mut processes: Vec<_> =
            self.ours().map(|process| (process.name().to_owned(), process.pid())).collect();
        let servers = [self.postgres.process(), self.nats.process(), self.temporal.process()];
        for process in servers.into_iter().chain(self.vault.as_mut().map(BaoServer::process)) {
            processes.push((process.name().to_owned(), process.pid()));
        }
        processes
    }

    /// Stops everything, services before what they stand on.
    pub fn stop(self) {
        self.worker.process.stop();
        // Consumers drain at the same time; one by one they would take N times as long.
        stop_together(self.consumers);
        stop_together(self.apis);
        self.simulator.stop();
        self.temporal.stop();
        self.nats.stop();
        self.postgres.stop();
        if let Some(vault) = self.vault {
            vault.stop();
        }
    }
}

fn stop_together(services: Vec<Service>) {
    thread::scope(|scope| {
        for service in services {
            scope.spawn(move || service.process.stop());
        }
    });
}
