use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use stack::journey::{User, wait};
use stack::telemetry::Receiver;
use stack::{Options, SecretStore, verify};

use crate::start;

const PATIENCE: Duration = Duration::from_secs(60);

/// The system keeps its secrets in Vault, by a policy that lets the api read no more than it needs. A
/// Vault that is sealed stops nobody whose token lasts, and no secret is in any log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_live_in_vault_and_nowhere_else_and_a_sealed_vault_stops_no_sync() -> Result<()> {
    let receiver = Receiver::start()?;
    let options = Options {
        athletes: 3,
        activities_per_athlete: 5,
        consumers: 1,
        dispatch_every: Duration::from_secs(2),
        secrets: SecretStore::Vault,
        settings: receiver.settings(),
        ..Options::default()
    };
    let (mut stack, directory) = start(&options)?;
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(PATIENCE).await?;
    let athletes = user.join_all(options.athletes).await?;
    wait("all activities to be in Postgres", PATIENCE, async || {
        stack.check_alive()?;
        Ok(user.activities().await? >= options.activities())
    })
    .await?;

    let vault = stack.vault().context("there is no Vault")?;
    let mut secrets = vec![vault.root_token().to_owned()];
    for path in athletes.iter().map(|athlete| format!("stravasync/athletes/{athlete}")) {
        secrets.extend(values(vault, &path, &["access_token", "refresh_token"])?);
    }
    secrets.extend(values(vault, "strava-credentials", &["STRAVA_CLIENT_SECRET"])?);
    wait("a consent whose tokens are seen to be written to Vault", PATIENCE, async || {
        let consent = [("api", "GET /v1/strava/callback"), ("api", "write secret")];
        Ok(receiver.traces().iter().any(|trace| trace.has_chain(&consent)))
    })
    .await?;
    vault.seal()?;
    assert_eq!(stack.sql("SELECT count(*) FROM strava_tokens")?.trim(), "0");
    let rounds = || -> Result<u32> {
        let least = "SELECT coalesce(min(runs), 0) FROM (SELECT count(*) AS runs FROM sync_runs \
                     WHERE outcome = 'succeeded' GROUP BY athlete_id) AS each";
        Ok(stack.sql(least)?.trim().parse()?)
    };
    let before = rounds()?;
    wait(
        "each athlete to be synced twice more, with the token that was read before",
        PATIENCE,
        async || Ok(rounds()? >= before + 2),
    )
    .await?;
    verify::verify(&stack, &user, &athletes).await?;

    stack.vault().context("there is no Vault")?.unseal()?;
    stack.stop();
    let leaks = leaks(directory.path(), &secrets)?;
    assert!(leaks.is_empty(), "{leaks:?}");
    // No token is in any trace; and who an athlete is, is not in what is told of Vault.
    let spans = receiver.spans();
    let hidden = |text: &str| !secrets.iter().any(|secret| text.contains(secret));
    assert!(spans.iter().all(|span| hidden(&format!("{span:?}"))));
    let of_vault = spans.iter().filter(|span| span.name.ends_with(" secret"));
    assert!(of_vault.clone().count() >= athletes.len());
    for span in of_vault {
        let text = format!("{span:?}");
        assert!(!athletes.iter().any(|athlete| text.contains(athlete)), "{text}");
    }
    directory.succeeded()
}

/// Values that no log may hold.
fn values(vault: &testbed::BaoServer, path: &str, names: &[&str]) -> Result<Vec<String>> {
    let path = format!("secret/data/{path}");
    let answer = vault.administer("GET", &path, &Value::Null)?;
    let value = |name: &&str| {
        let text = answer["data"]["data"][*name].as_str().map(str::to_owned);
        text.with_context(|| format!("{path} has no {name}"))
    };
    names.iter().map(value).collect()
}

/// The logs that hold one of the secrets.
fn leaks(directory: &Path, secrets: &[String]) -> Result<Vec<String>> {
    let (mut found, mut logs) = (Vec::new(), 0);
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        logs += 1;
        let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        if secrets.iter().any(|secret| text.contains(secret)) {
            found.push(path.display().to_string());
        }
    }
    anyhow::ensure!(logs >= 4, "only {logs} logs");
    Ok(found)
}
