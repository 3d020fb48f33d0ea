//! Real servers, and the jobs that arrive in them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use testbed::{RunDirectory, TemporalServer, Tools};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_nats::{Connection, Delivery, Event as _, Handle, HandlerSpec, NatsConfig, run_handler};
use worker_port::sync_v1::SyncAthlete;

/// How long a condition may take to come true.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A Temporal server of the test's own, and the NATS server of the process.
pub(crate) struct Servers {
    pub(crate) temporal: TemporalServer,
    pub(crate) nats_url: String,
    pub(crate) directory: RunDirectory,
}

impl Servers {
    /// Blocks for as long as the servers take to start, and the first time to be built.
    pub(crate) fn start_blocking() -> Self {
        let directory = RunDirectory::disposable("worker-test").unwrap();
        let tools = Tools::new().unwrap();
        let temporal = TemporalServer::start(&tools, directory.path().join("temporal")).unwrap();
        Self { temporal, nats_url: testbed::shared_nats().url(), directory }
    }

    pub(crate) async fn start() -> Self {
        spawn_blocking(Self::start_blocking).await.unwrap()
    }
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
};

impl Arrived {
    pub(crate) async fn collect(nats_url: &str) -> Self {
        let nats = treaty_nats::connect(&NatsConfig::new(nats_url)).await.unwrap();
        nats.ensure_streams(worker_port::STREAMS).await.unwrap();
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
        let stored = self.nats.stream_info(SyncAthlete::STREAM).await.unwrap().messages;
        assert_eq!(stored, u64::try_from(number).unwrap(), "no more is in the stream");
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
