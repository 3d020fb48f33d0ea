//! The file with the key.

use std::path::Path;

use zeroize::Zeroizing;

use super::disk;
use super::seal::{KEY, MasterKey};
use crate::{FileConfig, SecretsError};

/// A file in the directory that the key must open: so another key is noticed at the start, and not
/// by the first secret that cannot be read.
const CHECK: &str = ".check";

/// The key, which is made at the first use of the directory.
pub(super) fn load(config: &FileConfig) -> Result<MasterKey, SecretsError> {
    let path = config.key_file();
    let check = config.directory.join(CHECK);
    // Processes that start at the same time make one key.
    let _lock = disk::lock(&config.directory.join(".lock"))?;
    let checked = disk::read(&check)?;
    let key = match (read(&path)?, &checked) {
        (Some(key), _) => key,
        (None, None) => make(&path)?,
        (None, Some(_)) => {
            let directory = config.directory.clone();
            return Err(SecretsError::MissingKey { directory, key: path });
        }
    };
    match checked {
        Some(file) => {
            key.open(CHECK, &file).ok_or(SecretsError::WrongKey(path))?;
        }
        None => disk::replace(&check, &key.seal(CHECK, 1, b"").ok_or_else(no_random_numbers)?)?,
    }
    Ok(key)
}

fn make(path: &Path) -> Result<MasterKey, SecretsError> {
    let key = MasterKey::random().ok_or_else(no_random_numbers)?;
    let mut text = Zeroizing::new(String::with_capacity(2 * KEY + 1));
    for byte in key.0.iter() {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text.push('\n');
    if let Some(directory) = path.parent() {
        disk::make_directory(directory)?;
    }
    disk::replace(path, text.as_bytes())?;
    Ok(key)
}

fn read(path: &Path) -> Result<Option<MasterKey>, SecretsError> {
    let Some(text) = disk::read(path)?.map(Zeroizing::new) else { return Ok(None) };
    let wrong = |problem| SecretsError::KeyFile { path: path.to_owned(), problem };
    if disk::is_open_to_others(path)? {
        return Err(wrong("others may read it: chmod 600"));
    }
    let key =
        parse(text.trim_ascii()).ok_or_else(|| wrong("it does not hold 64 hexadecimal digits"))?;
    Ok(Some(MasterKey(key)))
}

fn parse(digits: &[u8]) -> Option<Zeroizing<[u8; KEY]>> {
    if digits.len() != 2 * KEY {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut key = Zeroizing::new([0; KEY]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(key)
}

pub(super) fn no_random_numbers() -> SecretsError {
    SecretsError::Config("the system gives no random numbers".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_its_owner_s_alone() {
        let directory = tempfile::tempdir().unwrap();
        let config = FileConfig {
            directory: directory.path().to_owned(),
            key_file: Some(directory.path().join("elsewhere/key")),
        };
        let first = load(&config).unwrap();
        assert_eq!(*load(&config).unwrap().0, *first.0);
        let path = config.key_file();
        assert!(!disk::is_open_to_others(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        let gone = load(&config).err().unwrap();
        assert!(matches!(gone, SecretsError::MissingKey { .. }), "{gone}");
        std::fs::write(&path, "00").unwrap();
        let open = load(&config).err().unwrap().to_string();
        assert!(open.contains("chmod 600"), "{open}");
    }

    #[test]
    fn a_key_is_64_digits() {
        assert_eq!(*parse(b"0f".repeat(32).as_slice()).unwrap(), [15; KEY]);
        assert!(parse(b"0f".repeat(31).as_slice()).is_none());
        assert!(parse(b"0g".repeat(32).as_slice()).is_none());
    }
}
