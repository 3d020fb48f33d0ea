//! Calls are spread over the places of a service, which come and go.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{BoxFuture, join_all};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error};
use treaty_rpc::{
    ClientConfig, Context, GrpcServerConfig, Resolve, connect_lazy, connect_lazy_with,
};

use crate::echo::{
    Echo, EchoService, EchoServiceClient, Running, WORKER_TOKEN, echo, start, start_at,
    without_notice,
};

/// Counts its calls, and holds those that say `wait` until released.
#[derive(Clone)]
struct Counting {
    calls: Arc<AtomicUsize>,
    begun: Arc<Semaphore>,
    released: Arc<Semaphore>,
}

impl Counting {
    fn new() -> Self {
        let closed = || Arc::new(Semaphore::new(0));
        Self { calls: Arc::default(), begun: closed(), released: closed() }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EchoService for Counting {
    async fn echo(&self, _: &Context, request: Echo) -> Result<Echo, Error> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if request.text == "wait" {
            self.begun.add_permits(1);
            self.released.acquire().await.unwrap().forget();
        }
        Ok(request)
    }
}

/// Names with addresses that a test sets; none is a failure.
#[derive(Default)]
struct Names {
    addresses: Mutex<Vec<SocketAddr>>,
    lookups: AtomicUsize,
}

impl Names {
    fn set(&self, servers: &[&Running]) {
        *self.addresses.lock().unwrap() =
            servers.iter().map(|server| server.address.parse().unwrap()).collect();
    }
}

impl Resolve for Names {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        assert_eq!((host, port), ("echo.test", 9233));
        self.lookups.fetch_add(1, Ordering::Relaxed);
        let found = self.addresses.lock().unwrap().clone();
        Box::pin(async move {
            if found.is_empty() { Err(io::Error::other("no such host")) } else { Ok(found) }
        })
    }
}

fn config(addresses: &[&str]) -> ClientConfig {
    let mut config = ClientConfig::new("", SecretString::from(WORKER_TOKEN));
    config.addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
    config
}

fn fixed(addresses: &[&str]) -> EchoServiceClient {
    EchoServiceClient::new(connect_lazy(&config(addresses)).unwrap())
}

fn named(names: &Arc<Names>, interval: u64) -> EchoServiceClient {
    let mut config = config(&["dns:///echo.test:9233"]);
    config.resolve_interval_seconds = interval;
    let resolver: Arc<dyn Resolve> = Arc::<Names>::clone(names);
    EchoServiceClient::new(connect_lazy_with(&config, resolver).unwrap())
}

async fn pair(config: &GrpcServerConfig) -> (Counting, Running, Counting, Running) {
    let (one, two) = (Counting::new(), Counting::new());
    let first = start(one.clone(), config.clone()).await;
    let second = start(two.clone(), config.clone()).await;
    (one, first, two, second)
}

async fn call(client: &EchoServiceClient) -> Result<Echo, Error> {
    client.echo(&Context::background(), echo("x")).await
}

/// Calls until the condition holds; all must succeed.
async fn call_until(client: &EchoServiceClient, what: &str, condition: impl Fn() -> bool) {
    let calling = async {
        while !condition() {
            call(client).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let called = tokio::time::timeout(Duration::from_secs(20), calling).await;
    assert!(called.is_ok(), "called in vain for {what}");
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test]
async fn no_call_fails_while_another_place_is_up() {
    let up = Counting::new();
    let server = start(up.clone(), GrpcServerConfig::default()).await;
    let client = fixed(&[&nobody().await, &server.address, &nobody().await]);
    for _ in 0..300 {
        call(&client).await.unwrap();
    }
    assert_eq!(up.calls(), 300);
}

#[tokio::test]
async fn calls_are_shared_evenly() {
    let (one, first, two, second) = pair(&GrpcServerConfig::default()).await;
    let client = fixed(&[&first.address, &second.address]);
    let both = || one.calls() > 0 && two.calls() > 0;
    call_until(&client, "both to be connected", both).await;
    let before = [one.calls(), two.calls()];
    let callers = (0..8).map(|_| async {
        for _ in 0..250 {
            call(&client).await.unwrap();
        }
    });
    join_all(callers).await;
    let (one, two) = (one.calls() - before[0], two.calls() - before[1]);
    assert_eq!(one + two, 2000);
    assert!(one.abs_diff(two) <= 200, "{one} and {two}");
}

#[tokio::test]
async fn a_place_that_hangs_gets_no_more_than_its_share_of_waiting_calls() {
    let (slow, first, quick, second) = pair(&GrpcServerConfig::default()).await;
    let client = Arc::new(fixed(&[&first.address, &second.address]));
    let both = || slow.calls() > 0 && quick.calls() > 0;
    call_until(&client, "both to be connected", both).await;
    // Whichever place takes the first of these is stuck with it.
    let waiting = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.echo(&Context::background(), echo("wait")).await }
    });
    let stuck = tokio::select! {
        _ = slow.begun.acquire() => &slow,
        _ = quick.begun.acquire() => &quick,
    };
    let before = stuck.calls();
    for _ in 0..200 {
        call(&client).await.unwrap();
    }
    assert_eq!(stuck.calls(), before, "the other place was free each time");
    stuck.released.add_permits(1);
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn servers_restart_one_after_the_other_and_no_call_fails() {
    let (one, first, two, second) = pair(&without_notice()).await;
    let client = Arc::new(fixed(&[&first.address, &second.address]));
    let done = CancellationToken::new();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (client, done) = (Arc::clone(&client), done.clone());
            tokio::spawn(async move {
                let mut calls = 0;
                while !done.is_cancelled() {
                    call(&client).await.unwrap();
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    let mut servers = vec![(one, first), (two, second)];
    for _ in 0..4 {
        let (counting, server) = servers.remove(0);
        eventually("the server to be called", || counting.calls() > 0).await;
        server.shutdown.cancel();
        server.task.await.unwrap().unwrap();
        let counting = Counting::new();
        let again = start_at(&server.address, counting.clone(), without_notice()).await;
        eventually("the new server to be called", || counting.calls() > 100).await;
        servers.push((counting, again));
    }
    done.cancel();
    let calls: usize = join_all(callers).await.into_iter().map(Result::unwrap).sum();
    assert!(calls > 400, "{calls}");
}

#[tokio::test]
async fn when_all_are_down_a_call_fails_and_the_next_one_tries_anew() {
    let address = nobody().await;
    let client = fixed(&[&address]);
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.chain().contains("refused"), "{}", error.chain());
    let server = start_at(&address, Counting::new(), GrpcServerConfig::default()).await;
    call(&client).await.unwrap();
    drop(server);
}

#[tokio::test]
async fn addresses_of_a_name_come_and_go_without_a_failed_call() {
    let (one, first, two, second) = pair(&without_notice()).await;
    let names = Arc::new(Names::default());
    names.set(&[&first]);
    let client = Arc::new(named(&names, 1));
    call(&client).await.unwrap();
    names.set(&[&first, &second]);
    call_until(&client, "the new address to be called", || two.calls() > 0).await;
    // One call is under way at each place while the first is taken away.
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.echo(&Context::background(), echo("wait")).await })
        })
        .collect();
    for counting in [&one, &two] {
        counting.begun.acquire().await.unwrap().forget();
    }
    names.set(&[&second]);
    let lookups = names.lookups.load(Ordering::Relaxed);
    let looked = || names.lookups.load(Ordering::Relaxed) >= lookups + 2;
    call_until(&client, "the name to be looked up", looked).await;
    let before = one.calls();
    for _ in 0..100 {
        call(&client).await.unwrap();
    }
    assert_eq!(one.calls(), before, "an address that is gone gets no calls");
    for counting in [&one, &two] {
        counting.released.add_permits(1);
    }
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    // The connection to the first is closed, and not only unused.
    first.shutdown.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), first.task);
    ended.await.expect("no connection holds the server up").unwrap().unwrap();
}

