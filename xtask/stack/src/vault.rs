//! Where the api finds its secrets.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use testbed::BaoServer;

use crate::Binaries;
use crate::launch::{STRAVA_CLIENT_ID, Secrets};

/// Where our application's identifier and secret are, in Vault and in files.
const STRAVA_CREDENTIALS: &str = "strava-credentials";

/// The settings by which an api reaches its secrets.
pub(crate) type Settings = Vec<(String, String)>;

/// Gives Vault what the api needs of it: Strava's credentials, and a policy that lets the api read them
/// and keep the athletes' tokens. The token lasts for an hour from each renewal.
pub(crate) fn prepare(
    vault: &BaoServer,
    binaries: &Binaries,
    secrets: &Secrets,
) -> Result<Settings> {
    let file = binaries.vault_policies().join("api.hcl");
    let policy =
        std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    vault.put_policy("api", &policy)?;
    vault.put(STRAVA_CREDENTIALS, &credentials(secrets))?;
    let token = vault.create_token(&json!({
        "policies": ["api"], "period": "1h", "no_default_policy": false, "display_name": "api",
    }))?;
    Ok(vec![
        ("API__SECRETS__VAULT__ADDRESS".to_owned(), vault.url()),
        ("API__SECRETS__VAULT__TOKEN".to_owned(), token),
    ])
}

/// Puts Strava's credentials into encrypted files, as a person on a laptop would.
pub(crate) fn prepare_files(
    directory: &Path,
    binaries: &Binaries,
    secrets: &Secrets,
) -> Result<Settings> {
    let directory = directory.join("secrets").display().to_string();
    let settings = vec![("API__SECRETS__FILE__DIRECTORY".to_owned(), directory)];
    let mut put = Command::new(binaries.path("api"))
        .args(["secrets", "put", STRAVA_CREDENTIALS])
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run api")?;
    let input = put.stdin.take().context("no standard input")?;
    // Dropped when it is written, which ends the input.
    { input }.write_all(credentials(secrets).to_string().as_bytes())?;
    let output = put.wait_with_output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "api secrets put failed: {told}");
    Ok(settings)
}

fn credentials(secrets: &Secrets) -> serde_json::Value {
    json!({
        "STRAVA_CLIENT_ID": STRAVA_CLIENT_ID,
        "STRAVA_CLIENT_SECRET": secrets.strava_client,
    })
}
