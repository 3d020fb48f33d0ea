//! Servers that stop under callers who go where it is ready: no call is lost, on whatever connection.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_rpc::{Context, GrpcServerConfig};

use crate::echo::{Echo, EchoService, Running, WORKER_TOKEN, echo, start, start_at};

/// How often a condition that is waited for is looked at.
const POLL: Duration = Duration::from_millis(1);

/// Answers at once.
struct Prompt;

#[async_trait]
impl EchoService for Prompt {
    async fn echo(&self, _: &Context, request: Echo) -> Result<Echo, Error> {
        Ok(request)
    }
}

/// Callers at two servers, one of which is ready at least.
#[derive(Clone)]
struct Callers {
    servers: Arc<Mutex<Vec<Arc<Place>>>>,
    stop: CancellationToken,
    calls: Arc<AtomicUsize>,
    failures: Arc<Mutex<Vec<String>>>,
}

struct Place {
    server: Running,
    ready: AtomicBool,
}

impl Callers {
    /// Calls a few times over each connection. The contract of the call allows no repetition.
    async fn keep_calling(self, each: usize) {
        while !self.stop.is_cancelled() {
            let places = self.servers.lock().unwrap().clone();
            let Some(place) = places.iter().find(|one| one.ready.load(Ordering::Relaxed)) else {
                panic!("no server is ready");
            };
            let client = place.server.client(WORKER_TOKEN);
            for _ in 0..each {
                match client.echo(&Context::background(), echo("x")).await {
                    Ok(_) => _ = self.calls.fetch_add(1, Ordering::Relaxed),
                    Err(error) => self.failures.lock().unwrap().push(error.chain()),
                }
                if self.stop.is_cancelled() || !place.ready.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
    }
}

/// Stops the servers in turn, until a call fails; how many calls there were, and what went wrong.
async fn stop_in_turn(stops: usize, notice_milliseconds: u64) -> (usize, Vec<String>) {
    let config = GrpcServerConfig { notice_milliseconds, ..GrpcServerConfig::default() };
    let place = |server| Arc::new(Place { server, ready: true.into() });
    let mut servers = Vec::new();
    for _ in 0..2 {
        servers.push(place(start(Prompt, config.clone()).await));
    }
    let callers = Callers {
        servers: Arc::new(Mutex::new(servers)),
        stop: CancellationToken::new(),
        calls: Arc::default(),
        failures: Arc::default(),
    };
    let mut tasks = JoinSet::new();
    for number in 0..12 {
        tasks.spawn(callers.clone().keep_calling([1, 5, 1_000][number % 3]));
    }
    for _ in 0..stops {
        let before = callers.calls.load(Ordering::Relaxed);
        while callers.calls.load(Ordering::Relaxed) < before + 100 {
            tokio::time::sleep(POLL).await;
        }
        let first = callers.servers.lock().unwrap()[0].clone();
        first.ready.store(false, Ordering::Relaxed);
        first.server.shutdown.cancel();
        while !first.server.task.is_finished() {
            tokio::time::sleep(POLL).await;
        }
        let again = place(start_at(&first.server.address, Prompt, config.clone()).await);
        {
            let mut servers = callers.servers.lock().unwrap();
            servers.remove(0);
            servers.push(again);
        }
        if !callers.failures.lock().unwrap().is_empty() {
            break;
        }
    }
    callers.stop.cancel();
    tasks.join_all().await;
    let failures = callers.failures.lock().unwrap().clone();
    (callers.calls.load(Ordering::Relaxed), failures)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_that_give_notice_stop_without_a_lost_call() {
    let (calls, failures) = stop_in_turn(8, 200).await;
    assert!(failures.is_empty(), "{} of {calls} calls failed: {failures:?}", failures.len());
    // Without notice connections are refused: it is the notice that keeps calls, and not luck.
    let (calls, failures) = stop_in_turn(200, 0).await;
    assert!(!failures.is_empty(), "none of {calls} calls failed");
}
