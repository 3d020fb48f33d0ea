//! Tokens as the secret store has them.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use treaty_secrets::{Secret, SecretPath, SecretsError};
use uuid::Uuid;

use crate::connections::TokenPair;

/// Below which the tokens of each athlete are.
const ATHLETES: &str = "stravasync/athletes";

/// Names of the values.
const ID: &str = "id";
const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";
const EXPIRES: &str = "expires_at";
const RECEIVED: &str = "received_at";

/// A pair of tokens with what tells it from others of the same athlete.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) id: Uuid,
    pub(super) tokens: TokenPair,
    pub(super) received_at: DateTime<Utc>,
}

/// Where the tokens of an athlete are.
pub(super) fn path(athlete_id: Uuid) -> Result<SecretPath, SecretsError> {
    SecretPath::new(format!("{ATHLETES}/{athlete_id}"))
}

impl Record {
    /// A pair that has just come from Strava.
    pub(super) fn new(tokens: TokenPair) -> Self {
        Self { id: Uuid::now_v7(), tokens, received_at: Utc::now() }
    }

    pub(super) fn to_secret(&self) -> Secret {
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
        Secret::new()
            .with(ID, self.id.to_string())
            .with(ACCESS, self.tokens.access_token.expose_secret().to_owned())
            .with(REFRESH, self.tokens.refresh_token.expose_secret().to_owned())
            .with(EXPIRES, time(self.tokens.expires_at))
            .with(RECEIVED, time(self.received_at))
    }

    /// # Errors
    /// When something is missing or is no time: somebody else has written it.
    pub(super) fn from_secret(path: &SecretPath, secret: &Secret) -> Result<Self, SecretsError> {
        let text = |name: &str| secret.get(name).cloned();
        let parsed = || {
            Some(Self {
                id: parse(&text(ID)?)?,
                tokens: TokenPair {
                    access_token: text(ACCESS)?,
                    refresh_token: text(REFRESH)?,
                    expires_at: parse(&text(EXPIRES)?)?,
                },
                received_at: parse(&text(RECEIVED)?)?,
            })
        };
        parsed().ok_or_else(|| SecretsError::Malformed { path: path.to_string() })
    }
}

fn parse<T: FromStr>(text: &SecretString) -> Option<T> {
    text.expose_secret().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_shows_nothing() {
        let tokens = TokenPair {
            access_token: "hunter2".into(),
            refresh_token: "hunter3".into(),
            expires_at: DateTime::from_timestamp_micros(1_800_000_000_000_001).unwrap(),
        };
        let record = Record::new(tokens);
        let path = path(Uuid::nil()).unwrap();
        let read = Record::from_secret(&path, &record.to_secret()).unwrap();
        assert_eq!((read.id, read.tokens.expires_at), (record.id, record.tokens.expires_at));
        assert_eq!(read.tokens.refresh_token.expose_secret(), "hunter3");
        assert!(!format!("{read:?}").contains("hunter"));
        let half = Secret::new().with(ID, record.id.to_string());
        let refused = Record::from_secret(&path, &half).unwrap_err();
        assert!(matches!(refused, SecretsError::Malformed { .. }), "{refused}");
    }
}
