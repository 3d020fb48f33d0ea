//! Jobs that come all the time, and what the broker holds of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use api_port::sync_v1::{SyncAthlete, SyncReason};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::{self, Context};
use async_nats::{ConnectOptions, HeaderMap};
use futures::StreamExt as _;
use prost::Message as _;
use stack::Stack;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The broker as an operator sees it.
pub async fn broker(stack: &Stack) -> Result<Context> {
    let client = ConnectOptions::new()
        .user_and_password("operations".to_owned(), stack.nats_password().to_owned())
        .max_reconnects(None)
        .reconnect_delay_callback(|_| Duration::from_millis(100))
        .connect(&stack.addresses().nats)
        .await?;
    Ok(jetstream::new(client))
}

/// Publishes jobs at a steady rate, each again and again until the broker has taken it.
pub struct Pump {
    stop: CancellationToken,
    task: JoinHandle<Result<()>>,
    accepted: Accepted,
}

/// Jobs that the broker has taken: athlete and request.
type Accepted = Arc<Mutex<Vec<(String, String)>>>;

impl Pump {
    /// Sets it to work: a job every `interval`, for each of the athletes in turn.
    pub fn start(broker: Context, name: &str, athletes: Vec<String>, interval: Duration) -> Self {
        let (stop, accepted) = (CancellationToken::new(), Accepted::default());
        let (stopped, list, name) = (stop.clone(), Arc::clone(&accepted), name.to_owned());
        let task = tokio::spawn(async move {
            for (number, athlete) in athletes.iter().cycle().enumerate() {
                let request = format!("{name}-{number}");
                // A job that was begun is carried through: whether it was taken is not known.
                publish_surely(&broker, athlete, &request).await?;
                list.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((athlete.clone(), request));
                tokio::select! {
                    () = stopped.cancelled() => break,
                    () = tokio::time::sleep(interval) => {}
                }
            }
            Ok(())
        });
        Self { stop, task, accepted }
    }

    /// How many jobs the broker has taken so far.
    pub fn accepted(&self) -> usize {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Ends, and gives the jobs that the broker has taken.
    pub async fn stop(self) -> Result<Vec<(String, String)>> {
        self.stop.cancel();
        self.task.await??;
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(accepted.clone())
    }
}

/// Publishes one job until the broker says that it has it.
pub async fn publish_surely(broker: &Context, athlete: &str, request: &str) -> Result<()> {
    let job = SyncAthlete {
        athlete_id: athlete.to_owned(),
        request_id: request.to_owned(),
        reason: SyncReason::Schedule.into(),
        request_time: Some(std::time::SystemTime::now().into()),
        ..SyncAthlete::default()
    };
    let payload = job.encode_to_vec();
    loop {
        let mut headers = HeaderMap::new();
        headers.insert("Treaty-Event", "stravasync.sync.v1.SyncAthlete");
        headers.insert("Nats-Msg-Id", format!("{athlete}:{request}").as_str());
        let subject = format!("athlete.sync.{athlete}");
        let publish = async {
            let sent = broker.publish_with_headers(subject, headers, payload.clone().into());
            anyhow::Ok(sent.await?.await?)
        };
        match tokio::time::timeout(Duration::from_secs(5), publish).await {
            Ok(Ok(_)) => return Ok(()),
            // No answer is no refusal: the id makes a second try harmless.
            Ok(Err(_)) | Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// The ids of all jobs that the stream holds, with the time at which it took them, in seconds since
/// 1970; fails when one is there twice.
pub async fn stored(broker: &Context) -> Result<BTreeMap<String, f64>> {
    let mut stream = broker.get_stream("athlete").await?;
    let last = stream.info().await?.state.last_sequence;
    let config = pull::Config {
        filter_subject: "athlete.sync.>".to_owned(),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::None,
        headers_only: true,
        inactive_threshold: Duration::from_secs(60),
        ..pull::Config::default()
    };
    let mut consumer = stream.create_consumer(config).await?;
    let expected = consumer.info().await?.num_pending;
    let mut messages = consumer.messages().await?;
    let mut ids = BTreeMap::new();
    for _ in 0..expected {
        let message = messages.next().await.context("the stream's messages ended early")??;
        let headers = message.headers.as_ref().context("a job without headers")?;
        let id = headers.get("Nats-Msg-Id").context("a job without an id")?.as_str().to_owned();
        let at = message.info().map_err(|error| anyhow::anyhow!(error))?.published;
        #[allow(clippy::cast_precision_loss, reason = "a microsecond more or less")]
        let at = at.unix_timestamp_nanos() as f64 / 1e9;
        let known = ids.insert(id.clone(), at);
        anyhow::ensure!(known.is_none(), "{id} is in the stream twice ({last} messages)");
    }
    Ok(ids)
}
