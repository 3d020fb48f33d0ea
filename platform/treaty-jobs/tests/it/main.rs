//! The program against a real server, the whole way: a job that cannot be read becomes a
//! dead letter, is looked at, driven again when the handler is mended, or discarded.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod jobs;
mod killed;

use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use testbed::{NatsServer, Tools};
use tokio_util::sync::CancellationToken;
use treaty_nats::{
    Connection, Event, Handle, HandlerOptions, HandlerSpec, HandlerStats, NatsConfig, Publish as _,
    connect, run_handler_with,
};

use jobs::{CONTRACT, Done, Job, OldJob};

const PATIENCE: Duration = Duration::from_secs(60);

struct World {
    server: NatsServer,
    connection: Connection,
    directory: TempDir,
}

impl World {
    async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("nats");
        let starting = move || NatsServer::start(&Tools::new().unwrap(), path).unwrap();
        let server = tokio::task::spawn_blocking(starting).await.unwrap();
        let connection = connect(&NatsConfig::new(server.url())).await.unwrap();
        connection.ensure_streams(&[Job::STREAM]).await.unwrap();
        let world = Self { server, connection, directory };
        std::fs::write(world.directory.path().join("shop.proto"), CONTRACT).unwrap();
        let mut compiler = protox::Compiler::new([world.directory.path()]).unwrap();
        compiler.include_imports(true).open_file("shop.proto").unwrap();
        let bytes = compiler.encode_file_descriptor_set();
        std::fs::write(world.directory.path().join("contracts.binpb"), bytes).unwrap();
        world
    }

    async fn publish(&self, id: &str) {
        let job = Job { order: 7, card: "4711".to_owned(), id: id.to_owned() };
        self.connection.publisher::<Job>().publish(&job).await.unwrap();
    }

    /// Runs a handler that is content with everything until it has acknowledged and set aside so
    /// many.
    async fn handle<E: Event>(&self, acked: u64, dead: u64)
    where
        Done: Handle<E>,
    {
        self.handle_with::<E, _>(Arc::new(Done), acked, dead).await;
    }

    async fn handle_with<E: Event, H: Handle<E>>(&self, handler: Arc<H>, acked: u64, dead: u64) {
        let spec: &'static HandlerSpec = &jobs::SPEC;
        let (shutdown, stats) = (CancellationToken::new(), Arc::new(HandlerStats::default()));
        let running = tokio::spawn(run_handler_with::<E, _>(
            self.connection.clone(),
            spec,
            handler,
            shutdown.clone(),
            Arc::clone(&stats),
            HandlerOptions::default(),
        ));
        let reached = tokio::time::timeout(PATIENCE, async {
            let is_there =
                |now: treaty_nats::StatsSnapshot| now.acked >= acked && now.dead_lettered >= dead;
            while !is_there(stats.snapshot()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        reached.await.unwrap();
        shutdown.cancel();
        running.await.unwrap().unwrap();
        assert_eq!((stats.snapshot().acked, stats.snapshot().dead_lettered), (acked, dead));
    }

    /// Exit status and both outputs.
    fn said(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--format", "json"]].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_treaty-jobs"));
        command
            .args(arguments)
            .args(["--server", &self.server.url()])
            .env("TREATY_CONTRACTS", self.directory.path().join("contracts.binpb"))
            .env_remove("NATS_USER")
            .env_remove("NATS_PASSWORD");
        command
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_cannot_be_read_is_done_after_the_handler_is_mended() {
    let world = World::new().await;
    assert_eq!(
        world.said(&["list", "--fail-above", "0"]),
        (Some(0), "There is no dead letter.\n".to_owned())
    );
    world.publish("a").await;
    world.handle::<OldJob>(0, 1).await;

    let (status, listed) = world.said(&["list"]);
    assert_eq!(status, Some(0), "{listed}");
    assert!(listed.contains("INVALID_ARGUMENT: undecodable: not a shop.v1.Job"), "{listed}");
    assert!(
        listed.ends_with("1 dead letter.\n") && listed.contains("worker-shop-v1-Job"),
        "{listed}"
    );
    let (status, _) = world.said(&["list", "--fail-above", "0"]);
    assert_eq!(status, Some(2), "an alert");
    assert_eq!(world.said(&["list", "--fail-above", "1"]).0, Some(0));
    let (status, metrics) = world.said(&["list", "--format", "metrics", "--fail-above", "0"]);
    let gauge = "\ntreaty_dead_letters{stream=\"jobs\",handler=\"worker-shop-v1-Job\"} 1\n";
    assert!(status == Some(2) && metrics.contains(gauge), "{metrics}");
    let number = world.json(&["list"])["deadLetters"][0]["number"].to_string();

    let (status, shown) = world.said(&["show", &number]);
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains("\"order\": \"7\"") && shown.contains("hidden      card"), "{shown}");
    assert!(
        shown.contains("message id  a") && shown.contains("Treaty-Event: shop.v1.Job"),
        "{shown}"
    );
    assert!(!shown.contains("4711"), "{shown}");
    let shown = world.json(&["show", &number]);
    assert_eq!(shown["payload"], serde_json::json!({"order": "7", "id": "a"}));
    assert!(world.said(&["show", &number, "--raw"]).1.contains("4711"), "asked for");

    let (status, would) = world.said(&["redrive", "--all", "--dry-run"]);
    assert!(status == Some(0) && would.contains("1 would be driven again."), "{would}");
    assert_eq!(world.json(&["list"])["total"], 1, "a dry run changes nothing");
    let (status, driven) = world.said(&["redrive", &number]);
    assert_eq!(status, Some(0), "{driven}");
    assert!(driven.contains(&format!("driven again {number} (jobs.a of worker-shop-v1-Job)")));
    world.handle::<Job>(1, 0).await;
    assert_eq!(world.json(&["list"])["total"], 0);
    let (status, gone) = world.said(&["redrive", &number]);
    assert!(status == Some(1) && gone.contains("there is no dead letter"), "{gone}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_are_chosen_by_filters_and_discarded_only_by_a_clear_word() {
    let world = World::new().await;
    for id in ["a", "b", "c"] {
        world.publish(id).await;
    }
    world.handle::<OldJob>(0, 3).await;
    let total = |arguments: &[&str]| world.json(&[&["list"], arguments].concat())["total"].clone();
    assert_eq!(total(&["--handler", "worker-shop-v1-Job"]), 3);
    assert_eq!(total(&["--handler", "another"]), 0);
    assert_eq!(total(&["--reason", "invalid_argument"]), 3);
    assert_eq!(total(&["--reason", "NOT_FOUND"]), 0);
    let (_, limited) = world.said(&["list", "--limit", "2"]);
    assert!(limited.contains("3 dead letters, 2 shown"), "{limited}");
    let (status, odd) = world.said(&["list", "--reason", "NOTFOUND"]);
    assert!(status == Some(2) && odd.contains("FAILED_PRECONDITION"), "{odd}");

    let (status, refused) = world.said(&["discard", "--all"]);
    assert_eq!(status, Some(1));
    assert!(refused.contains("--yes discards these 3"), "{refused}");
    assert_eq!(total(&[]), 3);
    let (status, discarded) = world.said(&["discard", "--all", "--limit", "2", "--yes"]);
    assert!(status == Some(0) && discarded.ends_with("2 discarded.\n"), "{discarded}");
    let left = world.json(&["list"]);
    assert_eq!((&left["total"], &left["deadLetters"][0]["messageId"]), (&1.into(), &"c".into()));

    // What nobody would handle is kept, and said to be.
    let (status, kept) = world.said(&["redrive", "--all", "--to", "nobody"]);
    assert_eq!(status, Some(1));
    assert!(kept.contains("consumer nobody of stream jobs does not exist"), "{kept}");
    assert_eq!(total(&[]), 1);
}

#[test]
fn an_unreachable_server_is_told_with_what_to_look_at() {
    let output = Command::new(env!("CARGO_BIN_EXE_treaty-jobs"))
        .args(["list", "--server", "nats://127.0.0.1:1"])
        .env_remove("NATS_USER")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("look at --server"));
}
