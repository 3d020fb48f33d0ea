//! Starting the parts of the system, in the order in which they need each other.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use testbed::{
    BaoServer, Leashed, NatsOptions, NatsServer, Postgres, PostgresOptions, TemporalServer, Tools,
};

use crate::launch::{ApiPorts, Peers, Plan, Secrets};
use crate::{Binaries, Options, SecretStore};

/// A process of ours, and where it answers `/readyz`.
pub(crate) struct Service {
    pub(crate) process: Leashed,
    pub(crate) health: SocketAddr,
}

impl Service {
    pub(crate) fn new((process, health): (Leashed, SocketAddr)) -> Self {
        Self { process, health }
    }
}

/// Starts the services, the apis before those that call them.
pub(crate) fn services(
    plan: &Plan<'_>,
    ports: &[ApiPorts],
    peers: &Peers,
    say: &impl Fn(&str),
) -> Result<(Vec<Service>, Vec<Service>, Service)> {
    say("starting api");
    let apis = ports
        .iter()
        .enumerate()
        .map(|(index, ports)| {
            let health = SocketAddr::from(([127, 0, 0, 1], ports.http));
            Ok(Service::new((plan.api(index + 1, *ports, peers)?, health)))
        })
        .collect::<Result<_>>()?;
    say(&format!("starting consumer, {} times, and worker", plan.options.consumers));
    let consumers = (1..=plan.options.consumers as usize)
        .map(|number| plan.consumer(number, peers).map(Service::new))
        .collect::<Result<_>>()?;
    Ok((apis, consumers, Service::new(plan.worker(peers)?)))
}

/// A broker at which each deployable may do what its contract grants, and no more.
pub(crate) fn broker(binaries: &Binaries, secrets: &Secrets) -> Result<NatsOptions> {
    let file = binaries.nats_definitions().join("authorization.conf");
    let configuration = std::fs::read_to_string(&file)
        .with_context(|| format!("reading {}: run `cargo xtask codegen`", file.display()))?;
    let environment = secrets.nats.environment();
    Ok(NatsOptions { configuration, environment, ..NatsOptions::default() })
}

/// What the services stand on.
pub(crate) struct Servers {
    pub(crate) postgres: Postgres,
    pub(crate) nats: NatsServer,
    pub(crate) temporal: TemporalServer,
    pub(crate) vault: Option<BaoServer>,
}

/// Starts the servers side by side; Temporal takes the longest.
pub(crate) fn servers(
    tools: &Tools,
    directory: &Path,
    options: &Options,
    broker: &NatsOptions,
) -> Result<Servers> {
    let joined = |what: &str| anyhow!("the thread that starts {what} panicked");
    thread::scope(|scope| {
        let data = options.postgres_directory.clone();
        let data = data.unwrap_or_else(|| directory.join("postgres"));
        // With those of the services, and where there is room when the data has none.
        let log = Some(directory.join("postgres.log"));
        let settings = PostgresOptions { log, ..PostgresOptions::default() };
        let postgres = scope.spawn(move || Postgres::start_with(tools, data, settings));
        let nats = scope.spawn(|| NatsServer::start_with(tools, directory.join("nats"), broker));
        let vault = (options.secrets == SecretStore::Vault)
            .then(|| scope.spawn(|| BaoServer::start(tools, directory.join("vault"))));
        let temporal = TemporalServer::start(tools, directory.join("temporal"));
        let postgres = postgres.join().map_err(|_| joined("Postgres"))??;
        let nats = nats.join().map_err(|_| joined("nats-server"))??;
        let vault = match vault {
            Some(vault) => Some(vault.join().map_err(|_| joined("OpenBao"))??),
            None => None,
        };
        Ok(Servers { postgres, nats, temporal: temporal?, vault })
    })
}
