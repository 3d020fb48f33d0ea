//! Files that are there whole or not at all, and are nobody else's to read.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::SecretsError;

/// Largest file that is read: a secret of ours has less than a kilobyte.
const MAX_FILE: u64 = 1024 * 1024;

/// An error with the path at which it happened.
pub(super) fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> SecretsError {
    |source| SecretsError::File { path: path.to_owned(), source }
}

/// Makes a directory and those above it, for this user alone.
pub(super) fn make_directory(path: &Path) -> Result<(), SecretsError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed(path))
}

/// The bytes of a file; `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, SecretsError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(failed(path))?;
    Ok(Some(bytes))
}

/// Puts a file in the place of another, or of none. Who reads sees the one or the other, and after a
/// crash it is either; when this returns, it is the new one.
///
/// Callers see to it that nobody else replaces the same file meanwhile.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), SecretsError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // What a crash leaves of it is overwritten by the next write.
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .map_err(failed(&new))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed(&new))?;
    fs::rename(&new, path).map_err(failed(path))?;
    sync_directory(path)
}

/// Removes a file, which may be absent already. It is gone for good when this returns.
pub(super) fn remove(path: &Path) -> Result<(), SecretsError> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(path)(error)),
    }
}

/// A file's name is in its directory, which is written when it is synced.
fn sync_directory(path: &Path) -> Result<(), SecretsError> {
    let Some(directory) = path.parent() else { return Ok(()) };
    File::open(directory).and_then(|handle| handle.sync_all()).map_err(failed(directory))
}

/// Waits until this process, and within it this call, is alone. The lock goes with the handle, so a
/// process that dies leaves none behind.
pub(super) fn lock(path: &Path) -> Result<File, SecretsError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(failed(path))?;
    file.lock().map_err(failed(path))?;
    Ok(file)
}

/// Whether anybody but the file's owner may do anything with it.
pub(super) fn is_open_to_others(path: &Path) -> Result<bool, SecretsError> {
    let permissions: Permissions = fs::metadata(path).map_err(failed(path))?.permissions();
    Ok(permissions.mode() & 0o077 != 0)
}
