//! Servers that stop under callers who keep their connections, and who go elsewhere when they are
//! told: no call is lost.
//!
//! The callers are sockets of our own: client libraries repeat some calls by themselves.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use treaty_http::{HttpServerConfig, ServeError, serve};
use treaty_rpc::Context;

use crate::orders::{OPERATOR, Order, OrdersService, gateway, routes};

/// How often a condition that is waited for is looked at.
const POLL: Duration = Duration::from_millis(1);

/// Answers at once.
struct Prompt;

#[async_trait]
impl OrdersService for Prompt {
    async fn get_order(&self, _: &Context, request: Order) -> Result<Order, treaty_error::Error> {
        Ok(request)
    }

    async fn put_order(&self, _: &Context, request: Order) -> Result<Order, treaty_error::Error> {
        Ok(request)
    }
}

/// A server, and whether it says that it is ready.
struct Running {
    address: SocketAddr,
    ready: Arc<AtomicBool>,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    async fn start(address: SocketAddr, ready: Arc<AtomicBool>, notice: Duration) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let config = HttpServerConfig {
            notice_milliseconds: u64::try_from(notice.as_millis()).unwrap(),
            ..HttpServerConfig::default()
        };
        let (site, token) = (routes(Arc::new(Prompt), &gateway()).site(), shutdown.clone());
        let task = tokio::spawn(async move { serve(listener, site, &config, token).await });
        ready.store(true, Ordering::Relaxed);
        Self { address, ready, shutdown, task }
    }

    async fn stop(self) -> (SocketAddr, Arc<AtomicBool>) {
        self.ready.store(false, Ordering::Relaxed);
        self.shutdown.cancel();
        self.task.await.unwrap().unwrap();
        (self.address, self.ready)
    }
}

/// Callers at several servers, who know which are ready as a load balancer does.
#[derive(Clone)]
struct Callers {
    places: Arc<Vec<(SocketAddr, Arc<AtomicBool>)>>,
    stop: CancellationToken,
    calls: Arc<AtomicUsize>,
    failures: Arc<Mutex<Vec<String>>>,
}

impl Callers {
    fn of(servers: &[Running]) -> Self {
        let place = |one: &Running| (one.address, Arc::clone(&one.ready));
        Self {
            places: Arc::new(servers.iter().map(place).collect()),
            stop: CancellationToken::new(),
            calls: Arc::default(),
            failures: Arc::default(),
        }
    }

    /// Calls again and again, with a pause in between, over one connection for as long as it
    /// stays. Who is ready is asked for a new connection only.
    async fn keep_calling(self, pause: Duration) {
        while !self.stop.is_cancelled() {
            let ready = self.places.iter().find(|(_, ready)| ready.load(Ordering::Relaxed));
            let Some((address, _)) = ready else {
                tokio::time::sleep(POLL).await;
                continue;
            };
            // Nothing was asked yet, so another place may be.
            let Ok(mut stream) = TcpStream::connect(address).await else { continue };
            while !self.stop.is_cancelled() {
                match call(&mut stream).await {
                    Ok(stays) => {
                        self.calls.fetch_add(1, Ordering::Relaxed);
                        if !stays {
                            break;
                        }
                        tokio::time::sleep(pause).await;
                    }
                    Err(error) => {
                        self.failures.lock().unwrap().push(error.to_string());
                        break;
                    }
                }
            }
        }
    }

    async fn some_more(&self) {
        let before = self.calls.load(Ordering::Relaxed);
        while self.calls.load(Ordering::Relaxed) < before + 200 {
            tokio::time::sleep(POLL).await;
        }
    }

    fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap().clone()
    }
}

/// One call; whether the connection stays.
async fn call(stream: &mut TcpStream) -> Result<bool, Error> {
    let request =
        format!("GET /v1/orders/1 HTTP/1.1\r\nhost: x\r\nauthorization: {OPERATOR}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut read = Vec::new();
    let end = loop {
        if stream.read_buf(&mut read).await? == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "closed without an answer"));
        }
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().to_owned())
    };
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let length: usize = header("content-length:").unwrap().parse().unwrap();
    while read.len() < end + length {
        if stream.read_buf(&mut read).await? == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "closed within an answer"));
        }
    }
    Ok(header("connection:").as_deref() != Some("close"))
}

/// Callers at two servers that stop and come back in turn, until a call fails; how many calls they
/// made, and what went wrong.
async fn stop_in_turn(stops: usize, notice: Duration) -> (usize, Vec<String>) {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut servers = Vec::new();
    for _ in 0..2 {
        servers.push(Running::start(anywhere, Arc::default(), notice).await);
    }
    let callers = Callers::of(&servers);
    let mut tasks = JoinSet::new();
    for number in 0..16 {
        tasks.spawn(callers.clone().keep_calling(Duration::from_millis(number)));
    }
    for _ in 0..stops {
        callers.some_more().await;
        let (address, ready) = servers.remove(0).stop().await;
        servers.push(Running::start(address, ready, notice).await);
        if !callers.failures().is_empty() {
            break;
        }
    }
    callers.stop.cancel();
    tasks.join_all().await;
    (callers.calls.load(Ordering::Relaxed), callers.failures())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_that_give_notice_stop_without_a_lost_call() {
    let (calls, failures) = stop_in_turn(12, Duration::from_millis(200)).await;
    assert!(failures.is_empty(), "{} of {calls} calls failed: {failures:?}", failures.len());
    // Without notice calls are lost: it is the notice that keeps them, and not luck.
    let (calls, failures) = stop_in_turn(200, Duration::ZERO).await;
    assert!(!failures.is_empty(), "none of {calls} calls failed");
}
