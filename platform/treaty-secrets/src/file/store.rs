//! The store over the files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::disk;
use super::key::{self, no_random_numbers};
use super::seal::{MasterKey, Opened};
use crate::{Expected, FileConfig, Secret, SecretPath, SecretStore, SecretsError, StoredSecret};

/// Locks that writers share: two paths of one lock wait for each other, and that is all.
const LOCKS: u8 = 16;

/// [`SecretStore`] in encrypted files, one for each secret. All processes of a machine may share a
/// directory. Files are encrypted with ChaCha20-Poly1305 under the key of a key file, each write under a
/// key derived for it alone.
///
/// Who can read both the directory and the key can read everything: this keeps secrets out of backups,
/// of the database and of prying commands, not from somebody who is the same user. And a file that is
/// put back in an older state is taken for the newest.
#[derive(Clone)]
pub struct FileStore {
    inner: Arc<Inner>,
}

struct Inner {
    directory: PathBuf,
    key: MasterKey,
}

impl FileStore {
    /// Opens the directory, or makes it and its key.
    ///
    /// # Errors
    /// When the key is missing, is another one or may be read by others, or the disk fails.
    pub async fn open(config: &FileConfig) -> Result<Self, SecretsError> {
        let config = config.clone();
        blocking(move || {
            disk::make_directory(&config.directory)?;
            let key = key::load(&config)?;
            Ok(Self { inner: Arc::new(Inner { directory: config.directory, key }) })
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, SecretsError> + Send + 'static,
    ) -> Result<T, SecretsError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || work(&inner)).await
    }
}

/// Locks and syncs block, so they have a thread. Work that began is done even when the caller gives up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecretsError> + Send + 'static,
) -> Result<T, SecretsError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(SecretsError::Unavailable(error.to_string())),
    }
}

#[async_trait]
impl SecretStore for FileStore {
    async fn read(&self, path: &SecretPath) -> Result<Option<StoredSecret>, SecretsError> {
        let path = path.clone();
        self.run(move |inner| inner.read(&path)).await
    }

    async fn write(
        &self,
        path: &SecretPath,
        secret: &Secret,
        expected: Expected,
    ) -> Result<u64, SecretsError> {
        let (path, text) = (path.clone(), secret.to_json());
        self.run(move |inner| inner.write(&path, &text, expected)).await
    }

    async fn delete(&self, path: &SecretPath) -> Result<(), SecretsError> {
        let path = path.clone();
        self.run(move |inner| {
            let _lock = inner.lock(&path)?;
            disk::remove(&inner.file(&path))
        })
        .await
    }
}

impl Inner {
    fn read(&self, path: &SecretPath) -> Result<Option<StoredSecret>, SecretsError> {
        let Some(Opened { version, text }) = self.open(path)? else { return Ok(None) };
        let malformed = || SecretsError::Malformed { path: path.to_string() };
        let value = serde_json::from_slice(&text).map_err(|_| malformed())?;
        let secret = Secret::from_json(value).ok_or_else(malformed)?;
        Ok(Some(StoredSecret { secret, version }))
    }

    fn write(
        &self,
        path: &SecretPath,
        text: &[u8],
        expected: Expected,
    ) -> Result<u64, SecretsError> {
        let _lock = self.lock(path)?;
        let current = self.open(path)?.map_or(0, |opened| opened.version);
        if current != expected.version() {
            return Err(SecretsError::Conflict);
        }
        let version = current + 1;
        let sealed = self.key.seal(path.as_str(), version, text).ok_or_else(no_random_numbers)?;
        let file = self.file(path);
        if let Some(directory) = file.parent() {
            disk::make_directory(directory)?;
        }
        disk::replace(&file, &sealed)?;
        Ok(version)
    }

    fn open(&self, path: &SecretPath) -> Result<Option<Opened>, SecretsError> {
        let Some(sealed) = disk::read(&self.file(path))? else { return Ok(None) };
        let opened = self.key.open(path.as_str(), &sealed);
        opened.map(Some).ok_or_else(|| SecretsError::Tampered { path: path.to_string() })
    }

    /// The ending tells a secret from a directory of the same name.
    fn file(&self, path: &SecretPath) -> PathBuf {
        self.directory.join(format!("{path}.sealed"))
    }

    fn lock(&self, path: &SecretPath) -> Result<std::fs::File, SecretsError> {
        let sum =
            path.as_str().bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        disk::lock(&self.directory.join(Path::new(&format!(".lock-{}", sum % LOCKS))))
    }
}
