//! What a file holds: a secret that only the key opens, and only at its path and version.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// The first bytes of each file; the number is the format's.
const MAGIC: &[u8; 8] = b"treaty\x00\x01";
/// Bytes of a version.
const VERSION: usize = 8;
/// Bytes of a salt.
const SALT: usize = 32;
/// Bytes before what is encrypted.
const HEAD: usize = MAGIC.len() + VERSION + SALT;

/// Bytes of the key.
pub(super) const KEY: usize = 32;

/// What a file held.
pub(super) struct Opened {
    pub(super) version: u64,
    pub(super) text: Zeroizing<Vec<u8>>,
}

/// The key to all files.
pub(super) struct MasterKey(pub(super) Zeroizing<[u8; KEY]>);

impl MasterKey {
    /// A new key.
    pub(super) fn random() -> Option<Self> {
        let mut key = Zeroizing::new([0; KEY]);
        SystemRandom::new().fill(key.as_mut()).ok()?;
        Some(Self(key))
    }

    /// The bytes of a file. `None` when the system gives no random numbers.
    pub(super) fn seal(&self, path: &str, version: u64, plain: &[u8]) -> Option<Vec<u8>> {
        let mut salt = [0; SALT];
        SystemRandom::new().fill(&mut salt).ok()?;
        let mut file = Vec::with_capacity(HEAD + plain.len() + CHACHA20_POLY1305.tag_len());
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(&version.to_be_bytes());
        file.extend_from_slice(&salt);
        let mut text = Zeroizing::new(plain.to_vec());
        let aad = aad(path, &file);
        let tag = self
            .derived(&salt)?
            .seal_in_place_separate_tag(nonce(), Aad::from(&aad), &mut text)
            .ok()?;
        file.extend_from_slice(&text);
        file.extend_from_slice(tag.as_ref());
        Some(file)
    }

    /// What a file holds; `None` for any other file than one that this key has sealed at
    /// this path.
    pub(super) fn open(&self, path: &str, file: &[u8]) -> Option<Opened> {
        let (head, sealed) = file.split_at_checked(HEAD)?;
        let (version, salt) = head.strip_prefix(MAGIC)?.split_at_checked(VERSION)?;
        let mut text = Zeroizing::new(sealed.to_vec());
        let aad = aad(path, head);
        let length =
            self.derived(salt)?.open_in_place(nonce(), Aad::from(&aad), &mut text).ok()?.len();
        text.truncate(length);
        Some(Opened { version: u64::from_be_bytes(version.try_into().ok()?), text })
    }

    /// A key for one file: each write has a salt of its own, so no key encrypts twice.
    fn derived(&self, salt: &[u8]) -> Option<LessSafeKey> {
        let pseudo_random = Salt::new(HKDF_SHA256, salt).extract(self.0.as_ref());
        let material = pseudo_random.expand(&[MAGIC], &CHACHA20_POLY1305).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(material)))
    }
}

/// The nonce may be constant, because the key is used once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

/// What is authenticated besides the text: a file that is moved to another path, or given another
/// version, opens no more.
fn aad(path: &str, head: &[u8]) -> Vec<u8> {
    [head, path.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_and_only_at_the_same_path() {
        let (key, other) = (MasterKey::random().unwrap(), MasterKey::random().unwrap());
        let file = key.seal("a/b", 7, b"hunter2").unwrap();
        assert_ne!(file, key.seal("a/b", 7, b"hunter2").unwrap());
        assert!(!file.windows(7).any(|bytes| bytes == b"hunter2"));
        let opened = key.open("a/b", &file).unwrap();
        assert_eq!((opened.version, opened.text.as_slice()), (7, b"hunter2".as_slice()));
        assert!(other.open("a/b", &file).is_none());
        assert!(key.open("a/c", &file).is_none());
    }

    #[test]
    fn no_byte_can_be_changed_and_none_be_missing() {
        let key = MasterKey::random().unwrap();
        let file = key.seal("a", 1, b"hunter2").unwrap();
        for index in 0..file.len() {
            let mut changed = file.clone();
            changed[index] ^= 1;
            assert!(key.open("a", &changed).is_none(), "byte {index}");
            assert!(key.open("a", &file[..index]).is_none(), "{index} bytes");
        }
        let longer = [file.as_slice(), b"x"].concat();
        assert!(key.open("a", &longer).is_none());
    }
}