#[tokio::test]
async fn a_name_that_cannot_be_looked_up_keeps_its_last_addresses() {
    let counting = Counting::new();
    let server = start(counting.clone(), GrpcServerConfig::default()).await;
    let names = Arc::new(Names::default());
    let client = named(&names, 1);
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.chain().contains("no such host"), "{}", error.chain());
    names.set(&[&server]);
    call(&client).await.unwrap();
    names.set(&[]);
    let lookups = names.lookups.load(Ordering::Relaxed);
    let looked = || names.lookups.load(Ordering::Relaxed) >= lookups + 2;
    call_until(&client, "the name to be looked up in vain", looked).await;
}

#[tokio::test]
async fn connections_age_so_that_a_server_started_later_gets_its_share() {
    let aging = GrpcServerConfig { max_connection_age_seconds: 1, ..Default::default() };
    let one = Counting::new();
    let first = start(one.clone(), aging.clone()).await;
    let names = Arc::new(Names::default());
    names.set(&[&first]);
    // Without the end of the connection, the name would be looked up in an hour.
    let client = Arc::new(named(&names, 3600));
    let done = CancellationToken::new();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (client, done) = (Arc::clone(&client), done.clone());
            tokio::spawn(async move {
                while !done.is_cancelled() {
                    call(&client).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
        })
        .collect();
    eventually("the first server to be called", || one.calls() > 100).await;
    let two = Counting::new();
    let second = start(two.clone(), aging).await;
    names.set(&[&first, &second]);
    eventually("the second server to be called", || two.calls() > 0).await;
    let (before, later) = (one.calls(), two.calls());
    eventually("many calls more", || one.calls() + two.calls() - before - later > 1000).await;
    let (old, new) = (one.calls() - before, two.calls() - later);
    done.cancel();
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(new * 10 > (old + new) * 3, "the new server got {new} of {} calls", old + new);
}

#[tokio::test]
async fn a_call_outlives_the_age_of_its_connection_and_not_the_grace() {
    let config = GrpcServerConfig {
        max_connection_age_seconds: 1,
        max_connection_age_grace_seconds: 2,
        ..Default::default()
    };
    let counting = Counting::new();
    let server = start(counting.clone(), config).await;
    let client = Arc::new(fixed(&[&server.address]));
    let wait = || {
        let client = Arc::clone(&client);
        tokio::spawn(async move { client.echo(&Context::background(), echo("wait")).await })
    };
    let (in_time, too_late) = (wait(), wait());
    counting.begun.acquire_many(2).await.unwrap().forget();
    // Past the age: new calls take a new connection, old ones go on.
    let started = tokio::time::Instant::now();
    let aged = || started.elapsed() > Duration::from_millis(1500);
    call_until(&client, "the age to pass", aged).await;
    counting.released.add_permits(1);
    let (first, second) = tokio::join!(in_time, too_late);
    let results = [first.unwrap(), second.unwrap()];
    let cut = results.iter().filter_map(|result| result.as_ref().err());
    let codes: Vec<_> = cut.map(Error::code).collect();
    assert_eq!(codes, [Code::Unavailable], "one ended in time, one was cut off");
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(waited.is_ok(), "waited in vain for {what}");
}
