//! Writing tokens to the store until they are there.

use std::time::{Duration, Instant};

use treaty_secrets::{Expected, SecretPath, SecretStore, SecretsError};

use super::record::Record;

/// How long a store that is sealed or away is waited for with tokens in hand. Strava has forgotten
/// those before them: what is not kept is lost, and the athlete has to consent again. Less than the
/// 120 s after which Postgres ends the transaction that holds the lock.
const PATIENCE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Writes tokens, and repeats it while the store is away. A write whose answer was lost is found.
pub(super) async fn write(
    secrets: &dyn SecretStore,
    path: &SecretPath,
    record: &Record,
    expected: Expected,
) -> Result<(), SecretsError> {
    let (secret, start, mut pause) = (record.to_secret(), Instant::now(), FIRST_PAUSE);
    loop {
        let error = match secrets.write(path, &secret, expected).await {
            Ok(_) => return Ok(()),
            Err(SecretsError::Conflict) => match secrets.read(path).await {
                Ok(Some(stored)) => {
                    let kept = Record::from_secret(path, &stored.secret)?;
                    let ours = kept.id == record.id;
                    return if ours { Ok(()) } else { Err(SecretsError::Conflict) };
                }
                Ok(None) => return Err(SecretsError::Conflict),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if !error.is_transient() || start.elapsed() >= PATIENCE {
            return Err(error);
        }
        tracing::warn!(%error, "new tokens cannot be kept yet; trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests;
