//! The process: what it says about its configuration, how it answers and how it ends.

use std::process::{Command, Output};
use std::time::Duration;

use testbed::{Launch, Leashed, RunDirectory, Signal, http, wait_until};

use crate::jobs::Nats;

const BINARY: &str = env!("CARGO_BIN_EXE_consumer");

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
    let address = ("CONSUMER__PEERS__API__ADDRESS", "127.0.0.1:9233");
    let token = ("CONSUMER__PEERS__API__TOKEN", "a-token-nobody-may-see");
    for (environment, key) in [
        (vec![], "peers.api.addresses"),
        (vec![address], "peers.api.token"),
        (vec![token], "peers.api.addresses"),
        (vec![address, token, ("CONSUMER__STRAVA__PAGE_SIZE", "0")], "strava.page_size"),
        (vec![address, token, ("CONSUMER__STRAVA__URL", "x")], "strava.url"),
    ] {
        let output = checked(&environment);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains(&format!("key {key} ")), "{said}");
        assert!(!said.contains("nobody-may-see"), "{said}");
    }
    assert!(checked(&[address, token]).status.success());
}

/// Starts the process and waits until it answers `/livez`.
fn launch(directory: &RunDirectory, nats_url: &str) -> (Leashed, std::net::SocketAddr) {
    let file = directory.path().join("address");
    let mut process = Launch::new("consumer", BINARY)
        .env("CONSUMER__NATS__URL", nats_url)
        // Nobody listens there: the api is called when there is a job, not before.
        .env("CONSUMER__PEERS__API__ADDRESS", "127.0.0.1:1")
        .env("CONSUMER__PEERS__API__TOKEN", "a-token-nobody-may-see")
        .env("CONSUMER__HEALTH__LISTEN", "127.0.0.1:0")
        .env("CONSUMER__HEALTH__ADDRESS_FILE", &file)
        .start(directory.path().join("consumer.log"))
        .unwrap();
    let address = || Some(std::fs::read_to_string(&file).ok()?.trim().parse().unwrap());
    let live = || match address() {
        Some(address) => Ok(http::get(address, "/livez")?.0 == 200),
        None => Ok(false),
    };
    process.wait_ready(Duration::from_secs(20), live).unwrap();
    (process, address().unwrap())
}

#[tokio::test]
async fn it_becomes_ready_and_ends_well_when_told_to() {
    let nats = Nats::start().await;
    let url = nats.server.url();
    let ended = tokio::task::spawn_blocking(move || {
        let directory = RunDirectory::disposable("consumer-process").unwrap();
        let (mut process, address) = launch(&directory, &url);
        let ready = || Ok(http::get(address, "/readyz")?.0 == 200);
        wait_until("readiness", Duration::from_secs(20), ready).unwrap();
        process.signal(Signal::Term).unwrap();
        let code = process.wait_ended(Duration::from_secs(20)).unwrap();
        (code, std::fs::read_to_string(process.log_path()).unwrap())
    });
    let (code, log) = ended.await.unwrap();
    assert_eq!(code, 0, "{log}");
    assert!(!log.contains("nobody-may-see"), "{log}");
}

#[test]
fn without_nats_it_is_alive_and_not_ready() {
    let directory = RunDirectory::disposable("consumer-process").unwrap();
    let (mut process, address) = launch(&directory, "nats://127.0.0.1:1");
    assert_eq!(http::get(address, "/readyz").unwrap().0, 503);
    process.signal(Signal::Term).unwrap();
    assert_eq!(process.wait_ended(Duration::from_secs(20)).unwrap(), 0, "{}", process.tail(20));
}
