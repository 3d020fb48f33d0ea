//! What Vault's refusals mean.

use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;
use vaultrs::error::ClientError;

use crate::SecretsError;

/// Why a call was not answered with what it asked for. It holds nothing of what was sent or received:
/// the library's own errors may hold a whole answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// There is nothing at the path; the version is that of a secret of which the newest version was
    /// deleted, which a new one must name.
    Absent(Option<u64>),
    /// Another version than expected.
    Conflict,
    /// The token is not known, or its policies do not allow the call.
    Forbidden,
    /// Anything else.
    Other(SecretsError),
}

/// Runs a call of the library without its log: it writes an error for each answer that is none, such
/// as for a secret that is absent, and an error is logged where it is handled.
pub(super) async fn call<T>(
    call: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, Fault> {
    call.with_subscriber(NoSubscriber::new()).await.map_err(Fault::from)
}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Self {
        use rustify::errors::ClientError as Rest;
        match error {
            ClientError::APIError { code, errors } => Self::answered(code, &errors),
            ClientError::RestClientError { source } => match source {
                Rest::ServerResponseError { code: 404, content } => {
                    Self::Absent(content.as_deref().and_then(deleted_version))
                }
                Rest::ServerResponseError { code, .. } => Self::answered(code, &[]),
                Rest::RequestError { source, .. } | Rest::ResponseError { source } => {
                    Self::unavailable(innermost(source.as_ref()))
                }
                _ => Self::unavailable("it answers something else than Vault would".to_owned()),
            },
            ClientError::ResponseEmptyError
            | ClientError::ResponseDataEmptyError
            | ClientError::JsonParseError { .. } => {
                Self::unavailable("it answers something else than Vault would".to_owned())
            }
            other => Self::Other(SecretsError::Config(other.to_string())),
        }
    }
}

impl Fault {
    fn answered(code: u16, errors: &[String]) -> Self {
        let says = |text: &str| errors.iter().any(|error| error.contains(text));
        match code {
            404 => Self::Absent(None),
            403 => Self::Forbidden,
            400 if says("check-and-set") => Self::Conflict,
            503 if says("sealed") => Self::Other(SecretsError::Sealed),
            // Standby nodes and nodes that are behind; overload; failures of its own.
            412 | 429 | 472 | 473 | 500.. => Self::unavailable(format!("status {code}")),
            _ => Self::Other(SecretsError::Config(format!(
                "Vault refuses what we ask with status {code}; are mount and role right?"
            ))),
        }
    }

    fn unavailable(reason: String) -> Self {
        Self::Other(SecretsError::Unavailable(reason))
    }

    /// The error for a call in which nothing but a success was expected.
    pub(super) fn unexpected(self, action: &'static str, path: &str) -> SecretsError {
        match self {
            Self::Conflict => SecretsError::Conflict,
            Self::Forbidden => SecretsError::Denied { action, path: path.to_owned() },
            Self::Absent(_) => SecretsError::Config(format!("Vault has nothing at {path}")),
            Self::Other(error) => error,
        }
    }
}

/// The last cause tells what happened, as in "connection refused"; those before it name the address.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// The answer for a deleted secret still tells its version.
fn deleted_version(answer: &str) -> Option<u64> {
    let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
    answer["data"]["metadata"]["version"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let api = |code, text: &str| {
            Fault::from(ClientError::APIError { code, errors: vec![text.to_owned()] })
        };
        assert!(matches!(api(503, "Vault is sealed"), Fault::Other(SecretsError::Sealed)));
        assert!(matches!(api(403, "permission denied"), Fault::Forbidden));
        assert!(matches!(
            api(400, "check-and-set parameter did not match the current version"),
            Fault::Conflict
        ));
        assert!(matches!(api(404, ""), Fault::Absent(None)));
        for code in [429, 473, 500, 502] {
            let fault = api(code, "x");
            assert!(matches!(fault, Fault::Other(SecretsError::Unavailable(_))), "{fault:?}");
        }
        assert!(matches!(api(405, "unsupported"), Fault::Other(SecretsError::Config(_))));
    }

    #[test]
    fn an_answer_is_not_kept() {
        let source = rustify::errors::ClientError::ServerResponseError {
            code: 500,
            content: Some("hunter2".to_owned()),
        };
        let fault = Fault::from(ClientError::RestClientError { source });
        assert!(!format!("{fault:?}").contains("hunter2"));
    }
}
