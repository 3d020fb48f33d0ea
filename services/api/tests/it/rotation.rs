//! The application's secret is replaced at Strava and in Vault while the api runs.

use std::sync::Arc;

use api::config::StravaConfig;
use api::connections::{Application, StravaError, StravaOAuth as _, StravaOAuthClient};
use secrecy::SecretString;
use serde_json::{Value, json};
use strava::{RateLimits, Simulator, SimulatorConfig};
use testbed::{BaoServer, RunDirectory, Tools};
use treaty_secrets::SecretsConfig;

use crate::connections::browse;

const ID: u64 = 4711;

async fn strava(secret: &str) -> Simulator {
    let config = SimulatorConfig {
        client_id: ID,
        client_secret: secret.into(),
        limits: RateLimits::UNLIMITED,
        ..SimulatorConfig::default()
    };
    Simulator::start(config).await.unwrap()
}

/// A client as the api makes it, with what Vault has.
async fn client(simulator: &Simulator, vault: &BaoServer) -> StravaOAuthClient {
    let secrets: SecretsConfig = serde_json::from_value(json!({"vault": {
        "address": vault.url(), "token": vault.root_token(), "development": true,
    }}))
    .unwrap();
    let config: StravaConfig = serde_json::from_value(json!({
        "oauth_base_url": simulator.url(),
        "redirect_url": "http://127.0.0.1:1/v1/strava/callback",
    }))
    .unwrap();
    let secrets = treaty_secrets::open(&secrets).await.unwrap();
    let application = Application::open(&config, secrets).await.unwrap();
    StravaOAuthClient::new(&config, application).unwrap()
}

fn credentials(secret: &str) -> Value {
    json!({"STRAVA_CLIENT_ID": ID.to_string(), "STRAVA_CLIENT_SECRET": secret})
}

/// Walks a consent up to its code.
async fn code(client: &StravaOAuthClient) -> SecretString {
    let page = client.authorize_url(&"state".into()).await;
    browse(&page, "sim_athlete=3").await.code
}

#[tokio::test]
async fn a_secret_that_was_replaced_in_vault_is_used_without_a_restart() {
    treaty_service::crypto::install();
    let directory = RunDirectory::disposable("api-rotation").unwrap();
    let vault = BaoServer::start(&Tools::new().unwrap(), directory.path()).unwrap();
    vault.put("strava-credentials", &credentials("the old secret")).unwrap();
    // Strava has had the new one since a moment ago.
    let simulator = strava("the new secret").await;
    let client = Arc::new(client(&simulator, &vault).await);
    let first = code(&client).await;
    let refused = client.exchange_code(&first).await;
    assert!(matches!(refused, Err(StravaError::InvalidApplication)), "{refused:?}");

    vault.put("strava-credentials", &credentials("the new secret")).unwrap();
    let grant = client.exchange_code(&first).await.unwrap();

    // What it has learnt, it goes on using while Vault is sealed.
    vault.seal().unwrap();
    client.refresh(&grant.tokens.refresh_token).await.unwrap();
}
