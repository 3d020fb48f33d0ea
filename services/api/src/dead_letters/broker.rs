//! The broker as an operator sees it.

use tokio::sync::OnceCell;
use treaty_error::{Code, Error};
use treaty_nats::{Connection, NatsConfig};

const UNSET: &str = "the api has no operator's credentials at the broker: set operations.nats.user \
                     and operations.nats.password (API__OPERATIONS__NATS__USER, …__PASSWORD)";

/// A connection to the broker as an operator, made when it is needed first: dead letters are looked
/// at now and then, and an api that cannot reach them must serve all the same.
pub struct OperatorBroker {
    config: Option<NatsConfig>,
    connection: OnceCell<Connection>,
}

impl OperatorBroker {
    /// By these credentials; none when the configuration has none.
    #[must_use]
    pub fn new(config: Option<NatsConfig>) -> Self {
        Self { config, connection: OnceCell::new() }
    }

    /// The dead letters of the broker.
    ///
    /// # Errors
    /// [`Code::FailedPrecondition`] when there are no credentials, or the broker refuses them;
    /// [`Code::Unavailable`] when it is not reachable.
    pub async fn dead_letters(&self) -> Result<treaty_nats::DeadLetters, Error> {
        let config =
            self.config.as_ref().ok_or_else(|| Error::new(Code::FailedPrecondition, UNSET))?;
        let connect = async || treaty_nats::connect(config).await.map_err(refused);
        Ok(self.connection.get_or_try_init(connect).await?.dead_letters())
    }
}

/// That our credentials are wrong must not look as if the caller's were.
fn refused(error: Error) -> Error {
    if error.code() != Code::Unauthenticated {
        return error;
    }
    let message = "the broker refused operations.nats.user and its password";
    Error::new(Code::FailedPrecondition, message).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_missing_is_named_and_a_broker_that_is_away_is_unavailable() {
        let unset = OperatorBroker::new(None).dead_letters().await.unwrap_err();
        assert_eq!(unset.code(), Code::FailedPrecondition);
        assert!(unset.message().contains("API__OPERATIONS__NATS__USER"), "{unset}");
        let nobody =
            NatsConfig { connect_timeout_seconds: 0, ..NatsConfig::new("nats://127.0.0.1:1") };
        let broker = OperatorBroker::new(Some(nobody));
        for _ in 0..2 {
            let away = broker.dead_letters().await.unwrap_err();
            assert_eq!(away.code(), Code::Unavailable, "{away}");
        }
    }
}
