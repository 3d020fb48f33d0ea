//! `cargo xtask deploy check` on values that are wrong in several ways at once.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

/// What the verb says of a release with these values over its own; it must fail.
fn complaint(deployable: &str, environment: &str, values: &str) -> String {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("broken.yaml");
    fs::write(&file, values).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["deploy", "check", "manifests", "--deployable", deployable])
        .args(["--environment", environment, "--values"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(!output.status.success(), "{values}");
    String::from_utf8(output.stderr).unwrap()
}

fn names(said: &str, keys: &[&str]) {
    for key in keys {
        assert!(said.contains(key), "no word of {key}:\n{said}");
    }
}

#[test]
fn each_wrong_value_of_a_release_is_named_by_its_key() {
    let said = complaint(
        "api",
        "dev",
        "
config:
  nats.urll: nats://nats:4222
  operator_token: in-plain-sight-of-everybody
secretConfig:
  nats.password: {secret: stravasync-nats, key: APY}
ports:
  http: {containerPort: 8088}
shutdown: {graceSeconds: 1, preStopSeconds: 0}
externalSecrets:
  strava-credentials: {data: {STRAVA_CLIENT_ID: {path: elsewhere, property: ID}}}
tolerations:
  - keyy: nodes
",
    );
    names(
        &said,
        &[
            "config.nats.urll: api has no such key",
            "config.operator_token: this is secret",
            "the Secret stravasync-nats has no APY",
            "ports.http.containerPort: it is 8088",
            "shutdown.graceSeconds: ",
            "externalSecrets.strava-credentials.data.STRAVA_CLIENT_ID.path: ",
            "additional properties 'keyy' not allowed",
        ],
    );
}

#[test]
fn names_of_others_are_compared_with_what_there_is() {
    let said = complaint(
        "consumer",
        "prod",
        "
config:
  peers.api.address: stravasync-api-prod.stravasync.svc.cluster.local:9999
contracts:
  handlers:
    - {event: a.v1.B, stream: athlete, consumer: nobody-a-v1-B, ackWaitSeconds: 30}
imagePullSecrets: [nobody-s]
",
    );
    names(
        &said,
        &[
            "config.peers.api.address: no Service answers",
            "gen/ops/nats/consumers/athlete/nobody-a-v1-B.json",
            "imagePullSecrets: nobody makes the Secret nobody-s",
        ],
    );
}

#[test]
fn what_helm_refuses_is_named_too() {
    for (values, key) in [
        ("replica: 2\n", "'replica'"),
        ("image: {tag: latest}\n", "/image/tag"),
        (
            "autoscaling: {horizontal: {enabled: true}}\n",
            "autoscaling.vertical.resources holds cpu",
        ),
        (
            "contracts: {calls: [{name: temporal, protocol: temporal}]}\n",
            "networkPolicy.peers has no temporal",
        ),
        ("a: [\n", "broken.yaml"),
    ] {
        names(&complaint("api", "dev", values), &["api in dev", key]);
    }
}

#[test]
fn a_release_that_is_not_there_is_answered_by_those_that_are() {
    let said = complaint("nobody", "dev", "replicas: 1\n");
    names(&said, &["api in dev", "worker in prod"]);
}
