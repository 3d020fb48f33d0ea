//! The road of a job alone, for measurements: Postgres, NATS, the simulator, apis and
//! consumers as they are released, without schedule and worker.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;
use testbed::{Leashed, NatsServer, Postgres, PostgresOptions, Tools};

use crate::journey::{User, wait};
use crate::launch::{ApiPorts, Peers, Plan, Secrets};
use crate::start::broker;
use crate::{Binaries, Options, vault};

const DATABASE: &str = "road";

/// How long the jobs may take to be published, and to be done.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// The processes of the road. Dropping it stops them.
pub struct Road {
    consumers: Vec<Leashed>,
    apis: Vec<Leashed>,
    simulator: Leashed,
    nats: NatsServer,
    postgres: Postgres,
    http: std::net::SocketAddr,
    peers: Peers,
    options: Options,
    secrets: Secrets,
    binaries: Binaries,
    directory: PathBuf,
}

/// What a process has used.
#[derive(Clone, Debug)]
pub struct Usage {
    /// Which process; those of Postgres together.
    pub name: String,
    /// Processor time in seconds, since it began.
    pub cpu: f64,
    /// The most memory that was resident, in bytes; of Postgres the postmaster's alone,
    /// because its processes share theirs.
    pub peak: u64,
}

impl Road {
    /// Starts everything but the consumers below `directory`. Postgres has every commit on
    /// disk before it is acknowledged, as in production.
    ///
    /// # Errors
    /// When a tool cannot be had or a process does not start.
    pub fn start(
        tools: &Tools,
        binaries: &Binaries,
        options: &Options,
        directory: &Path,
    ) -> Result<Self> {
        let secrets = Secrets::random();
        let durable = PostgresOptions { durable: true, ..PostgresOptions::default() };
        let postgres = Postgres::start_with(tools, directory.join("postgres"), durable)?;
        let broker = broker(binaries, &secrets)?;
        let nats = NatsServer::start_with(tools, directory.join("nats"), &broker)?;
        postgres.create_database(DATABASE)?;
        let plan = Plan { binaries, directory, options, secrets: &secrets };
        let (simulator, strava) = plan.simulator()?;
        plan.topology(&nats.url())?;
        let ports = ApiPorts::of(options.apis)?;
        let peers = Peers {
            postgres: postgres.url(DATABASE),
            nats: nats.url(),
            temporal: String::new(),
            strava,
            secrets: vault::prepare_files(directory, binaries, &secrets)?,
            apis: ports.clone(),
        };
        let apis = (1..).zip(&ports).map(|(number, ports)| plan.api(number, *ports, &peers));
        let apis = apis.collect::<Result<Vec<_>>>()?;
        let first = ports.first().context("no api")?.http;
        Ok(Self {
            consumers: Vec::new(),
            apis,
            simulator,
            nats,
            postgres,
            http: std::net::SocketAddr::from(([127, 0, 0, 1], first)),
            peers,
            options: options.clone(),
            secrets,
            binaries: binaries.clone(),
            directory: directory.to_path_buf(),
        })
    }

