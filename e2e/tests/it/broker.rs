//! The generated permissions at a real broker: each deployable may do what its
//! contract grants, and nothing else.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_nats::{Client, ConnectOptions, Event};
use serde_json::{Value, json};
use testbed::{NatsOptions, NatsServer, RunDirectory, Tools};
use tokio::sync::mpsc;

const USERS: [&str; 4] = ["operations", "api", "consumer", "worker"];

/// A server with the generated users, each with its name as password, and the
/// generated streams.
async fn server(directory: &Path) -> Result<NatsServer> {
    let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gen/ops/nats");
    let password = |user: &&str| (format!("NATS_PASSWORD_{}", user.to_uppercase()), (*user).into());
    let options = NatsOptions {
        configuration: std::fs::read_to_string(definitions.join("authorization.conf"))?,
        environment: USERS.iter().map(password).collect(),
        ..NatsOptions::default()
    };
    let directory = directory.to_path_buf();
    let starting = move || NatsServer::start_with(&Tools::new()?, directory, &options);
    let server = tokio::task::spawn_blocking(starting).await??;
    // The api shows dead letters to operators over another user's connection, not its own.
    let mut api = User::connect(&server, "api").await?;
    for verb in ["STREAM.MSG.GET", "DIRECT.GET", "STREAM.MSG.DELETE", "STREAM.INFO"] {
        api.may_not_publish(&format!("$JS.API.{verb}.dead-letters")).await?;
    }
    api.may_not_publish("dead-letters.athlete.consumer-stravasync-sync-v1-SyncAthlete").await?;

    let operations = User::connect(&server, "operations").await?;
    for name in ["athlete", "dead-letters"] {
        let file = definitions.join(format!("streams/{name}.json"));
        let config: Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let made = operations.ask(&format!("$JS.API.STREAM.CREATE.{name}"), &config).await?;
        anyhow::ensure!(made.get("error").is_none(), "{made}");
    }
    Ok(server)
}

struct User {
    client: Client,
    /// What the server reports, such as a violated permission.
    reports: mpsc::UnboundedReceiver<String>,
    name: &'static str,
}

impl User {
    async fn connect(server: &NatsServer, name: &'static str) -> Result<Self> {
        let (sender, reports) = mpsc::unbounded_channel();
        let client = ConnectOptions::new()
            .user_and_password(name.to_owned(), name.to_owned())
            .custom_inbox_prefix(format!("_INBOX.{name}"))
            .event_callback(move |event| {
                let sender = sender.clone();
                async move {
                    if let Event::ServerError(error) = event {
                        let _ = sender.send(error.to_string());
                    }
                }
            })
            .connect(server.url())
            .await?;
        Ok(Self { client, reports, name })
    }

    async fn ask(&self, subject: &str, body: &Value) -> Result<Value> {
        let answer = self.client.request(subject.to_owned(), body.to_string().into()).await?;
        Ok(serde_json::from_slice(&answer.payload)?)
    }

    /// The server must refuse to take this message, and say so.
    async fn may_not_publish(&mut self, subject: &str) -> Result<()> {
        self.client.publish(subject.to_owned(), "{}".into()).await?;
        self.refused(subject).await
    }

    async fn may_not_subscribe(&mut self, subject: &str) -> Result<()> {
        // Kept until the server has spoken: a subscription that is dropped may never arrive.
        let _subscription = self.client.subscribe(subject.to_owned()).await?;
        self.refused(subject).await
    }

    async fn refused(&mut self, subject: &str) -> Result<()> {
        self.client.flush().await?;
        let report = tokio::time::timeout(Duration::from_secs(10), self.reports.recv()).await;
        let report = report.with_context(|| format!("{} may use {subject}", self.name))?;
        let report = report.context("the connection ended")?.to_lowercase();
        anyhow::ensure!(
            report.contains("permissions violation") && report.contains(&subject.to_lowercase()),
            "{report}"
        );
        Ok(())
    }
}

#[tokio::test]
async fn each_deployable_may_do_what_its_contract_grants_and_no_more() -> Result<()> {
    let directory = RunDirectory::create("treaty-e2e")?;
    let server = server(directory.path()).await?;

    let mut worker = User::connect(&server, "worker").await?;
    let stored = worker.ask("athlete.sync.one", &json!({})).await?;
    assert_eq!(stored["stream"], "athlete", "{stored}");
    worker.may_not_publish("athlete.sync-ended.one").await?;
    worker.may_not_publish("$JS.API.STREAM.DELETE.athlete").await?;
    worker.may_not_publish("$JS.API.STREAM.PURGE.athlete").await?;
    let next = "$JS.API.CONSUMER.MSG.NEXT.athlete.consumer-stravasync-sync-v1-SyncAthlete";
    worker.may_not_publish(next).await?;
    worker.may_not_subscribe("athlete.>").await?;
    worker.may_not_subscribe("_INBOX.consumer.>").await?;

    let mut consumer = User::connect(&server, "consumer").await?;
    // What it handles it may store again, for a stop that comes at a message's last delivery.
    let stored = consumer.ask("athlete.sync.one", &json!({})).await?;
    assert_eq!(stored["stream"], "athlete", "{stored}");
    consumer.may_not_publish("athlete.sync-ended.one").await?;
    // A consumer of its own name, but for messages that it was not granted.
    let create = "$JS.API.CONSUMER.CREATE.athlete.consumer-stravasync-sync-v1-SyncAthlete";
    consumer.may_not_publish(&format!("{create}.athlete.sync-ended.*")).await?;
    consumer.may_not_publish("$JS.API.STREAM.MSG.GET.athlete").await?;
    // Dead letters: a deployable adds its own, and an operator alone reads or ends them.
    let own = "dead-letters.athlete.consumer-stravasync-sync-v1-SyncAthlete";
    let stored = consumer.ask(own, &json!({})).await?;
    assert_eq!(stored["stream"], "dead-letters", "{stored}");
    let others = "dead-letters.athlete.api-stravasync-sync-v1-AthleteSyncEnded";
    consumer.may_not_publish(others).await?;
    for verb in ["STREAM.MSG.GET", "DIRECT.GET", "STREAM.MSG.DELETE", "STREAM.PURGE"] {
        consumer.may_not_publish(&format!("$JS.API.{verb}.dead-letters")).await?;
    }
    consumer.may_not_publish("$JS.API.CONSUMER.CREATE.dead-letters.reader").await?;

    let operations = User::connect(&server, "operations").await?;
    let info = operations.ask("$JS.API.STREAM.INFO.athlete", &json!({})).await?;
    assert_eq!(info["state"]["messages"], 2, "{info}");
    server.stop();
    directory.succeeded()
}
