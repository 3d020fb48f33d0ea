//! Proving ourselves to Vault.

use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use vaultrs::client::{VaultClient, VaultClientSettingsBuilder};

use super::fault::{Fault, call};
use crate::config::is_header;
use crate::{SecretsError, VaultConfig};

/// The policy of which a token may do everything.
const ROOT: &str = "root";

/// A client with a token that Vault knows.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) client: Arc<VaultClient>,
    /// How long the token lasts; `None` for ever.
    pub(super) lease: Option<Lease>,
}

/// How long a token lasts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    /// A moment before the server counted.
    since: Instant,
    lasts: Duration,
    pub(super) renewable: bool,
}

impl Lease {
    pub(super) fn new(since: Instant, seconds: u64, renewable: bool) -> Option<Self> {
        let lasts = Duration::from_secs(seconds);
        (seconds > 0).then_some(Self { since, lasts, renewable })
    }

    /// When to see to the next one: time is left for a Vault that is away for a while.
    pub(super) fn due(self) -> Instant {
        self.since + self.lasts * 2 / 3
    }

    /// Whether it is worth little beside another: towards the end of its greatest life a token is
    /// renewed for less and less.
    pub(super) fn is_short_beside(self, other: Self) -> bool {
        self.lasts < other.lasts / 2
    }
}

/// Takes or obtains a token as the configuration says, and looks at what it may do.
pub(super) async fn login(config: &VaultConfig) -> Result<Login, SecretsError> {
    // Counted from before the question, so that we never think that it lasts longer than it does.
    let since = Instant::now();
    let token = token(config).await?;
    let client = client(config, token.expose_secret())?;
    let known = call(vaultrs::token::lookup_self(&client)).await.map_err(|fault| match fault {
        Fault::Forbidden => SecretsError::Login("the token has ended or was revoked".to_owned()),
        other => other.unexpected("looking up our token", "auth/token/lookup-self"),
    })?;
    if known.policies.iter().any(|policy| policy == ROOT) && !config.development {
        return Err(SecretsError::RootToken);
    }
    let lease = Lease::new(since, known.ttl, known.renewable.unwrap_or(false));
    Ok(Login { client: Arc::new(client), lease })
}

/// Whether another login may give another token than the one that ended.
pub(super) fn can_be_repeated(config: &VaultConfig) -> bool {
    config.token.is_none()
}

async fn token(config: &VaultConfig) -> Result<SecretString, SecretsError> {
    if let Some(token) = &config.token {
        return Ok(token.clone());
    }
    if let Some(file) = &config.token_file {
        return read(file).await;
    }
    let Some(kubernetes) = &config.kubernetes else {
        let message = "secrets.vault has no token, token_file or kubernetes.role";
        return Err(SecretsError::Config(message.to_owned()));
    };
    let account = read(&kubernetes.token_file).await?;
    let nobody = client(config, "")?;
    let (mount, role) = (&kubernetes.mount, &kubernetes.role);
    let login = vaultrs::auth::kubernetes::login(&nobody, mount, role, account.expose_secret());
    let login = call(login).await.map_err(|fault| match fault {
        Fault::Forbidden => SecretsError::Login(format!("role {role} does not admit our account")),
        other => other.unexpected("logging in", &format!("auth/{mount}/login")),
    })?;
    Ok(login.client_token.into())
}

/// A token that somebody else keeps fresh in a file.
async fn read(file: &std::path::Path) -> Result<SecretString, SecretsError> {
    let text = tokio::fs::read_to_string(file)
        .await
        .map(SecretString::from)
        .map_err(|source| SecretsError::File { path: file.to_owned(), source })?;
    Ok(text.expose_secret().trim().to_owned().into())
}

/// The library takes nothing from the environment: what a service does stands in its configuration.
fn client(config: &VaultConfig, token: &str) -> Result<VaultClient, SecretsError> {
    if !token.is_empty() && !is_header(token) {
        return Err(SecretsError::Login("the token is no text that can be sent".to_owned()));
    }
    let ca_certs = config.ca_file.iter().map(|file| file.display().to_string()).collect();
    let settings = VaultClientSettingsBuilder::default()
        .address(config.address.as_str())
        .token(token)
        .ca_certs(ca_certs)
        .identity(None)
        .verify(true)
        .namespace(config.namespace.clone())
        .timeout(Some(config.timeout()))
        .build()
        .map_err(|error| SecretsError::Config(error.to_string()))?;
    let made = tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), || {
        VaultClient::new(settings)
    });
    made.map_err(|error| SecretsError::Config(error.to_string()))
}
