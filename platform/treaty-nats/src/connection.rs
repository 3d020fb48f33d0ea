//! The connection, which outlives the server's restarts.

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{ConnectErrorKind, ConnectOptions, ServerAddr};
use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio::time::Instant;
use treaty_error::{Code, Error};

use crate::failure::{api, unavailable};
use crate::{DeadLetters, Event, HandlerSpec, NatsConfig, Publisher, StreamSpec, streams};

/// Longest wait for the server's answer to one request or one publish.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to the server. Cheap to clone; once made it reconnects for ever.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

struct Inner {
    client: async_nats::Client,
    jetstream: jetstream::Context,
    /// Counts connections made, so that consumers notice a reconnection at once
    /// instead of by missing heartbeats.
    connections: watch::Receiver<u64>,
}

/// Connects, trying again until the configured time is over.
///
/// # Errors
/// [`Code::Unavailable`] when the time is over; [`Code::Unauthenticated`] or
/// [`Code::FailedPrecondition`] at once when trying again cannot help.
pub async fn connect(config: &NatsConfig) -> Result<Connection, Error> {
    let deadline = Instant::now() + config.connect_timeout();
    let addresses = parse_addresses(config)?;
    let mut wait = Duration::from_millis(100);
    let mut announced = false;
    loop {
        let (made, mut connections) = watch::channel(0);
        let attempt = options(config, made).await?.connect(addresses.clone()).await;
        let error = match attempt {
            Ok(client) => {
                // Another task counts. Coming late it would be taken for a reconnection.
                let counted = connections.wait_for(|made| *made > 0);
                let _ = tokio::time::timeout(ANSWER_TIMEOUT, counted).await;
                return Ok(Connection::new(client, connections));
            }
            Err(error) => error,
        };
        match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                return Err(Error::new(
                    Code::Unauthenticated,
                    format!("NATS at {} refused the credentials", config.shown_url()),
                )
                .with_source(error));
            }
            _ if Instant::now() + wait >= deadline => {
                return Err(unavailable(
                    format!(
                        "NATS at {} was not reachable within {} s",
                        config.shown_url(),
                        config.connect_timeout_seconds
                    ),
                    error,
                ));
            }
            kind => {
                if !announced {
                    tracing::info!(url = config.shown_url(), reason = %kind, "waiting for NATS");
                    announced = true;
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(2));
            }
        }
    }
}

fn parse_addresses(config: &NatsConfig) -> Result<Vec<ServerAddr>, Error> {
    config
        .url
        .split(',')
        .map(|address| {
            address.trim().parse::<ServerAddr>().map_err(|error| {
                Error::new(
                    Code::FailedPrecondition,
                    format!("not an address of a NATS server: {}", config.shown_url()),
                )
                .with_source(error)
            })
        })
        .collect()
}

async fn options(config: &NatsConfig, made: watch::Sender<u64>) -> Result<ConnectOptions, Error> {
    let made = Arc::new(made);
    let mut options = ConnectOptions::new()
        .max_reconnects(None)
        .request_timeout(Some(ANSWER_TIMEOUT))
        .ping_interval(Duration::from_secs(15))
        .reconnect_delay_callback(reconnect_delay)
        .event_callback(move |event| {
            let made = Arc::clone(&made);
            async move { on_event(&event, &made) }
        });
    if let Some(name) = &config.name {
        options = options.name(name);
    }
    if let Some(user) = &config.user {
        // Permissions give each user an inbox of its own, so that no deployable reads
        // what another is answered.
        options = options.custom_inbox_prefix(format!("_INBOX.{user}"));
    }
    if let Some(file) = &config.ca_file {
        options = options.add_root_certificates(file.clone());
    }
    match (&config.user, &config.password) {
        (Some(user), Some(password)) => {
            options = options.user_and_password(user.clone(), password.expose_secret().to_owned());
        }
        (None, None) => {}
        _ => {
            return Err(Error::new(
                Code::FailedPrecondition,
                "NATS: user and password go together",
            ));
        }
    }
    if let Some(file) = &config.credentials_file {
        options = options.credentials_file(file).await.map_err(|error| {
            Error::new(
                Code::FailedPrecondition,
                format!("NATS: credentials file {} cannot be read", file.display()),
            )
            .with_source(error)
        })?;
    }
    Ok(options)
}

/// Spreads the replicas of a service, which all lose the server together.
fn reconnect_delay(attempts: usize) -> Duration {
    let steps = u64::try_from(attempts.min(20)).unwrap_or(20);
    Duration::from_millis((steps * 100).min(2_000) + rand::random_range(0..200))
}

fn on_event(event: &async_nats::Event, made: &watch::Sender<u64>) {
    use async_nats::Event;
    match event {
        Event::Connected => {
            made.send_modify(|count| *count += 1);
            tracing::info!("connected to NATS");
        }
        Event::Disconnected => tracing::warn!("lost the connection to NATS, reconnecting"),
        Event::SlowConsumer(_) => tracing::warn!(%event, "NATS client cannot keep up"),
        Event::ServerError(_) | Event::ClientError(_) => tracing::warn!(%event, "NATS reports"),
        Event::LameDuckMode | Event::Draining | Event::Closed => tracing::info!(%event, "NATS"),
    }
}

impl Connection {
    fn new(client: async_nats::Client, connections: watch::Receiver<u64>) -> Self {
        let jetstream = jetstream::ContextBuilder::new()
            .timeout(ANSWER_TIMEOUT)
            .ack_timeout(ANSWER_TIMEOUT)
            .build(client.clone());
        Self { inner: Arc::new(Inner { client, jetstream, connections }) }
    }

