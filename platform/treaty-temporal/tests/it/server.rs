//! Against a real server.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use testbed::{RunDirectory, TemporalServer, Tools};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::CancellationToken;
use treaty_temporal::{
    ActivityContract, Connection, Error, ScheduleSpec, Starter, TemporalConfig, Worker,
    WorkerConfig, WorkflowContract, connect,
};

use crate::contracts::{Compose, Composer, Greet, GreetRequest, GreetWorkflow, QUEUE};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// The tests share a server and a task queue, so only one of them may have a
/// worker at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// The server that all tests of this process share.
static SERVER: OnceLock<(TemporalServer, RunDirectory)> = OnceLock::new();

async fn address() -> String {
    let start = || {
        let directory = RunDirectory::disposable("treaty-temporal").unwrap();
        let tools = Tools::new().unwrap();
        (TemporalServer::start(&tools, directory.path()).unwrap(), directory)
    };
    // Starting, and the first time building, a server blocks for long.
    let address = spawn_blocking(move || SERVER.get_or_init(start).0.address());
    address.await.unwrap()
}

/// Runs the CLI against the server of all tests; an error is what it printed.
pub async fn cli(arguments: &[&str]) -> Result<String, String> {
    address().await;
    let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let run = move || {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        SERVER.get().unwrap().0.cli(&arguments).map_err(|error| error.to_string())
    };
    spawn_blocking(run).await.unwrap()
}

/// A turn on the shared server.
pub struct World {
    pub connection: Connection,
    pub starter: Starter<Greet>,
    _turn: MutexGuard<'static, ()>,
}

impl World {
    pub async fn new() -> Self {
        let turn = TURN.lock().await;
        let connection = connect(&TemporalConfig::new(address().await)).await.unwrap();
        connection.register_search_attributes(&[Greet::SPEC]).await.unwrap();
        let starter = Starter::new(Arc::new(connection.clone()));
        Self { connection, starter, _turn: turn }
    }

    pub fn work(&self, composer: &Arc<Composer>) -> Running {
        self.work_with(composer, WorkerConfig::default())
    }

    pub fn work_with(&self, composer: &Arc<Composer>, config: WorkerConfig) -> Running {
        let worker = Worker::new(QUEUE, config)
            .declare(&[Greet::SPEC], &[Compose::SPEC])
            .workflow::<Greet, GreetWorkflow>()
            .unwrap()
            .activity::<Compose, _>(Arc::clone(composer))
            .unwrap();
        let stop = CancellationToken::new();
        let connection = self.connection.clone();
        let shutdown = stop.clone().cancelled_owned();
        let task = tokio::spawn(async move { worker.run(&connection, shutdown).await });
        Running { stop, task }
    }
}

pub struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

impl Running {
    pub async fn finish(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap();
    }
}

pub fn request(name: &str) -> GreetRequest {
    GreetRequest { full_name: name.to_owned() }
}

