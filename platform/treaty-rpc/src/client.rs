//! The gRPC client that generated clients stand on.

use std::fmt;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::transport::Endpoint;
use tonic::{Request, Response, Status};
use tracing::{Instrument, Span, field};
use treaty_error::{Code, Error};

use crate::run::deadline_exceeded;
use crate::{Context, MessageLimits, MethodSpec, from_status, headers};

/// Silence on a connection after which a ping is sent.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// Wait for the answer to that ping before the connection is given up.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a service is and how we prove ourselves to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// `host:port` or `http://host:port`, one or several (a list, or one text with
    /// commas); calls are spread over all of them.
    #[serde(alias = "address", deserialize_with = "one_or_several")]
    pub addresses: Vec<String>,
    /// The token that proves who we are.
    pub token: SecretString,
    /// How long a connection may take to be made.
    #[serde(default = "default_connect_timeout_seconds")]
    pub connect_timeout_seconds: u64,
    /// Longest that any call may take, for a caller more impatient than the
    /// contracts; the contracts' deadlines alone when absent.
    #[serde(default)]
    pub deadline_seconds: Option<u64>,
    /// Largest message, in and out; the server's default when absent.
    #[serde(default)]
    pub max_message_bytes: Option<usize>,
}

fn default_connect_timeout_seconds() -> u64 {
    5
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
            deadline_seconds: None,
            max_message_bytes: None,
        }
    }
}

/// A way to a service: connections that are made when needed and made again when
/// lost, and our proof of identity. Cheap to clone.
#[derive(Clone)]
pub struct Channel {
    transport: tonic::transport::Channel,
    authorization: AsciiMetadataValue,
    deadline: Option<Duration>,
    limits: MessageLimits,
}

impl Channel {
    /// What tonic's generated client is built over.
    #[must_use]
    pub fn transport(&self) -> tonic::transport::Channel {
        self.transport.clone()
    }