    pub(crate) fn client(&self) -> &async_nats::Client {
        &self.inner.client
    }

    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        &self.inner.jetstream
    }

    pub(crate) fn connections(&self) -> watch::Receiver<u64> {
        self.inner.connections.clone()
    }

    /// Whether the server is connected at this moment.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.inner.client.connection_state() == State::Connected
    }

    /// A publisher for one event.
    #[must_use]
    pub fn publisher<E: Event>(&self) -> Publisher<E> {
        Publisher::new(self)
    }

    /// What could not be handled. Needs the permissions of an operator.
    #[must_use]
    pub fn dead_letters(&self) -> DeadLetters {
        DeadLetters::new(self)
    }

    /// Creates the streams, or brings them to what is declared. Settings that the contract does not speak of, such as the
    /// number of replicas, are left as an operator has set them.
    ///
    /// # Errors
    /// The server is not reachable or refuses the change.
    pub async fn ensure_streams(&self, specs: &[&StreamSpec]) -> Result<(), Error> {
        for spec in specs {
            streams::ensure(self.jetstream(), spec).await?;
        }
        Ok(())
    }

    /// How far a handler's consumer has come.
    ///
    /// # Errors
    /// [`Code::NotFound`] when it does not exist; the server is not reachable.
    pub async fn consumer_info(&self, spec: &HandlerSpec) -> Result<ConsumerInfo, Error> {
        let subject = format!("CONSUMER.INFO.{}.{}", spec.stream.name, spec.durable);
        let what = format!("information about consumer {}", spec.durable);
        let info: jetstream::consumer::Info =
            self.ask(&subject, &serde_json::json!({}), &what).await?;
        Ok(ConsumerInfo {
            num_pending: info.num_pending,
            num_ack_pending: count(info.num_ack_pending),
            num_redelivered: count(info.num_redelivered),
            num_waiting: count(info.num_waiting),
            paused: info.paused,
            delivered: info.delivered.consumer_sequence,
            delivered_stream_sequence: info.delivered.stream_sequence,
            ack_floor: info.ack_floor.consumer_sequence,
            ack_floor_stream_sequence: info.ack_floor.stream_sequence,
        })
    }

    /// What a stream holds.
    ///
    /// # Errors
    /// [`Code::NotFound`] when it does not exist; the server is not reachable.
    pub async fn stream_info(&self, spec: &StreamSpec) -> Result<StreamInfo, Error> {
        let what = format!("information about stream {}", spec.name);
        let info: jetstream::stream::Info =
            self.ask(&format!("STREAM.INFO.{}", spec.name), &serde_json::json!({}), &what).await?;
        Ok(StreamInfo {
            messages: info.state.messages,
            bytes: info.state.bytes,
            first_sequence: info.state.first_sequence,
            last_sequence: info.state.last_sequence,
            consumers: count(info.state.consumer_count),
        })
    }

    /// One request to JetStream's API; `subject` without the API's prefix.
    pub(crate) async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        subject: &str,
        body: &serde_json::Value,
        what: &str,
    ) -> Result<T, Error> {
        let answer = self.jetstream().request(subject.to_owned(), body).await;
        match answer {
            Ok(jetstream::response::Response::Ok(value)) => Ok(value),
            Ok(jetstream::response::Response::Err { error }) => {
                let missing = [ErrorCode::STREAM_NOT_FOUND, ErrorCode::CONSUMER_NOT_FOUND];
                if missing.contains(&error.error_code()) {
                    let message = format!("{what}: it does not exist");
                    return Err(Error::new(Code::NotFound, message).with_source(error));
                }
                Err(api(what, error))
            }
            Err(error) => Err(unavailable(format!("{what} could not be read"), error)),
        }
    }

    /// Waits until everything that was sent has left the process. Call it last:
    /// an acknowledgement that was only queued is lost with the process.
    pub async fn flush(&self) {
        match tokio::time::timeout(ANSWER_TIMEOUT, self.inner.client.flush()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "NATS: the last messages were not flushed"),
            Err(_) => tracing::warn!("NATS: the last messages were not flushed in time"),
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("connected", &self.is_connected()).finish()
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// How far a handler's consumer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsumerInfo {
    /// Messages not delivered yet.
    pub num_pending: u64,
    /// Messages delivered and not answered yet, those that wait for a retry included.
    pub num_ack_pending: u64,
    /// Of these, messages delivered more than once.
    pub num_redelivered: u64,
    /// Pull requests that wait for messages.
    pub num_waiting: u64,
    /// Whether an operator has paused it.
    pub paused: bool,
    /// Deliveries so far, repeated ones included.
    pub delivered: u64,
    /// Highest sequence of the stream that was delivered.
    pub delivered_stream_sequence: u64,
    /// All deliveries up to this one are answered.
    pub ack_floor: u64,
    /// All messages of the stream up to this one are answered.
    pub ack_floor_stream_sequence: u64,
}

impl ConsumerInfo {
    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.num_pending == 0 && self.num_ack_pending == 0
    }
}

/// What a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Messages in it.
    pub messages: u64,
    /// Their size.
    pub bytes: u64,
    /// Sequence of the oldest.
    pub first_sequence: u64,
    /// Sequence of the newest ever stored.
    pub last_sequence: u64,
    /// Consumers that read it.
    pub consumers: u64,
}
