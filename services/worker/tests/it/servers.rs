//! Real servers, and the jobs that arrive in them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use testbed::{NatsServer, RunDirectory, TemporalServer, Tools};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_nats::{
    Ack, Connection, Delivery, Event as _, Handle, HandlerSpec, NatsConfig, run_handler,
};
use treaty_temporal::RunRef;
use worker::config::Config;
use worker_port::sync_v1::SyncAthlete;

/// How long a condition may take to come true.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Servers of the test's own.
pub(crate) struct Servers {
    pub(crate) temporal: TemporalServer,
    pub(crate) nats: NatsServer,
    pub(crate) directory: RunDirectory,
}

impl Servers {
    /// Blocks for as long as the servers take to start, and the first time to be built.
    pub(crate) fn start_blocking() -> Self {
        let directory = RunDirectory::disposable("worker-test").unwrap();
        let tools = Tools::new().unwrap();
        let temporal = TemporalServer::start(&tools, directory.path().join("temporal")).unwrap();
        let nats = NatsServer::start(&tools, directory.path().join("nats")).unwrap();
        Self { temporal, nats, directory }
    }

    pub(crate) async fn start() -> Self {
        // Temporal's client and NATS's have a provider of cryptography each.
        let _ = rustls::crypto::ring::default_provider().install_default();
        spawn_blocking(Self::start_blocking).await.unwrap()
    }

    /// The least that a worker needs to know, with these keys besides.
    pub(crate) fn config(&self, more: Value) -> Config {
        let mut config = json!({
            "nats": {"url": self.nats.url()},
            "temporal": {"address": self.temporal.address()},
            "peers": {"api": {"address": "127.0.0.1:1", "token": "nobody-listens-there"}},
            "publishers": 4,
        });
        let Value::Object(more) = more else { panic!("{more} holds no keys") };
        config.as_object_mut().unwrap().extend(more);
        serde_json::from_value(config).unwrap()
    }

    /// A connection for looking.
    pub(crate) async fn nats(&self) -> Connection {
        let nats = treaty_nats::connect(&NatsConfig::new(self.nats.url())).await.unwrap();
        nats.ensure_streams(worker_port::STREAMS).await.unwrap();
        nats
    }

    /// A connection for looking.
    pub(crate) async fn temporal(&self) -> treaty_temporal::Connection {
        let config = self.config(json!({})).temporal;
        treaty_temporal::connect(&config).await.unwrap()
    }
}

/// How many jobs the stream has.
pub(crate) async fn stored(nats: &Connection) -> u64 {
    nats.stream_info(SyncAthlete::STREAM).await.unwrap().messages
}

/// Everything that is in the stream of jobs, as it arrives.
pub(crate) struct Arrived {
    pub(crate) nats: Connection,
    jobs: Arc<Collector>,
    stop: CancellationToken,
    handling: JoinHandle<Result<(), Error>>,
}

#[derive(Default)]
struct Collector {
    jobs: Mutex<Vec<SyncAthlete>>,
}

#[async_trait]
impl Handle<SyncAthlete> for Collector {
    async fn handle(&self, _: &Delivery, event: SyncAthlete) -> Result<(), Error> {
        self.jobs.lock().unwrap().push(event);
        Ok(())
    }
}

const COLLECTING: HandlerSpec = HandlerSpec {
    durable: "worker-test",
    stream: SyncAthlete::STREAM,
    event: SyncAthlete::FULL_NAME,
    filter: SyncAthlete::SUBJECTS,
    concurrency: 16,
    ack_wait: Duration::from_secs(30),
    max_deliver: 3,
    backoff: &[Duration::from_secs(1)],
    ack: Ack::Confirmed,
    ordered_by: &[],
};

impl Arrived {
    pub(crate) fn collect(nats: Connection) -> Self {
        let (jobs, stop) = (Arc::<Collector>::default(), CancellationToken::new());
        let handling = run_handler::<SyncAthlete, _>(
            nats.clone(),
            &COLLECTING,
            Arc::clone(&jobs),
            stop.clone(),
            Arc::default(),
        );
        Self { nats, jobs, stop, handling: tokio::spawn(handling) }
    }

    /// Waits until there are so many jobs in the stream and all have arrived here.
    pub(crate) async fn wait_for(&self, number: usize) -> Vec<SyncAthlete> {
        eventually("all jobs arrive", async || self.jobs().len() >= number).await;
        assert_eq!(stored(&self.nats).await, u64::try_from(number).unwrap(), "no more is there");
        self.jobs()
    }

    pub(crate) fn jobs(&self) -> Vec<SyncAthlete> {
        self.jobs.jobs.lock().unwrap().clone()
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.handling).await.unwrap().unwrap().unwrap();
    }
}

/// Where recorded histories are.
pub(crate) fn histories() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/histories")
}

/// The history of a run, which must replay. With `TREATY_RECORD_HISTORIES` it is kept in the
/// repository under this name.
pub(crate) async fn recorded(
    temporal: &treaty_temporal::Connection,
    run: &RunRef,
    name: &str,
) -> Value {
    let history = temporal.history(run).await.unwrap();
    crate::replay::replay(&history).await.unwrap();
    let history: Value = serde_json::from_slice(&history).unwrap();
    if std::env::var_os("TREATY_RECORD_HISTORIES").is_some() {
        let mut kept = history.clone();
        anonymise(&mut kept);
        let mut text = serde_json::to_string_pretty(&kept).unwrap();
        text.push('\n');
        std::fs::create_dir_all(histories()).unwrap();
        std::fs::write(histories().join(format!("{name}.json")), text).unwrap();
    }
    history
}

/// Takes out who recorded it: identities, and sticky queues named after them, are `process@machine`.
fn anonymise(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(anonymise),
        Value::Array(values) => values.iter_mut().for_each(anonymise),
        Value::String(text) if text.contains('@') => "recorder".clone_into(text),
        _ => {}
    }
}

/// Waits until the condition holds.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(in_time.is_ok(), "waited in vain until {what}");
}
