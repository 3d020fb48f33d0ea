use std::sync::Mutex;

use async_trait::async_trait;
use chrono::DateTime;
use treaty_secrets::{Secret, StoredSecret};
use uuid::Uuid;

use super::super::record::path;
use super::*;
use crate::connections::TokenPair;

/// What becomes of a write.
#[derive(Clone, Copy)]
enum Fate {
    Refused,
    /// It is done, and the answer is lost.
    Lost,
    Done,
}

/// One secret, and the fates of the writes to come; afterwards all are done.
struct Store {
    kept: Mutex<Option<StoredSecret>>,
    fates: Mutex<Vec<Fate>>,
    refusal: fn() -> SecretsError,
}

impl Store {
    fn new(fates: &[Fate], refusal: fn() -> SecretsError) -> Self {
        let fates = fates.iter().rev().copied().collect();
        Self { kept: Mutex::default(), fates: Mutex::new(fates), refusal }
    }
}

#[async_trait]
impl SecretStore for Store {
    async fn read(&self, _path: &SecretPath) -> Result<Option<StoredSecret>, SecretsError> {
        Ok(self.kept.lock().unwrap().clone())
    }

    async fn write(
        &self,
        _path: &SecretPath,
        secret: &Secret,
        expected: Expected,
    ) -> Result<u64, SecretsError> {
        let fate = self.fates.lock().unwrap().pop().unwrap_or(Fate::Done);
        let mut kept = self.kept.lock().unwrap();
        if let Fate::Refused = fate {
            return Err((self.refusal)());
        }
        if Expected::after(kept.as_ref()) != expected {
            return Err(SecretsError::Conflict);
        }
        let version = kept.as_ref().map_or(1, |kept| kept.version + 1);
        *kept = Some(StoredSecret { secret: secret.clone(), version });
        if let Fate::Lost = fate {
            Err(SecretsError::Unavailable("gone".into()))
        } else {
            Ok(version)
        }
    }

    async fn delete(&self, _path: &SecretPath) -> Result<(), SecretsError> {
        *self.kept.lock().unwrap() = None;
        Ok(())
    }
}

fn record() -> Record {
    Record::new(TokenPair {
        access_token: "a".into(),
        refresh_token: "r".into(),
        expires_at: DateTime::UNIX_EPOCH,
    })
}

#[tokio::test]
async fn a_store_that_is_away_for_a_while_is_waited_for() {
    for fates in [
        &[Fate::Refused, Fate::Refused, Fate::Done][..],
        &[Fate::Lost],
        &[Fate::Refused, Fate::Lost],
    ] {
        let store = Store::new(fates, || SecretsError::Sealed);
        let (path, record) = (path(Uuid::nil()).unwrap(), record());
        write(&store, &path, &record, Expected::Absent).await.unwrap();
        let kept = store.read(&path).await.unwrap().unwrap();
        let id = Record::from_secret(&path, &kept.secret).unwrap().id;
        assert_eq!((kept.version, id), (1, record.id), "it is written once");
    }
}

#[tokio::test]
async fn what_somebody_else_has_written_is_not_overwritten() {
    let store = Store::new(&[], || SecretsError::Sealed);
    let (path, theirs) = (path(Uuid::nil()).unwrap(), record());
    write(&store, &path, &theirs, Expected::Absent).await.unwrap();
    let refused = write(&store, &path, &record(), Expected::Absent).await;
    assert!(matches!(refused, Err(SecretsError::Conflict)), "{refused:?}");
    let kept = store.read(&path).await.unwrap().unwrap();
    assert_eq!(Record::from_secret(&path, &kept.secret).unwrap().id, theirs.id);
}

#[tokio::test]
async fn a_refusal_that_stays_is_told_at_once() {
    let denied = || SecretsError::Denied { action: "writing", path: "x".to_owned() };
    let store = Store::new(&[Fate::Refused], denied);
    let refused = write(&store, &path(Uuid::nil()).unwrap(), &record(), Expected::Absent).await;
    assert!(matches!(refused, Err(SecretsError::Denied { .. })), "{refused:?}");
}
