//! The process: what it says about its configuration, how it answers and how it ends.

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::Duration;

use testbed::{Launch, Leashed, Signal, http, wait_until};

use crate::servers::Servers;

const BINARY: &str = env!("CARGO_BIN_EXE_worker");
const TEMPORAL: (&str, &str) = ("WORKER__TEMPORAL__ADDRESS", "127.0.0.1:7233");
const ADDRESS: (&str, &str) = ("WORKER__PEERS__API__ADDRESS", "127.0.0.1:9233");
const TOKEN: (&str, &str) = ("WORKER__PEERS__API__TOKEN", "a-token-nobody-may-see");

fn checked(environment: &[(&str, &str)]) -> Output {
    Command::new(BINARY)
        .arg("--check-config")
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn a_wrong_configuration_ends_it_at_once_with_the_keys_name() {
    for (environment, key) in [
        (vec![TEMPORAL, ADDRESS], "peers.api.token"),
        (vec![TEMPORAL, TOKEN], "peers.api.addresses"),
        (vec![TEMPORAL], "peers.api.addresses"),
        (vec![ADDRESS, TOKEN], "temporal.address"),
        (vec![TEMPORAL, ADDRESS, TOKEN, ("WORKER__PUBLISHERS", "0")], "publishers"),
        (vec![TEMPORAL, ADDRESS, TOKEN, ("WORKER__SCHEDULE__CRON", "x")], "schedule.cron"),
    ] {
        let output = checked(&environment);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains(&format!("key {key} ")), "{said}");
        assert!(!said.contains("nobody-may-see"), "{said}");
    }
    assert!(checked(&[TEMPORAL, ADDRESS, TOKEN]).status.success());
}

/// Starts the process, with these variables besides those of the servers, and waits until it
/// answers `/livez`.
pub(crate) fn launch(servers: &Servers, environment: &[(&str, &str)]) -> (Leashed, SocketAddr) {
    let file = servers.directory.path().join("address");
    // The one before may have left its own.
    drop(std::fs::remove_file(&file));
    let mut process = Launch::new("worker", BINARY)
        .envs([ADDRESS, TOKEN])
        .env("WORKER__NATS__URL", servers.nats.url())
        .env("WORKER__TEMPORAL__ADDRESS", servers.temporal.address())
        .env("WORKER__HEALTH__LISTEN", "127.0.0.1:0")
        .env("WORKER__HEALTH__ADDRESS_FILE", &file)
        .envs(environment.iter().copied())
        .start(servers.directory.path().join("worker.log"))
        .unwrap();
    let address = || Some(std::fs::read_to_string(&file).ok()?.trim().parse().unwrap());
    let live = || match address() {
        Some(address) => Ok(http::get(address, "/livez")?.0 == 200),
        None => Ok(false),
    };
    process.wait_ready(Duration::from_secs(20), live).unwrap();
    (process, address().unwrap())
}

/// Waits until the process works: until it has registered and scheduled everything.
pub(crate) fn wait_ready(address: SocketAddr) {
    let ready = || Ok(http::get(address, "/readyz")?.0 == 200);
    wait_until("readiness", Duration::from_secs(60), ready).unwrap();
}

#[test]
fn it_becomes_ready_and_ends_well_when_told_to() {
    let servers = Servers::start_blocking();
    let (mut process, address) = launch(&servers, &[]);
    wait_ready(address);
    // The server lists from an index that follows what is stored a little later.
    let listed = || {
        let listed = servers.temporal.cli(&["schedule", "list"])?;
        Ok(listed.contains("stravasync-dispatch") && listed.contains("stravasync-reconcile"))
    };
    wait_until("the schedule's being listed", Duration::from_secs(30), listed).unwrap();

    process.signal(Signal::Term).unwrap();

    let code = process.wait_ended(Duration::from_secs(30)).unwrap();
    let log = std::fs::read_to_string(process.log_path()).unwrap();
    assert_eq!(code, 0, "{log}");
    assert!(!log.contains("nobody-may-see"), "{log}");
}
