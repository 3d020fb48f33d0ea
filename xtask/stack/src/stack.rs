//! The running system.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use testbed::{
    Leashed, NatsOptions, NatsServer, Postgres, Signal, TemporalServer, Tools, free_port,
    wait_until,
};

use crate::launch::{Plan, Secrets};
use crate::{Binaries, Options};

/// Id of the schedule that dispatches the syncs; the worker's default.
pub const SCHEDULE: &str = "stravasync-dispatch";

/// Name of the database.
const DATABASE: &str = "stravasync";

/// How long a stopping process of ours may take.
const STOP: Duration = Duration::from_secs(30);

/// Where everything listens.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The api's HTTP side.
    pub http: SocketAddr,
    /// The api's gRPC side.
    pub grpc: SocketAddr,
    /// The Strava simulator.
    pub strava: SocketAddr,
    /// Postgres, with user, password and database.
    pub postgres: String,
    /// NATS.
    pub nats: String,
    /// NATS's monitoring.
    pub nats_monitoring: String,
    /// Temporal's frontend.
    pub temporal: String,
}

/// The whole system. Dropping it stops every process, services first.
pub struct Stack {
    worker: Leashed,
    consumers: Vec<Leashed>,
    api: Leashed,
    simulator: Leashed,
    temporal: TemporalServer,
    nats: NatsServer,
    postgres: Postgres,
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
        say("starting Postgres, nats-server and the Temporal server");
        let secrets = Secrets::random();
        let (postgres, nats, temporal) = servers(tools, directory, &broker(binaries, &secrets)?)?;
        postgres.create_database(DATABASE)?;
        let plan = Plan { binaries, directory, options, secrets: &secrets };
        say("starting the Strava simulator");
        let (simulator, strava) = plan.simulator()?;
        let (database_url, nats_url) = (postgres.url(DATABASE), nats.url());
        plan.topology(&nats_url)?;
        say("starting api");
        let http_port = free_port()?;
        let (api, grpc) = plan.api(http_port, &database_url, &nats_url, strava)?;
        say(&format!("starting consumer, {} times, and worker", options.consumers));
        let consumers = (1..=options.consumers as usize)
            .map(|number| plan.consumer(number, &nats_url, grpc, strava))
            .collect::<Result<Vec<_>>>()?;
        let worker = plan.worker(&nats_url, &temporal.address(), grpc)?;
        let addresses = Addresses {
            http: SocketAddr::from(([127, 0, 0, 1], http_port)),
            grpc,
            strava,
            postgres: database_url,
            nats: nats_url,
            nats_monitoring: nats.monitoring_url(),
            temporal: temporal.address(),
        };
        Ok(Self {
            worker,
            consumers,
            api,
            simulator,
            temporal,
            nats,
            postgres,
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

    fn plan(&self) -> Plan<'_> {
        Plan {
            binaries: &self.binaries,
            directory: &self.directory,
            options: &self.options,
            secrets: &self.secrets,
        }
    }

    /// Kills a consumer with SIGKILL, as a failing machine would; numbered from 0.
    ///
    /// # Errors
    /// When there is no such consumer, or it does not die.
    pub fn kill_consumer(&mut self, index: usize) -> Result<u32> {
        let consumer = self.consumers.get_mut(index).context("no such consumer")?;
        let pid = consumer.pid();
        consumer.signal(Signal::Kill)?;
        wait_until("the consumer to be dead", STOP, || Ok(!consumer.is_running()))?;
        Ok(pid)
    }

    /// Starts one more consumer.
    ///
    /// # Errors
    /// When it does not start.
    pub fn add_consumer(&mut self) -> Result<()> {
        let number = self.consumers.len() + 1;
        let Addresses { nats, grpc, strava, .. } = &self.addresses;
        let consumer = self.plan().consumer(number, nats, *grpc, *strava)?;
        self.consumers.push(consumer);
        Ok(())
    }

    /// Fails when a process that should run has ended; killed consumers are not
    /// expected to.
    ///
    /// # Errors
    /// The process and the end of its log.
    pub fn check_alive(&mut self) -> Result<()> {
        for process in [&mut self.api, &mut self.worker, &mut self.simulator] {
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

    /// The last lines of each service's log that tell of trouble, for a failure's message.
    #[must_use]
    pub fn troubles(&self) -> String {
        let processes =
            [&self.api, &self.worker, &self.simulator].into_iter().chain(&self.consumers);
        processes
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
        let mut processes: Vec<_> = [&self.api, &self.worker, &self.simulator]
            .into_iter()
            .chain(&self.consumers)
            .map(|process| (process.name().to_owned(), process.pid()))
            .collect();
        for process in [self.postgres.process(), self.nats.process(), self.temporal.process()] {
            processes.push((process.name().to_owned(), process.pid()));
        }
        processes
    }

    /// Stops everything, services before what they stand on.
    pub fn stop(self) {
        self.worker.stop();
        // Consumers drain at the same time; one by one they would take N times as long.
        thread::scope(|scope| {
            for consumer in self.consumers {
                scope.spawn(move || consumer.stop());
            }
        });
        self.api.stop();
        self.simulator.stop();
        self.temporal.stop();
        self.nats.stop();
        self.postgres.stop();
    }
}

/// A broker at which each deployable may do what its contract grants, and no more.
fn broker(binaries: &Binaries, secrets: &Secrets) -> Result<NatsOptions> {
    let file = binaries.nats_definitions().join("authorization.conf");
    let configuration = std::fs::read_to_string(&file)
        .with_context(|| format!("reading {}: run `cargo xtask codegen`", file.display()))?;
    let environment = secrets.nats.environment();
    Ok(NatsOptions { configuration, environment, ..NatsOptions::default() })
}

/// Starts the three servers side by side; Temporal takes the longest.
fn servers(
    tools: &Tools,
    directory: &Path,
    broker: &NatsOptions,
) -> Result<(Postgres, NatsServer, TemporalServer)> {
    let joined = |what: &str| anyhow!("the thread that starts {what} panicked");
    thread::scope(|scope| {
        let postgres = scope.spawn(|| Postgres::start(tools, directory.join("postgres")));
        let nats = scope.spawn(|| NatsServer::start_with(tools, directory.join("nats"), broker));
        let temporal = TemporalServer::start(tools, directory.join("temporal"));
        let postgres = postgres.join().map_err(|_| joined("Postgres"))??;
        let nats = nats.join().map_err(|_| joined("nats-server"))??;
        Ok((postgres, nats, temporal?))
    })
}
