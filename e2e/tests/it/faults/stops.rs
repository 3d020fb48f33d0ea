//! Services that are asked to stop, one after the other, in the midst of their work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use secrecy::SecretString;
use serde_json::json;
use stack::{Options, Stack};
use stravasync_athletes_v1::RegisterAthleteRequest;
use stravasync_athletes_v1::athletes_service::{AthletesService as _, AthletesServiceClient};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use treaty_rpc::{ClientConfig, Context};

use super::system::join;
use super::{Callers, Manner, Plan, Pump, System, strava};

/// How soon a service has ended.
const END: Duration = Duration::from_secs(20);

/// How soon it is ready again.
const READY: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn services_that_are_asked_to_stop_fail_no_call_and_repeat_next_to_nothing() -> Result<()> {
    let plan = Plan::of("stops");
    let options = Options {
        athletes: plan.pick(40, 200),
        activities_per_athlete: 220,
        apis: 2,
        dispatch_every: Duration::from_secs(24 * 3600),
        seed: plan.seed,
        ..Options::default()
    };
    let mut system = System::start(plan, &options).await?;
    // Slow enough that each stop meets jobs.
    strava::faults(&system.stack, &json!({"latency_ms": 50})).await?;
    let early = options.athletes / 2;
    let mut athletes = system.join(0..early).await?;
    let late = tokio::spawn(join(system.crowd.clone(), early..options.athletes));
    let interval = Duration::from_millis(15);
    let pump = Pump::start(system.broker.clone(), "stops", athletes.clone(), interval);
    let path = format!("/v1/athletes/{}", athletes[0]);
    let readers = Callers::start(&system.crowd, 8, &path, Manner::GoesWhereItIsReady);
    let writers = Registrars::start(&system.stack, 4)?;
    let (stops, slowest) = stop_in_turn(&mut system).await?;
    let (read, (written, failures)) = (readers.stop().await, writers.stop().await);
    ensure!(read.with(200) == read.made(), "{read:?}");
    ensure!(failures.is_empty(), "{} of {written} calls failed: {failures:?}", failures.len());
    let accepted = pump.stop().await?;
    athletes.extend(late.await??);
    let proof = system.prove(&athletes, &accepted).await?;
    assert_eq!(proof.activities, options.activities());
    system.plan.say(&format!(
        "{stops} stops, the slowest {slowest:.1?}: {} HTTP and {} gRPC calls, 0 failed; {} jobs, \
         0 lost, {} redelivered",
        read.made(),
        written,
        proof.jobs,
        proof.redelivered
    ));
    ensure!(proof.redelivered * 100 <= proof.jobs, "more than one in a hundred was redelivered");
    system.stop().await
}

/// Asks each service in turn to stop and starts it again; how often, and how long the slowest took.
async fn stop_in_turn(system: &mut System) -> Result<(u32, Duration)> {
    let mut random = system.plan.random();
    let rounds = system.plan.pick(2, 50);
    let (mut round, mut stops, mut slowest) = (0, 0, Duration::ZERO);
    while round < rounds || system.plan.goes_on() {
        round += 1;
        // A dispatch is under way when the worker stops.
        system.stack.temporal(&["schedule", "trigger", "--schedule-id", stack::SCHEDULE])?;
        let mut parts = system.stack.services();
        parts.shuffle(&mut random);
        for part in parts {
            tokio::time::sleep(Duration::from_millis(random.random_range(100..500))).await;
            let ending = system.stack.terminate(part)?;
            ensure!(ending.code == 0, "{part} ended with {}", ending.code);
            ensure!(ending.took < END, "{part} took {:.1?} to end", ending.took);
            slowest = slowest.max(ending.took);
            system.stack.start_again(part)?;
            let ready = system.wait_ready(part, true, READY).await?;
            stops += 1;
            system.plan.say(&format!(
                "stop {stops}: {part} ended in {:.1?} and was ready {ready:.1?} after its start",
                ending.took
            ));
        }
    }
    Ok((stops, slowest))
}

/// Callers by gRPC of what must not be done twice, so that their client may not repeat it: athletes
/// who register.
struct Registrars {
    stop: CancellationToken,
    tasks: JoinSet<()>,
    registered: Arc<Registered>,
}

/// What became of the calls.
#[derive(Debug, Default)]
struct Registered {
    made: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

impl Registrars {
    fn start(stack: &Stack, count: usize) -> Result<Self> {
        let apis = stack.addresses().each_grpc.iter().map(ToString::to_string).collect();
        let token = SecretString::from(stack.operator_token());
        let config = ClientConfig { addresses: apis, ..ClientConfig::new("", token) };
        let client = AthletesServiceClient::new(treaty_rpc::connect_lazy(&config)?);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let registered = Arc::<Registered>::default();
        for _ in 0..count {
            let (client, registered) = (client.clone(), Arc::clone(&registered));
            let stop = stop.clone();
            tasks.spawn(async move {
                while !stop.is_cancelled() {
                    registered.one_more(&client).await;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
        Ok(Self { stop, tasks, registered })
    }

    async fn stop(mut self) -> (usize, Vec<String>) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        let failures = self.registered.failures.lock().unwrap_or_else(PoisonError::into_inner);
        (self.registered.made.load(Ordering::Relaxed), failures.clone())
    }
}

impl Registered {
    async fn one_more(&self, client: &AthletesServiceClient) {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let request = RegisterAthleteRequest {
            display_name: format!("Registered {number}"),
            email: format!("registered-{number}@example.org"),
        };
        if let Err(error) = client.register_athlete(&Context::background(), request).await {
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(error.chain());
        }
    }
}