pub async fn eventually<F, T>(what: &str, mut probe: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let waiting = async {
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_runs_its_activity_and_answers() {
    let world = World::new().await;
    let worker = world.work(&Arc::new(Composer::new()));

    let response = world.starter.execute("greet-ada", &request("Ada")).await.unwrap();

    assert_eq!(response.greeting, "Hello, Ada!");
    assert_eq!(response.attempts, 1);
    worker.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_failure_is_retried_with_its_progress() {
    let world = World::new().await;
    let worker = world.work(&Arc::new(Composer::new()));

    let response = world.starter.execute("greet-flaky", &request("flaky")).await.unwrap();

    assert_eq!(response.attempts, 2);
    worker.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_failure_is_not_retried_and_says_why() {
    let world = World::new().await;
    let composer = Arc::new(Composer::new());
    let worker = world.work(&composer);

    let error = world.starter.execute("greet-nobody", &request("nobody")).await.unwrap_err();

    let Error::WorkflowFailed { message, kind, .. } = &error else { panic!("{error:?}") };
    assert_eq!(kind.as_deref(), Some("INVALID_ARGUMENT"));
    assert!(message.contains("fullName: is nobody's"), "{message}");
    assert_eq!(composer.begun.load(Ordering::SeqCst), 1);
    worker.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_id_is_taken_and_can_be_joined() {
    let world = World::new().await;
    let composer = Arc::new(Composer::new());
    let worker = world.work(&composer);
    let first = world.starter.start("greet-patient", &request("patient")).await.unwrap();

    let second = world.starter.start("greet-patient", &request("patient")).await.unwrap_err();
    let joined = world.starter.start_or_join("greet-patient", &request("patient")).await.unwrap();

    let Error::AlreadyStarted { run_id, .. } = second else { panic!("{second:?}") };
    assert_eq!(run_id.as_deref(), first.run_id());
    assert_eq!(joined.run_id(), first.run_id());
    composer.gate.add_permits(1);
    assert_eq!(joined.result().await.unwrap().greeting, "Hello, patient!");
    worker.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_can_be_ended_from_outside() {
    let world = World::new().await;
    let run = world.starter.start("greet-late", &request("late")).await.unwrap();

    run.terminate("no longer wanted").await.unwrap();

    let error = run.result().await.unwrap_err();
    assert!(matches!(error, Error::WorkflowEnded { outcome: "terminated", .. }), "{error:?}");
    let unknown = world.starter.run("greet-unknown", None).cancel("why not").await.unwrap_err();
    assert!(matches!(unknown, Error::WorkflowNotFound { .. }), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_put_triggered_paused_and_deleted() {
    let world = World::new().await;
    let worker = world.work(&Arc::new(Composer::new()));
    let hourly = ScheduleSpec::every("greet-hourly", Duration::from_secs(3600))
        .with_jitter(Duration::from_secs(30))
        .with_catchup_window(Duration::from_secs(600))
        .with_note("wakes Ada")
        .paused();

    let handle = world.starter.schedule(hourly.clone(), &request("Ada")).await.unwrap();
    // A second replica puts it again, with another input: the last word counts.
    let hourly = ScheduleSpec { start_paused: false, ..hourly };
    world.starter.schedule(hourly, &request("Grace")).await.unwrap();
    let status = handle.describe().await.unwrap();
    assert!(status.paused, "an update does not resume");
    assert_eq!(status.note, "wakes Ada");
    handle.resume("morning").await.unwrap();
    handle.trigger().await.unwrap();

    let started = eventually("the schedule starts a workflow", || async {
        handle.describe().await.unwrap().recent.first().cloned()
    })
    .await;
    assert!(started.workflow_id.starts_with("greet-hourly"), "{}", started.workflow_id);
    let run = world.starter.run(started.workflow_id, Some(started.run_id));
    assert_eq!(run.result().await.unwrap().greeting, "Hello, Grace!");

    handle.pause("night").await.unwrap();
    let status = handle.describe().await.unwrap();
    assert!(status.paused);
    assert_eq!((status.note.as_str(), status.started), ("night", 1));
    handle.delete().await.unwrap();
    let gone = handle.describe().await.unwrap_err();
    assert!(matches!(gone, Error::ScheduleNotFound { .. }), "{gone:?}");
    worker.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_put_a_schedule_at_once_all_succeed() {
    let world = World::new().await;
    let put = || async {
        let every = ScheduleSpec::every("greet-daily", Duration::from_secs(86_400));
        world.starter.schedule(every, &request("Ada")).await
    };

    let (first, second, third) = tokio::join!(put(), put(), put());

    first.unwrap();
    second.unwrap();
    third.unwrap().delete().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_finishes_what_it_has_begun() {
    let world = World::new().await;
    let composer = Arc::new(Composer::new());
    let worker = world.work(&composer);
    let run = world.starter.start("greet-drain", &request("patient")).await.unwrap();
    eventually("the activity begins", || async {
        (composer.begun.load(Ordering::SeqCst) == 1).then_some(())
    })
    .await;

    worker.stop.cancel();
    composer.gate.add_permits(1);
    worker.finish().await;

    // Another worker takes the workflow over; the activity is not repeated.
    let successor = world.work(&composer);
    assert_eq!(run.result().await.unwrap().attempts, 1);
    assert_eq!(composer.begun.load(Ordering::SeqCst), 1);
    successor.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_activity_does_not_stop_gives_up_in_time() {
    let world = World::new().await;
    let composer = Arc::new(Composer::new());
    let hasty = WorkerConfig { drain_seconds: 0, ..Default::default() };
    let bound = hasty.shutdown_bound();
    let worker = world.work_with(&composer, hasty);
    let run = world.starter.start("greet-stuck", &request("patient")).await.unwrap();
    eventually("the activity begins", || async {
        (composer.begun.load(Ordering::SeqCst) == 1).then_some(())
    })
    .await;

    let began = Instant::now();
    worker.stop.cancel();
    let outcome = tokio::time::timeout(PATIENCE, worker.task).await.unwrap().unwrap();

    assert!(matches!(outcome, Err(Error::Worker { .. })), "{outcome:?}");
    assert!(began.elapsed() < bound + Duration::from_secs(5));
    run.terminate("the test is over").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_does_not_exist_is_named_with_its_key() {
    let mut config = TemporalConfig::new(address().await);
    config.namespace = "nowhere".to_owned();
    config.connect_timeout_seconds = 1;

    let error = connect(&config).await.unwrap_err();

    assert!(matches!(error, Error::Config { key: "namespace", .. }), "{error:?}");
    assert!(error.to_string().contains("nowhere"), "{error}");
}