    /// The limits that tonic's generated client is given.
    #[must_use]
    pub fn limits(&self) -> MessageLimits {
        self.limits
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
/// Must be called inside a tokio runtime, which drives the connections.
///
/// # Errors
/// `INVALID_ARGUMENT` when an address or the token cannot be used.
pub fn connect_lazy(config: &ClientConfig) -> Result<Channel, Error> {
    let connect_timeout = Duration::from_secs(config.connect_timeout_seconds);
    let endpoints = config
        .addresses
        .iter()
        .map(|address| endpoint(address, connect_timeout))
        .collect::<Result<Vec<_>, _>>()?;
    let transport = match endpoints.as_slice() {
        [] => return Err(Error::invalid_field("addresses", "is empty")),
        [one] => one.connect_lazy(),
        _ => tonic::transport::Channel::balance_list(endpoints.into_iter()),
    };
    let bearer = format!("Bearer {}", config.token.expose_secret());
    let mut authorization = AsciiMetadataValue::try_from(bearer)
        .map_err(|_| Error::invalid_field("token", "cannot be sent in a header"))?;
    authorization.set_sensitive(true);
    Ok(Channel {
        transport,
        authorization,
        deadline: config.deadline_seconds.map(Duration::from_secs),
        limits: config.max_message_bytes.map_or_else(MessageLimits::default, MessageLimits::both),
    })
}

fn endpoint(address: &str, connect_timeout: Duration) -> Result<Endpoint, Error> {
    let invalid = |what: &str| Error::invalid_field("addresses", format!("`{address}` {what}"));
    let url = match address.split_once("://") {
        None if address.is_empty() => return Err(invalid("is empty")),
        None => format!("http://{address}"),
        Some(("http", _)) => address.to_owned(),
        Some(_) => return Err(invalid("has a scheme other than http")),
    };
    let endpoint =
        Endpoint::from_shared(url).map_err(|error| invalid("is no address").with_source(error))?;
    Ok(endpoint
        .connect_timeout(connect_timeout)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        // Without this, a connection that a middlebox forgot is found out by the
        // next call instead of before it.
        .keep_alive_while_idle(true))
}

/// Makes one unary call: adds our token, the deadline and the identifiers, and
/// turns whatever comes back into an error of ours.
///
/// The answer is awaited for as long as the context allows, the method's deadline
/// at most. `send` hands the request to tonic's generated client; it may be called
/// more than once, for a request that is known not to have been processed.
///
/// # Errors
/// The server's own, `UNAVAILABLE` when it cannot be reached, `DEADLINE_EXCEEDED`
/// when time ran out.
pub async fn call<Q, R, F, Fut>(
    spec: &'static MethodSpec,
    channel: &Channel,
    context: &Context,
    request: Q,
    send: F,
) -> Result<R, Error>
where
    F: Fn(Request<Q>) -> Fut,
    Fut: Future<Output = Result<Response<R>, Status>>,
{
    let span = tracing::info_span!(
        "rpc.client",
        rpc.method = spec.path.trim_start_matches('/'),
        rpc.status_code = field::Empty,
        request_id = context.request_id(),
    );
    async move {
        let result = bounded(spec, channel, context, request, send).await;
        let code = result.as_ref().map_or_else(|error| error.code().as_str(), |_| "OK");
        Span::current().record("rpc.status_code", code);
        result
    }
    .instrument(span)
    .await
}

async fn bounded<Q, R, F, Fut>(
    spec: &MethodSpec,
    channel: &Channel,
    context: &Context,
    request: Q,
    send: F,
) -> Result<R, Error>
where
    F: Fn(Request<Q>) -> Fut,
    Fut: Future<Output = Result<Response<R>, Status>>,
{
    let limits = [Some(spec.deadline), channel.deadline, context.remaining()];
    let timeout = limits.into_iter().flatten().min().unwrap_or(spec.deadline);
    if timeout.is_zero() {
        return Err(deadline_exceeded());
    }
    let deadline = Instant::now().checked_add(timeout);
    let mut request = Request::new(request);
    request.set_timeout(timeout);
    annotate(request.metadata_mut(), channel, context);
    // tonic's own timer starts later than ours and not at all while the call waits
    // for a connection.
    match tokio::time::timeout(timeout, send(request)).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(failure(spec, status, deadline)),
        Err(_elapsed) => Err(deadline_exceeded()),
    }
}

fn annotate(metadata: &mut MetadataMap, channel: &Channel, context: &Context) {
    metadata.insert("authorization", channel.authorization.clone());
    if let Ok(id) = AsciiMetadataValue::try_from(context.request_id()) {
        metadata.insert(headers::REQUEST_ID, id);
    }
    if let Some(Ok(traceparent)) = context.traceparent().map(AsciiMetadataValue::try_from) {
        metadata.insert(headers::TRACEPARENT, traceparent);
    }
}

/// When the transport's timer wins over ours, it says CANCELLED; the caller must
/// see the same code either way.
fn failure(spec: &MethodSpec, status: Status, deadline: Option<Instant>) -> Error {
    let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
    if late && status.code() == tonic::Code::Cancelled {
        return deadline_exceeded().with_source(status);
    }
    let error = from_status(status);
    if error.code() == Code::Unavailable {
        let message = format!("{} is not available: {}", spec.service, error.message());
        let retry_after = error.retry_after();
        let wrapped = Error::new(Code::Unavailable, message).with_source(error);
        return match retry_after {
            Some(wait) => wrapped.with_retry_after(wait),
            None => wrapped,
        };
    }
    error
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

    #[tokio::test]
    async fn addresses_that_cannot_be_used_are_named() {
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

    #[tokio::test]
    async fn debug_does_not_show_the_token() {
        let config = ClientConfig::new("a:1", SecretString::from("secret-token-of-mine"));
        assert!(!format!("{:?}", connect_lazy(&config).unwrap()).contains("of-mine"));
    }
}
