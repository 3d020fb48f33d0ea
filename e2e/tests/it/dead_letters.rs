//! What a handler cannot handle waits for an operator, who has the verbs of `treaty-jobs`.

use std::time::Duration;

use anyhow::{Context as _, Result};
use api_port::sync_v1::{SyncAthlete, SyncReason};
use async_nats::{ConnectOptions, HeaderMap, jetstream};
use prost::Message as _;
use serde_json::{Value, json};
use stack::journey::{User, wait};
use stack::operator::Operator;
use stack::{Options, Stack};

const PATIENCE: Duration = Duration::from_secs(120);

/// An athlete that is not registered: what the mending makes good.
const ATHLETE: &str = "0198c1a5-0000-7000-8000-000000000001";

const SYNC_ATHLETE: &str = "consumer-stravasync-sync-v1-SyncAthlete";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_drives_again_what_was_mended_and_discards_what_was_never_right() -> Result<()>
{
    let options = Options {
        athletes: 1,
        activities_per_athlete: 1,
        consumers: 1,
        dispatch_every: Duration::from_secs(3600),
        ..Options::default()
    };
    let (stack, directory) = crate::start(&options)?;
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(PATIENCE).await?;
    publish_what_fails(&stack).await?;
    wait("two dead letters", PATIENCE, async || Ok(list(&stack, &[])?["total"] == 2)).await?;
    assert_eq!(stack.jobs(&["list", "--fail-above", "1"])?.status.code(), Some(2), "an alert");

    // A job that is no job: its bytes are shown to who asks for them.
    let garbage = one(&stack, "INVALID_ARGUMENT")?;
    let reason = garbage["reason"].as_str().context("no reason")?;
    assert!(reason.starts_with("INVALID_ARGUMENT: undecodable"), "{reason}");
    let number = garbage["number"].to_string();
    let (_, shown) = said(&stack, &["show", &number, "--raw"])?;
    assert!(shown.contains("ff ff 21") && shown.contains("athlete.sync.nobody"), "{shown}");
    // Driven again, it fails again, and this is told of it.
    assert!(said(&stack, &["redrive", &number])?.0);
    wait("it to fail again", PATIENCE, async || {
        let again = list(&stack, &["--reason", "INVALID_ARGUMENT"])?;
        Ok(again["deadLetters"][0]["redrives"] == 1)
    })
    .await?;
    let number = one(&stack, "INVALID_ARGUMENT")?["number"].to_string();
    let (done, refused) = said(&stack, &["discard", &number])?;
    assert!(!done && refused.contains("--yes"), "{refused}");
    assert!(said(&stack, &["discard", &number, "--yes"])?.0);

    // A job that was right, and came too early.
    let early = one(&stack, "NOT_FOUND")?;
    assert_eq!(early["handler"], SYNC_ATHLETE, "{early}");
    stack.sql(&format!(
        "INSERT INTO athletes (athlete_id, display_name, email) \
         VALUES ('{ATHLETE}', 'Late', 'late@example.org')"
    ))?;
    let (done, would) = said(&stack, &["redrive", "--all", "--reason", "NOT_FOUND", "--dry-run"])?;
    assert!(done && would.contains("1 would be driven again."), "{would}");
    drive_again_by_rpc(&stack, &user, &early["number"].to_string()).await?;
    let recorded = format!("SELECT count(*) FROM sync_runs WHERE athlete_id = '{ATHLETE}'");
    wait("its sync to be recorded", PATIENCE, async || Ok(stack.sql(&recorded)?.trim() == "1"))
        .await?;
    assert!(stack.jobs(&["list", "--fail-above", "0"])?.status.success());
    stack.stop();
    directory.succeeded()
}

/// As an operator who has a token of the api and no password of the broker. The api's own user
/// there may not do it.
async fn drive_again_by_rpc(stack: &Stack, user: &User, number: &str) -> Result<()> {
    let shown = user.get(&format!("/v1/dead-letters/{number}")).await?;
    assert_eq!(shown["json"]["athleteId"], ATHLETE, "{shown}");
    let wanted = json!({"filter": {"reason": "NOT_FOUND", "handler": SYNC_ATHLETE}});
    let api = format!("http://{}", stack.addresses().http);
    let operator = Operator::new(&api, stack.operator_token())?;
    let driven = operator.post("/v1/dead-letters:redrive", &wanted).await?;
    let outcome = &driven["outcomes"][0];
    assert_eq!(
        (&outcome["number"], &outcome["result"]),
        (&json!(number), &json!("REDRIVE_RESULT_DRIVEN"))
    );
    Ok(())
}

/// A job that no version can read, and one of an athlete that nobody knows yet.
async fn publish_what_fails(stack: &Stack) -> Result<()> {
    let client = ConnectOptions::new()
        .user_and_password("operations".to_owned(), stack.nats_password().to_owned())
        .connect(&stack.addresses().nats)
        .await?;
    let stream = jetstream::new(client);
    let early = SyncAthlete {
        athlete_id: ATHLETE.to_owned(),
        request_id: "early".to_owned(),
        reason: SyncReason::User.into(),
        ..SyncAthlete::default()
    };
    let messages = [
        ("athlete.sync.nobody".to_owned(), b"\xff\xff!".to_vec()),
        (format!("athlete.sync.{ATHLETE}"), early.encode_to_vec()),
    ];
    for (subject, payload) in messages {
        let mut headers = HeaderMap::new();
        headers.insert("Treaty-Event", "stravasync.sync.v1.SyncAthlete");
        stream.publish_with_headers(subject, headers, payload.into()).await?.await?;
    }
    Ok(())
}

fn list(stack: &Stack, filter: &[&str]) -> Result<Value> {
    let output = stack.jobs(&[&["list", "--format", "json"], filter].concat())?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).context(told)
}

/// The one dead letter with this reason.
fn one(stack: &Stack, reason: &str) -> Result<Value> {
    let listed = list(stack, &["--reason", reason])?;
    anyhow::ensure!(listed["total"] == 1, "{listed}");
    Ok(listed["deadLetters"][0].clone())
}

/// Whether it succeeded, and both outputs.
fn said(stack: &Stack, arguments: &[&str]) -> Result<(bool, String)> {
    let output = stack.jobs(arguments)?;
    let text = String::from_utf8([output.stdout, output.stderr].concat())?;
    Ok((output.status.success(), text))
}
