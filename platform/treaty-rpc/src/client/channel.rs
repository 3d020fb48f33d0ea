//! The way to a service: where it is, and how we prove ourselves to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use tonic::metadata::AsciiMetadataValue;
use treaty_error::Error;

use super::address::Address;
use super::budget::{RetryBudget, RetryBudgetConfig};
use super::pool::{Pool, Settings};
use super::resolve::{Resolve, System};
use super::transport::Transport;
use crate::MessageLimits;

/// Where a service is and how we prove ourselves to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// `host:port` or `http://host:port`, one or several (a list, or one text with
    /// commas), or `dns:///host:port` for all addresses that a name has at the time;
    /// calls are spread over all of them.
    #[serde(alias = "address", deserialize_with = "one_or_several")]
    pub addresses: Vec<String>,
    /// The token that proves who we are.
    pub token: SecretString,
    /// How long a connection may take to be made.
    #[serde(default = "default_connect_timeout_seconds")]
    pub connect_timeout_seconds: u64,
    /// How often names are looked up; besides, they are when a connection is lost.
    #[serde(default = "default_resolve_interval_seconds")]
    pub resolve_interval_seconds: u64,
    /// Longest that any call may take, for a caller more impatient than the
    /// contracts; the contracts' deadlines alone when absent.
    #[serde(default)]
    pub deadline_seconds: Option<u64>,
    /// Largest message, in and out; the server's default when absent.
    #[serde(default)]
    pub max_message_bytes: Option<usize>,
    /// How many repeats the server may be asked for.
    #[serde(default)]
    pub retry_budget: RetryBudgetConfig,
    /// Whether calls are made for whoever called us, as a gateway does: with the
    /// caller's credentials instead of our token, and with the metadata that came along.
    #[serde(default)]
    pub act_for_caller: bool,
}

fn default_connect_timeout_seconds() -> u64 {
    5
}

fn default_resolve_interval_seconds() -> u64 {
    10
}

fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Addresses {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Addresses::deserialize(deserializer)? {
        Addresses::One(text) => text.split(',').map(|one| one.trim().to_owned()).collect(),
        Addresses::Several(addresses) => addresses,
    })
}

impl ClientConfig {
    /// One address, everything else by default.
    pub fn new(address: impl Into<String>, token: SecretString) -> Self {
        Self {
            addresses: vec![address.into()],
            token,
            connect_timeout_seconds: default_connect_timeout_seconds(),
            resolve_interval_seconds: default_resolve_interval_seconds(),
            deadline_seconds: None,
            max_message_bytes: None,
            retry_budget: RetryBudgetConfig::default(),
            act_for_caller: false,
        }
    }

    /// The same, with calls made for whoever called us. The token is then never sent.
    #[must_use]
    pub fn acting_for_caller(mut self) -> Self {
        self.act_for_caller = true;
        self
    }
}

/// A way to a service: connections that are made when needed and made again when
/// lost, and our proof of identity. Cheap to clone.
#[derive(Clone)]
pub struct Channel {
    transport: Transport,
    authorization: AsciiMetadataValue,
    deadline: Option<Duration>,
    limits: MessageLimits,
    budget: Arc<RetryBudget>,
    acts_for_caller: bool,
}

impl Channel {
    /// What tonic's generated client is built over.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport.clone()
    }

    /// The limits that tonic's generated client is given.
    #[must_use]
    pub fn limits(&self) -> MessageLimits {
        self.limits
    }

    pub(super) fn budget(&self) -> &RetryBudget {
        &self.budget
    }

    pub(super) fn acts_for_caller(&self) -> bool {
        self.acts_for_caller
    }

    pub(super) fn authorization(&self) -> AsciiMetadataValue {
        self.authorization.clone()
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("deadline", &self.deadline)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Prepares the way to a service without connecting: the first call does.
///
/// Each call goes to the place with the fewest calls under way. A place that is down
/// gets none while another is up; it is tried again every few seconds. When all are
/// down, a call waits for one more try of each and then fails.
///
/// # Errors
/// `INVALID_ARGUMENT` when an address, the token, an interval or the budget cannot be
/// used.
pub fn connect_lazy(config: &ClientConfig) -> Result<Channel, Error> {
    connect_lazy_with(config, Arc::new(System))
}

/// As [`connect_lazy`], with names looked up by `resolver`.
///
/// # Errors
/// As [`connect_lazy`].
pub fn connect_lazy_with(
    config: &ClientConfig,
    resolver: Arc<dyn Resolve>,
) -> Result<Channel, Error> {
    if let Some((field, mistake)) = config.retry_budget.mistake() {
        return Err(Error::invalid_field(field, mistake));
    }
    if config.addresses.is_empty() {
        return Err(Error::invalid_field("addresses", "is empty"));
    }
    if config.resolve_interval_seconds == 0 {
        return Err(Error::invalid_field("resolve_interval_seconds", "must be at least 1"));
    }
    let addresses = config.addresses.iter().map(|address| Address::parse(address));
    let addresses = addresses.collect::<Result<Vec<_>, _>>()?;
    let settings = Settings {
        connect_timeout: Duration::from_secs(config.connect_timeout_seconds),
        resolve_interval: Duration::from_secs(config.resolve_interval_seconds),
    };
    let bearer = format!("Bearer {}", config.token.expose_secret());
    let mut authorization = AsciiMetadataValue::try_from(bearer)
        .map_err(|_| Error::invalid_field("token", "cannot be sent in a header"))?;
    authorization.set_sensitive(true);
    Ok(Channel {
        transport: Transport(Arc::new(Pool::new(addresses, settings, resolver))),
        authorization,
        deadline: config.deadline_seconds.map(Duration::from_secs),
        limits: config.max_message_bytes.map_or_else(MessageLimits::default, MessageLimits::both),
        budget: Arc::new(RetryBudget::new(config.retry_budget)),
        acts_for_caller: config.act_for_caller,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> ClientConfig {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn addresses_come_alone_with_commas_or_as_a_list() {
        let token = r#""token":"secret-token-of-mine""#;
        let one = config(&format!(r#"{{"address":"api:9233",{token}}}"#));
        assert_eq!(one.addresses, ["api:9233"]);
        let commas = config(&format!(r#"{{"addresses":"a:1, b:2",{token}}}"#));
        assert_eq!(commas.addresses, ["a:1", "b:2"]);
        let list = config(&format!(r#"{{"addresses":["a:1","b:2"],{token}}}"#));
        assert_eq!(list.addresses, ["a:1", "b:2"]);
        assert!(!format!("{list:?}").contains("secret-token"));
    }

    #[test]
    fn addresses_that_cannot_be_used_are_named() {
        for bad in ["", "https://api:9233", "http://", "a b:1"] {
            let config = ClientConfig::new(bad, SecretString::from("secret-token-of-mine"));
            let error = connect_lazy(&config).unwrap_err();
            assert_eq!(error.violations()[0].field, "addresses", "{bad:?}");
        }
        let newline = ClientConfig::new("a:1", SecretString::from("secret\ntoken-of-mine"));
        let error = connect_lazy(&newline).unwrap_err();
        assert_eq!(error.violations()[0].field, "token");
        assert!(!format!("{error:?}").contains("of-mine"));
    }

    #[test]
    fn debug_does_not_show_the_token() {
        let config = ClientConfig::new("a:1", SecretString::from("secret-token-of-mine"));
        assert!(!format!("{:?}", connect_lazy(&config).unwrap()).contains("of-mine"));
    }
}
