//! Who calls: bearer tokens, one for each deployable and one for operators.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use treaty_error::{Code, Error};

use crate::Caller;

/// Shortest token accepted: below this, guessing is not hopeless.
pub const MIN_TOKEN_BYTES: usize = 16;

/// The tokens that callers prove themselves by.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// Deployable name to its token.
    #[serde(default)]
    pub deployables: BTreeMap<String, SecretString>,
    /// Token of operators; without one, nobody is an operator.
    #[serde(default)]
    pub operator: Option<SecretString>,
}

/// Why tokens cannot be used. The tokens themselves are never shown.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AuthConfigError {
    /// The token could be guessed.
    #[error("the token of {holder} has fewer than {MIN_TOKEN_BYTES} bytes")]
    TooShort {
        /// Whose token.
        holder: String,
    },
    /// Two callers could not be told apart.
    #[error("{first} and {second} have the same token")]
    Shared {
        /// One of the two.
        first: String,
        /// The other.
        second: String,
    },
}

/// Tells callers apart by their bearer token.
///
/// Only digests are kept, and every one is compared with every token presented,
/// so that neither content nor position shows in the time it takes.
pub struct Authenticator {
    callers: Vec<([u8; 32], Caller)>,
}

impl Authenticator {
    /// Prepares the tokens.
    ///
    /// # Errors
    /// When a token is too short, or two callers have the same.
    pub fn new(config: &AuthConfig) -> Result<Self, AuthConfigError> {
        let deployables = config
            .deployables
            .iter()
            .map(|(name, token)| (Caller::Deployable(Arc::from(name.as_str())), token));
        let operator = config.operator.iter().map(|token| (Caller::Operator, token));
        let mut callers: Vec<([u8; 32], Caller)> = Vec::new();
        for (caller, token) in deployables.chain(operator) {
            let token = token.expose_secret().as_bytes();
            if token.len() < MIN_TOKEN_BYTES {
                return Err(AuthConfigError::TooShort { holder: caller.to_string() });
            }
            let digest = digest(token);
            if let Some((_, other)) = callers.iter().find(|(known, _)| *known == digest) {
                let (first, second) = (other.to_string(), caller.to_string());
                return Err(AuthConfigError::Shared { first, second });
            }
            callers.push((digest, caller));
        }
        Ok(Self { callers })
    }

    /// The caller that this `authorization` header proves; without one,
    /// [`Caller::Anonymous`].
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when a header is present and proves nothing: a caller
    /// with a wrong token must learn so, and not be served as nobody.
    pub fn authenticate(&self, authorization: Option<&str>) -> Result<Caller, Error> {
        let Some(header) = authorization else {
            return Ok(Caller::Anonymous);
        };
        let token = match header.trim().split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(Error::new(Code::Unauthenticated, "expected a bearer token")),
        };
        let presented = digest(token.as_bytes());
        let mut found = None;
        for (known, caller) in &self.callers {
            let equal: Choice = known.ct_eq(&presented);
            if bool::from(equal) {
                found = Some(caller);
            }
        }
        found.cloned().ok_or_else(|| Error::new(Code::Unauthenticated, "the token is not known"))
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Even a digest says too much about a token to be printed.
        f.debug_list().entries(self.callers.iter().map(|(_, caller)| caller)).finish()
    }
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(deployables: &[(&str, &str)], operator: Option<&str>) -> AuthConfig {
        AuthConfig {
            deployables: deployables
                .iter()
                .map(|(name, token)| ((*name).to_owned(), SecretString::from(*token)))
                .collect(),
            operator: operator.map(SecretString::from),
        }
    }

    #[test]
    fn each_token_proves_its_holder() {
        let config = config(
            &[("worker", "worker-token-0001"), ("consumer", "consumer-token-01")],
            Some("operator-token-01"),
        );
        let authenticator = Authenticator::new(&config).unwrap();
        let caller = |header| authenticator.authenticate(header).map_err(|error| error.code());
        assert_eq!(caller(None), Ok(Caller::Anonymous));
        assert_eq!(
            caller(Some("Bearer worker-token-0001")),
            Ok(Caller::Deployable("worker".into()))
        );
        assert_eq!(caller(Some("bearer operator-token-01")), Ok(Caller::Operator));
        for wrong in ["", "Bearer", "Bearer ", "Bearer nope", "Basic worker-token-0001"] {
            assert_eq!(caller(Some(wrong)), Err(Code::Unauthenticated), "{wrong:?}");
        }
    }

    #[test]
    fn weak_and_shared_tokens_are_refused_without_showing_them() {
        let short = Authenticator::new(&config(&[("worker", "short")], None)).unwrap_err();
        assert_eq!(short.to_string(), "the token of worker has fewer than 16 bytes");
        let shared =
            config(&[("a", "the-same-token-for-two"), ("b", "the-same-token-for-two")], None);
        let shared = Authenticator::new(&shared).unwrap_err();
        assert_eq!(shared.to_string(), "a and b have the same token");
    }

    #[test]
    fn debug_shows_names_alone() {
        let config = config(&[("worker", "worker-token-0001")], None);
        let authenticator = Authenticator::new(&config).unwrap();
        assert_eq!(format!("{authenticator:?}"), r#"[Deployable("worker")]"#);
        assert!(!format!("{config:?}").contains("worker-token"));
    }
}
