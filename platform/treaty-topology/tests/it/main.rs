//! The program against a real server: plan, apply, drift, and what it refuses.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::{NatsServer, Tools};

/// A server and definitions, which a test changes as it likes.
struct World {
    server: NatsServer,
    directory: TempDir,
}

impl World {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let tools = Tools::new().unwrap();
        let server = NatsServer::start(&tools, directory.path().join("nats")).unwrap();
        let world = Self { server, directory };
        world.declare("streams/jobs.json", &stream());
        world.declare("consumers/jobs/worker-Job.json", &consumer());
        world
    }

    fn declare(&self, path: &str, config: &Value) {
        let path = self.definitions().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, config.to_string()).unwrap();
    }

    fn definitions(&self) -> std::path::PathBuf {
        self.directory.path().join("definitions")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        run(&self.server.url(), &self.definitions(), arguments)
    }

    /// Exit status and both outputs.
    fn said(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }
}

fn run(url: &str, definitions: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_treaty-topology"))
        .args(arguments)
        .arg("--definitions")
        .arg(definitions)
        .args(["--url", url])
        .env_remove("NATS_USER")
        .output()
        .unwrap()
}

fn stream() -> Value {
    json!({"name": "jobs", "subjects": ["job.*", "done.*"], "retention": "limits",
        "storage": "file", "discard": "new", "max_age": 3_600_000_000_000_u64, "max_bytes": -1,
        "duplicate_window": 120_000_000_000_u64})
}

fn consumer() -> Value {
    json!({"durable_name": "worker-Job", "ack_policy": "explicit", "ack_wait": 30_000_000_000_u64,
        "filter_subject": "job.*", "deliver_policy": "all", "max_deliver": -1})
}

#[test]
fn an_empty_server_is_brought_to_what_is_declared() {
    let world = World::new();
    let (status, plan) = world.said(&["plan"]);
    assert_eq!(status, Some(0));
    assert!(
        plan.contains("+ stream jobs") && plan.contains("+ consumer worker-Job of jobs"),
        "{plan}"
    );
    assert!(plan.contains("max_age              3600s"), "{plan}");
    assert_eq!(world.said(&["drift"]).0, Some(2), "a plan changes nothing");
    assert_eq!(world.said(&["apply"]).0, Some(0));
    let (status, nothing) = world.said(&["drift"]);
    assert_eq!((status, nothing.trim()), (Some(0), "Everything is as the contracts say."));
}

#[test]
fn what_would_lose_data_is_refused_before_anything_is_changed() {
    let world = World::new();
    assert_eq!(world.said(&["apply"]).0, Some(0));
    let mut narrower = stream();
    narrower["subjects"] = json!(["job.*"]);
    narrower["duplicate_window"] = json!(60_000_000_000_u64);
    world.declare("streams/jobs.json", &narrower);
    let mut waits = consumer();
    waits["ack_wait"] = json!(60_000_000_000_u64);
    world.declare("consumers/jobs/worker-Job.json", &waits);
    let (status, refused) = world.said(&["apply"]);
    assert_eq!(status, Some(1));
    assert!(refused.contains("messages published to done.* are stored no more"), "{refused}");
    assert!(refused.contains("nothing was changed"), "{refused}");
    assert!(world.said(&["plan"]).1.contains("2 to change"), "the harmless step was not done");
    assert_eq!(world.said(&["apply", "--allow-data-loss"]).0, Some(0));
    assert_eq!(world.said(&["drift"]).0, Some(0));
}

#[test]
fn what_cannot_be_changed_in_place_is_made_anew_when_allowed() {
    let world = World::new();
    assert_eq!(world.said(&["apply"]).0, Some(0));
    let mut memory = stream();
    memory["storage"] = json!("memory");
    world.declare("streams/jobs.json", &memory);
    assert_eq!(world.said(&["apply"]).0, Some(1));
    assert_eq!(world.said(&["apply", "--allow-data-loss"]).0, Some(0));
    // The consumer went with its stream, and was made anew with it.
    assert_eq!(world.said(&["drift"]).0, Some(0));
}

#[test]
fn what_is_declared_nowhere_is_left_alone_unless_pruned() {
    let world = World::new();
    let mut other = stream();
    (other["name"], other["subjects"]) = (json!("other"), json!(["other.*"]));
    world.declare("streams/other.json", &other);
    assert_eq!(world.said(&["apply"]).0, Some(0));
    fs::remove_file(world.definitions().join("streams/other.json")).unwrap();
    fs::remove_file(world.definitions().join("consumers/jobs/worker-Job.json")).unwrap();
    let (status, told) = world.said(&["drift"]);
    assert_eq!(status, Some(0));
    assert!(told.contains("? stream other") && told.contains("? consumer worker-Job"), "{told}");
    assert_eq!(world.said(&["apply", "--prune"]).0, Some(1));
    assert_eq!(world.said(&["apply", "--prune", "--allow-data-loss"]).0, Some(0));
    assert!(!world.said(&["plan"]).1.contains('?'));
}

#[test]
fn a_plan_can_be_read_by_a_program() {
    let world = World::new();
    let output = world.run(&["plan", "--format", "json"]);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["steps"][0]["action"], "create");
    assert_eq!(plan["steps"][0]["subject"]["stream"], "jobs");
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let world = World::new();
    let nowhere = TempDir::new().unwrap();
    let output = run(&world.server.url(), nowhere.path(), &["plan"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("gen/ops/nats"));
    world.declare("streams/renamed.json", &stream());
    let (_, told) = world.said(&["plan"]);
    assert!(told.contains("renamed.json") && told.contains("`name`"), "{told}");
    let output = run("nats://127.0.0.1:1", &world.definitions(), &["plan"]);
    assert_eq!(output.status.code(), Some(1));
}
