//! Reaching the server, with patience at start and a clear word when it ends.

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use temporalio_client::errors::ClientConnectError;
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::{Code, IntoRequest, Status};
use temporalio_client::{
    Client, ClientOptions, ClientTlsOptions, Connection as SdkConnection, ConnectionOptions,
    TlsOptions,
};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeNamespaceRequest;
use tokio::time::Instant;

use crate::{Error, TemporalConfig, TlsConfig};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(3);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to a Temporal server, bound to one namespace. Cheap to clone.
#[derive(Clone)]
pub struct Connection {
    client: Client,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("namespace", &self.client.options().namespace)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.client.options().namespace
    }

    /// Asks the server for the namespace: the readiness of a service that needs
    /// Temporal.
    ///
    /// # Errors
    /// [`Error::Config`] when the namespace does not exist, [`Error::Call`] when
    /// the server cannot be reached.
    pub async fn check(&self) -> Result<(), Error> {
        match self.describe_namespace().await {
            Ok(()) => Ok(()),
            Err(status) if status.code() == Code::NotFound => Err(self.no_namespace(status)),
            Err(status) => Err(Error::call("describe the namespace", status)),
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    async fn describe_namespace(&self) -> Result<(), Box<Status>> {
        let request = DescribeNamespaceRequest {
            namespace: self.namespace().to_owned(),
            ..Default::default()
        };
        let call =
            WorkflowService::describe_namespace(&mut self.client.clone(), request.into_request())
                .await;
        call.map(|_| ()).map_err(Box::new)
    }

    fn no_namespace(&self, status: Box<Status>) -> Error {
        Error::Config {
            key: "namespace",
            reason: format!("the server has no namespace {}", self.namespace()),
            source: Some(status),
        }
    }
}

/// Connects, and keeps trying until `connect_timeout_seconds` are over. It has
/// succeeded only when the server answers and the namespace exists.
///
/// # Errors
/// [`Error::Config`] naming the key when repeating cannot help,
/// [`Error::Unreachable`] when time ran out.
pub async fn connect(config: &TemporalConfig) -> Result<Connection, Error> {
    let options = connection_options(config).await?;
    let started = Instant::now();
    let deadline = started + config.connect_timeout();
    let mut wait = FIRST_WAIT;
    loop {
        let failure = match attempt(&options, config).await {
            Ok(connection) => return Ok(connection),
            Err(Attempt::Hopeless(error)) => return Err(error),
            Err(Attempt::Later(error)) => error,
        };
        if Instant::now() + wait >= deadline {
            return Err(match failure {
                // The server is there: the namespace is what is wrong.
                error @ Error::Config { .. } => error,
                error => Error::Unreachable {
                    address: config.address.clone(),
                    waited: started.elapsed(),
                    source: error.into(),
                },
            });
        }
        tracing::debug!(address = %config.address, error = %failure, ?wait, "Temporal is not ready yet");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether a failed attempt is worth repeating.
enum Attempt {
    Later(Error),
    Hopeless(Error),
}

async fn attempt(
    options: &ConnectionOptions,
    config: &TemporalConfig,
) -> Result<Connection, Attempt> {
    let connecting = tokio::time::timeout(ATTEMPT_TIMEOUT, SdkConnection::connect(options.clone()));
    let connection = match connecting.await {
        Ok(outcome) => outcome.map_err(refusal)?,
        Err(elapsed) => {
            return Err(Attempt::Later(Error::Call {
                operation: "connect",
                code: treaty_error::Code::DeadlineExceeded,
                source: elapsed.into(),
            }));
        }
    };
    let client = Client::new(connection, ClientOptions::new(config.namespace.as_str()).build())
        .map_err(|error| Attempt::Hopeless(config_error("address", error)))?;
    let connection = Connection { client };
    match connection.describe_namespace().await {
        Ok(()) => Ok(connection),
        // A server that has just started registers its namespaces a moment later.
        Err(status) if status.code() == Code::NotFound => {
            Err(Attempt::Later(connection.no_namespace(status)))
        }
        Err(status) => Err(status_refusal(status)),
    }
}

fn refusal(error: ClientConnectError) -> Attempt {
    match error {
        ClientConnectError::InvalidUri(_) => Attempt::Hopeless(config_error("address", error)),
        ClientConnectError::InvalidHeaders(_) => Attempt::Hopeless(config_error("api_key", error)),
        ClientConnectError::InvalidConfig(_) => Attempt::Hopeless(config_error("tls", error)),
        ClientConnectError::SystemInfoCallError(status) => status_refusal(Box::new(status)),
        error => Attempt::Later(Error::Call {
            operation: "connect",
            code: treaty_error::Code::Unavailable,
            source: error.into(),
        }),
    }
}

fn status_refusal(status: Box<Status>) -> Attempt {
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => {
            Attempt::Hopeless(config_error("api_key", *status))
        }
        _ => Attempt::Later(Error::call("describe the namespace", status)),
    }
}

fn config_error(
    key: &'static str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::Config {
        key,
        reason: "the server or the client refuses it".into(),
        source: Some(source.into()),
    }
}

async fn connection_options(config: &TemporalConfig) -> Result<ConnectionOptions, Error> {
    let tls = match &config.tls {
        Some(tls) => Some(tls_options(tls).await?),
        None => config.uses_tls().then(TlsOptions::default),
    };
    Ok(ConnectionOptions::new(config.url()?)
        .identity(config.identity.clone().unwrap_or_else(default_identity))
        .connect_timeout(ATTEMPT_TIMEOUT)
        .maybe_tls_options(tls)
        .maybe_api_key(config.api_key.as_ref().map(|key| key.expose_secret().to_owned()))
        .build())
}

async fn tls_options(tls: &TlsConfig) -> Result<TlsOptions, Error> {
    let ca = match &tls.ca_file {
        Some(path) => Some(read("tls.ca_file", path).await?),
        None => None,
    };
    let client = match (&tls.cert_file, &tls.key_file) {
        (Some(cert), Some(key)) => Some(
            ClientTlsOptions::builder()
                .client_cert(read("tls.cert_file", cert).await?)
                .client_private_key(read("tls.key_file", key).await?)
                .build(),
        ),
        (None, None) => None,
        (Some(_), None) => return Err(missing_half("tls.key_file", "cert_file")),
        (None, Some(_)) => return Err(missing_half("tls.cert_file", "key_file")),
    };
    Ok(TlsOptions::builder()
        .maybe_server_root_ca_cert(ca)
        .maybe_domain(tls.server_name.clone())
        .maybe_client_tls_options(client)
        .build())
}

fn missing_half(key: &'static str, other: &str) -> Error {
    Error::Config { key, reason: format!("it is required together with {other}"), source: None }
}

async fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    tokio::fs::read(path).await.map_err(|error| Error::Config {
        key,
        reason: format!("{} cannot be read", path.display()),
        source: Some(error.into()),
    })
}

fn default_identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".to_owned());
    format!("{}@{host}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_there_ends_with_the_address_and_its_key() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let mut config = TemporalConfig::new(&address);
        config.connect_timeout_seconds = 1;

        let error = connect(&config).await.expect_err("nobody listens");

        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
        assert!(error.to_string().contains(&address), "{error}");
        assert!(error.to_string().contains("temporal.address"), "{error}");
    }

    #[tokio::test]
    async fn certificate_without_its_key_names_the_missing_key() {
        let mut config = TemporalConfig::new("temporal:7233");
        config.tls =
            Some(TlsConfig { cert_file: Some("client.pem".into()), ..TlsConfig::default() });

        let error = connect(&config).await.expect_err("half a pair is no pair");

        assert!(error.to_string().contains("temporal.tls.key_file"), "{error}");
    }

    #[tokio::test]
    async fn unreadable_file_names_its_key() {
        let mut config = TemporalConfig::new("temporal:7233");
        config.tls =
            Some(TlsConfig { ca_file: Some("missing.pem".into()), ..TlsConfig::default() });

        let error = connect(&config).await.expect_err("the file is missing");

        assert!(error.to_string().contains("temporal.tls.ca_file"), "{error}");
    }
}
