//! Why a secret could not be read or kept. No variant ever holds a value.

use std::path::PathBuf;

use treaty_error::{Code, Error};

/// Why a secret could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The path cannot be one.
    #[error("{0:?} is no path of a secret")]
    Path(String),
    /// Somebody else has written since, or the secret is there already.
    #[error("the secret has changed meanwhile")]
    Conflict,
    /// Vault answers and gives nothing until an operator unseals it.
    #[error("Vault is sealed")]
    Sealed,
    /// Vault does not answer, or not with what it should.
    #[error("Vault does not answer: {0}")]
    Unavailable(String),
    /// Vault does not know who we are, and there is no way to prove it anew just now.
    #[error("Vault does not accept our token or account: {0}")]
    Login(String),
    /// Vault's policies do not let us.
    #[error("Vault does not permit {action} of {path}")]
    Denied {
        /// What was tried.
        action: &'static str,
        /// With which secret.
        path: String,
    },
    /// The token may do everything, which no service needs.
    #[error(
        "the token is a root token: give the service one with its own policy, or set \
         secrets.vault.development for a Vault that holds nothing of worth"
    )]
    RootToken,
    /// What Vault answered is no secret of ours.
    #[error("{path} holds something else than texts by name")]
    Malformed {
        /// Which secret.
        path: String,
    },
    /// The key does not fit the files.
    #[error("the key in {} is not the one that the secrets were encrypted with", .0.display())]
    WrongKey(PathBuf),
    /// The key is gone while secrets are there.
    #[error(
        "there are secrets in {}, and the key to them, {}, is missing: put it back, or remove the \
         directory and begin anew", directory.display(), key.display()
    )]
    MissingKey {
        /// Where the secrets are.
        directory: PathBuf,
        /// Where the key should be.
        key: PathBuf,
    },
    /// The key file holds something else, or others may read it.
    #[error("the key file {} cannot be used: {problem}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// A file was changed by somebody else, or is damaged.
    #[error("the secret {path} was tampered with or is damaged")]
    Tampered {
        /// Which secret.
        path: String,
    },
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The configuration cannot work.
    #[error("{0}")]
    Config(String),
}

impl SecretsError {
    /// Whether the same call may succeed later without anybody changing a configuration or a policy.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Sealed
                | Self::Unavailable(_)
                | Self::Login(_)
                | Self::File { .. }
                | Self::Conflict
        )
    }
}

impl From<SecretsError> for Error {
    fn from(error: SecretsError) -> Self {
        use SecretsError as E;
        let code = match error {
            E::Conflict => Code::Aborted,
            E::Sealed | E::Unavailable(_) | E::Login(_) => Code::Unavailable,
            E::Tampered { .. } | E::Malformed { .. } => Code::DataLoss,
            // A mistake of whoever configured us: the caller's request is right and may be repeated.
            E::Path(_)
            | E::Denied { .. }
            | E::RootToken
            | E::WrongKey(_)
            | E::MissingKey { .. }
            | E::KeyFile { .. }
            | E::File { .. }
            | E::Config(_) => return Self::internal(error),
        };
        let message = match error {
            E::Sealed => "Vault is sealed",
            E::Unavailable(_) | E::Login(_) => "the secret store is not available",
            E::Tampered { .. } | E::Malformed { .. } => "a secret is damaged",
            _ => "a secret has changed meanwhile",
        };
        Self::new(code, message).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_succeed_later_is_repeated_and_mistakes_of_ours_are_internal() {
        let code = |error: SecretsError| Error::from(error).code();
        assert_eq!(code(SecretsError::Sealed), Code::Unavailable);
        assert_eq!(code(SecretsError::Conflict), Code::Aborted);
        assert_eq!(code(SecretsError::Tampered { path: "a".to_owned() }), Code::DataLoss);
        let denied = SecretsError::Denied { action: "reading", path: "a".to_owned() };
        assert!(!denied.is_transient());
        assert_eq!(code(denied), Code::Internal);
        assert_eq!(Error::from(SecretsError::Sealed).message(), "Vault is sealed");
    }
}
