//! A broker of the test's own, and what its stream holds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api_port::STREAMS;
use api_port::sync_v1::SyncAthlete;
use async_trait::async_trait;
use testbed::{NatsServer, RunDirectory, Tools};
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_nats::{Ack, Connection, Delivery, Event, Handle, HandlerSpec, NatsConfig};

/// A server of the test's own: the names of streams come from the contracts.
pub(crate) struct Broker {
    /// Away while a blocking task has it.
    server: Option<NatsServer>,
    _directory: RunDirectory,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        let start = || {
            let directory = RunDirectory::disposable("api-test").unwrap();
            let server = NatsServer::start(&Tools::new().unwrap(), directory.path().join("nats"));
            Self { server: Some(server.unwrap()), _directory: directory }
        };
        tokio::task::spawn_blocking(start).await.unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.server.as_ref().unwrap().url()
    }

    /// A connection, with the streams in place.
    pub(crate) async fn connect(&self) -> Connection {
        let connection = treaty_nats::connect(&NatsConfig::new(self.url())).await.unwrap();
        connection.ensure_streams(STREAMS).await.unwrap();
        connection
    }

    pub(crate) async fn crash(&mut self) {
        self.blocking(|server| server.crash().unwrap()).await;
    }

    pub(crate) async fn start_again(&mut self) {
        self.blocking(|server| server.start_again().unwrap()).await;
    }

    async fn blocking(&mut self, action: impl FnOnce(&mut NatsServer) + Send + 'static) {
        let mut server = self.server.take().unwrap();
        let acting = tokio::task::spawn_blocking(move || {
            action(&mut server);
            server
        });
        self.server = Some(acting.await.unwrap());
    }
}

const WITNESS: HandlerSpec = HandlerSpec {
    durable: "witness",
    stream: SyncAthlete::STREAM,
    event: SyncAthlete::FULL_NAME,
    filter: SyncAthlete::SUBJECTS,
    concurrency: 8,
    ack_wait: Duration::from_secs(30),
    max_deliver: 3,
    backoff: const { &[Duration::from_millis(50)] },
    ack: Ack::Confirmed,
    ordered_by: &[],
};

/// A message as the stream keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) message_id: String,
    pub(crate) athlete_id: String,
    pub(crate) request_id: String,
}

/// Reads the jobs of the stream, by their place in it.
#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<BTreeMap<u64, Stored>>>);

#[async_trait]
impl Handle<SyncAthlete> for Witness {
    async fn handle(&self, delivery: &Delivery, job: SyncAthlete) -> Result<(), Error> {
        let stored = Stored {
            message_id: delivery.message_id.clone().unwrap(),
            athlete_id: job.athlete_id,
            request_id: job.request_id,
        };
        self.0.lock().unwrap().insert(delivery.stream_sequence, stored);
        Ok(())
    }
}

impl Witness {
    /// Reads from the stream's beginning, and on, until the guard is dropped.
    pub(crate) fn start(connection: &Connection) -> (Self, tokio_util::sync::DropGuard) {
        let witness = Self::default();
        let (handler, stop) = (Arc::new(witness.clone()), CancellationToken::new());
        tokio::spawn(treaty_nats::run_handler::<SyncAthlete, _>(
            connection.clone(),
            &WITNESS,
            handler,
            stop.clone(),
            Arc::default(),
        ));
        (witness, stop.drop_guard())
    }

    /// What was read so far, in the order of the stream.
    pub(crate) fn stored(&self) -> Vec<Stored> {
        self.0.lock().unwrap().values().cloned().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Message ids in alphabetical order; one that is stored twice is there twice.
    pub(crate) fn sorted_ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.stored().into_iter().map(|stored| stored.message_id).collect();
        ids.sort();
        ids
    }
}