    /// Somebody who uses the first api over HTTP.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn user(&self) -> Result<User> {
        User::new(self.http, &self.secrets.operator)
    }

    /// Makes Strava wait before each answer.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn slow_strava(&self, latency: Duration) -> Result<()> {
        let url = format!("http://{}/_sim/faults", self.peers.strava);
        let plan = serde_json::json!({"latency_ms": latency.as_millis() as u64});
        let answer = reqwest::Client::new().post(url).json(&plan).send().await?;
        ensure!(answer.status().is_success(), "the simulator refused: {}", answer.status());
        Ok(())
    }

    /// Registers and connects all athletes, and waits until a job of each is in the stream.
    ///
    /// # Errors
    /// When a step is refused, or takes minutes.
    pub async fn fill(&self) -> Result<()> {
        let user = self.user()?;
        user.wait_ready(Duration::from_secs(60)).await?;
        user.join_all(self.options.athletes).await?;
        let wanted = u64::from(self.options.athletes);
        wait("the jobs to be published", PATIENCE, async || {
            Ok(self.stream()?["state"]["messages"].as_u64().unwrap_or(0) >= wanted)
        })
        .await
    }

    /// Starts a consumer more.
    ///
    /// # Errors
    /// When it does not start.
    pub fn add_consumer(&mut self) -> Result<()> {
        let plan = Plan {
            binaries: &self.binaries,
            directory: &self.directory,
            options: &self.options,
            secrets: &self.secrets,
        };
        let (consumer, _) = plan.consumer(self.consumers.len() + 1, &self.peers)?;
        self.consumers.push(consumer);
        Ok(())
    }

    /// Waits until every job is done and acknowledged, and checks that all activities are
    /// in Postgres.
    ///
    /// # Errors
    /// When a process ends, or activities are missing.
    pub async fn drained(&mut self) -> Result<()> {
        wait("all jobs to be done", PATIENCE, async || {
            for process in self.consumers.iter_mut().chain(&mut self.apis) {
                ensure!(
                    process.is_running(),
                    "{} has ended:\n{}",
                    process.name(),
                    process.tail(20)
                );
            }
            let stream = self.stream()?;
            let consumers = stream["consumer_detail"].as_array().context("no consumers")?;
            Ok(consumers.iter().all(|one| {
                one["num_pending"].as_u64() == Some(0) && one["num_ack_pending"].as_u64() == Some(0)
            }))
        })
        .await
    }

    /// Activities that are in Postgres.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub fn rows(&self) -> Result<u64> {
        let rows = self.postgres.psql(DATABASE, "SELECT count(*) FROM activities")?;
        rows.trim().parse().context("a number of rows")
    }

    fn stream(&self) -> Result<Value> {
        let text = self.nats.monitoring("/jsz?streams=true&consumers=true")?;
        let jsz: Value = serde_json::from_str(&text).context("nats-server's monitoring")?;
        let streams = jsz["account_details"][0]["stream_detail"].as_array();
        let athlete = streams.and_then(|all| all.iter().find(|one| one["name"] == "athlete"));
        athlete.cloned().context("there is no stream `athlete`")
    }

    /// What each process has used so far.
    ///
    /// # Errors
    /// When the kernel does not tell, as on systems other than Linux.
    pub fn usage(&mut self) -> Result<Vec<Usage>> {
        let mut usages = Vec::new();
        for process in self.consumers.iter().chain(&self.apis).chain([&self.simulator]) {
            usages.push(Usage {
                name: process.name().to_owned(),
                cpu: cpu_seconds(process.pid())?,
                peak: process.memory()?.peak,
            });
        }
        let nats = self.nats.process();
        let (cpu, peak) = (cpu_seconds(nats.pid())?, nats.memory()?.peak);
        usages.push(Usage { name: "nats-server".to_owned(), cpu, peak });
        let postgres = self.postgres.process();
        let own = cpu_seconds(postgres.pid())?;
        // A process may end while we look: what it used then counts as its parent's.
        let children =
            children(postgres.pid())?.into_iter().filter_map(|pid| cpu_seconds(pid).ok());
        let (cpu, peak) = (own + children.sum::<f64>(), postgres.memory()?.peak);
        usages.push(Usage { name: "postgres".to_owned(), cpu, peak });
        Ok(usages)
    }

    /// Stops everything, services before what they stand on.
    pub fn stop(self) {
        thread::scope(|scope| {
            for consumer in self.consumers {
                scope.spawn(move || consumer.stop());
            }
        });
        self.apis.into_iter().for_each(Leashed::stop);
        self.simulator.stop();
        self.nats.stop();
        self.postgres.stop();
    }
}

/// The fields of `/proc/PID/stat` behind the name, which may hold anything (proc(5)).
fn stat(pid: u32) -> Result<Vec<String>> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let (_, fields) = text.rsplit_once(')').with_context(|| format!("{path}: no name"))?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

/// Processor time of a process and of its children that have ended. The kernel counts in
/// hundredths of a second on every platform of today.
fn cpu_seconds(pid: u32) -> Result<f64> {
    let fields = stat(pid)?;
    // utime, stime, cutime and cstime are the 14th to 17th; the third is the first here.
    let ticks = fields.get(11..15).ok_or_else(|| anyhow!("/proc/{pid}/stat is short"))?;
    let ticks = ticks.iter().map(|field| field.parse::<u32>()).collect::<Result<Vec<_>, _>>()?;
    Ok(f64::from(ticks.iter().sum::<u32>()) / 100.0)
}

fn children(parent: u32) -> Result<Vec<u32>> {
    let parent = parent.to_string();
    let entries = fs::read_dir("/proc").context("reading /proc")?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.filter(|pid| stat(*pid).is_ok_and(|fields| fields.get(1) == Some(&parent))).collect())
}
