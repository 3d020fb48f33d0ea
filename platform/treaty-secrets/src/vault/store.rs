//! The store over version 2 of the key-value engine.

use std::sync::Arc;

use async_trait::async_trait;
use tracing::{Instrument as _, field};
use treaty_telemetry::context;
use vaultrs::api;
use vaultrs::api::kv2::requests::{ReadSecretRequest, SetSecretRequestOptions};
use vaultrs::client::VaultClient;
use vaultrs::kv2;

use super::fault::{Fault, call};
use super::session::Session;
use crate::{Expected, Secret, SecretPath, SecretStore, SecretsError, StoredSecret, VaultConfig};

/// [`SecretStore`] in Vault, or another server of its API.
#[derive(Clone)]
pub struct VaultStore {
    inner: Arc<Inner>,
}

struct Inner {
    session: Session,
    mount: String,
}

impl VaultStore {
    /// Logs in, and goes on renewing until the last clone is dropped.
    ///
    /// # Errors
    /// When Vault does not answer or stays sealed for longer than the configuration says, does not
    /// accept us, or accepts us as root outside of development.
    pub async fn connect(config: &VaultConfig) -> Result<Self, SecretsError> {
        let session = Session::begin(config).await?;
        Ok(Self { inner: Arc::new(Inner { session, mount: config.mount.clone() }) })
    }

    async fn set(&self, path: &SecretPath, secret: &Secret, version: u64) -> Result<u64, Fault> {
        let cas = u32::try_from(version).map_err(|_| Fault::Conflict)?;
        let mount = self.inner.mount.as_str();
        let values = secret.exposed();
        let written = self.inner.session.call(async |client: Arc<VaultClient>| {
            let options = SetSecretRequestOptions { cas };
            call(kv2::set_with_options(client.as_ref(), mount, path.as_str(), &values, options))
                .await
        });
        Ok(written.await?.version)
    }

    async fn get(&self, path: &SecretPath) -> Result<StoredSecret, Fault> {
        let mount = self.inner.mount.as_str();
        let read = self.inner.session.call(async |client: Arc<VaultClient>| {
            let request = ReadSecretRequest::builder().mount(mount).path(path.as_str()).build();
            let request =
                request.map_err(|error| Fault::Other(SecretsError::Config(error.to_string())))?;
            call(api::exec_with_result(client.as_ref(), request)).await
        });
        let answer = read.await?;
        let secret = Secret::from_json(answer.data)
            .ok_or_else(|| Fault::Other(SecretsError::Malformed { path: path.to_string() }))?;
        Ok(StoredSecret { secret, version: answer.metadata.version })
    }
}

#[async_trait]
impl SecretStore for VaultStore {
    async fn read(&self, path: &SecretPath) -> Result<Option<StoredSecret>, SecretsError> {
        let reading = async {
            match self.get(path).await {
                Ok(stored) => Ok(Some(stored)),
                Err(Fault::Absent(_)) => Ok(None),
                Err(fault) => Err(fault.unexpected("reading", path.as_str())),
            }
        };
        traced("read secret", reading).await
    }

    async fn write(
        &self,
        path: &SecretPath,
        secret: &Secret,
        expected: Expected,
    ) -> Result<u64, SecretsError> {
        let writing = async {
            let mut outcome = self.set(path, secret, expected.version()).await;
            if let (Err(Fault::Conflict), Expected::Absent) = (&outcome, expected) {
                // Somebody's `vault kv delete` leaves a version behind, which counts for
                // check-and-set.
                if let Err(Fault::Absent(Some(deleted))) = self.get(path).await {
                    outcome = self.set(path, secret, deleted).await;
                }
            }
            outcome.map_err(|fault| fault.unexpected("writing", path.as_str()))
        };
        traced("write secret", writing).await
    }

    async fn delete(&self, path: &SecretPath) -> Result<(), SecretsError> {
        let mount = self.inner.mount.as_str();
        let deleted = self.inner.session.call(async |client: Arc<VaultClient>| {
            call(kv2::delete_metadata(client.as_ref(), mount, path.as_str())).await
        });
        let deleting = async {
            match deleted.await {
                Ok(()) | Err(Fault::Absent(_)) => Ok(()),
                Err(fault) => Err(fault.unexpected("deleting", path.as_str())),
            }
        };
        traced("delete secret", deleting).await
    }
}

/// A call as a span of the trace that it is part of. It tells nothing of the secret, not even the
/// path, which names a person.
async fn traced<T>(
    name: &'static str,
    call: impl Future<Output = Result<T, SecretsError>> + Send,
) -> Result<T, SecretsError> {
    // What is done for the process itself is no trace.
    if !context::is_traced() {
        return call.await;
    }
    let span = tracing::info_span!(
        "secrets",
        otel.kind = "client",
        otel.name = name,
        otel.status_code = field::Empty,
        peer.service = "vault",
    );
    let outcome = call.instrument(span.clone()).await;
    if outcome.is_err() {
        span.record("otel.status_code", "ERROR");
    }
    outcome
}
