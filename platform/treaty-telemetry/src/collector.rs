//! Bringing spans to the collector, without ever being in anybody's way.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter as Export};
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use url::Url;

use crate::durations;
use crate::queue::Room;

/// Longest answer of a collector that is read; it says what it has refused.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Brings spans to one collector. While it cannot be reached, or does not answer in time,
/// spans are dropped; that is told once when it begins, and once when it ends.
pub(crate) struct Collector {
    exporter: SpanExporter,
    room: Arc<Room>,
    failing: AtomicBool,
    dropped: AtomicU64,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("failing", &self.failing).finish_non_exhaustive()
    }
}

impl Collector {
    pub(crate) fn new(
        endpoint: &Url,
        timeout: Duration,
        runtime: Handle,
        room: Arc<Room>,
    ) -> Result<Self, HttpError> {
        let client = reqwest::Client::builder()
            .user_agent("treaty-telemetry")
            .timeout(timeout)
            .redirect(Policy::none())
            .build()?;
        let base = endpoint.as_str().trim_end_matches('/');
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Courier { client, runtime })
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/traces"))
            .with_timeout(timeout)
            .build()?;
        Ok(Self { exporter, room, failing: AtomicBool::new(false), dropped: AtomicU64::new(0) })
    }

    fn note(&self, count: usize, outcome: &OTelSdkResult) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        durations::count_spans(count, if outcome.is_ok() { "delivered" } else { "dropped" });
        match outcome {
            Ok(()) if self.failing.swap(false, Ordering::Relaxed) => {
                let dropped = self.dropped.swap(0, Ordering::Relaxed);
                tracing::info!(dropped, "traces reach the collector again");
            }
            Ok(()) => {}
            Err(error) => {
                self.dropped.fetch_add(count, Ordering::Relaxed);
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "traces do not reach the collector; they are dropped");
                }
            }
        }
    }
}

impl Export for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        self.room.leave(count);
        let outcome = self.exporter.export(batch).await;
        self.note(count, &outcome);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> Result<(), OTelSdkError> {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Carries requests on the process's runtime, for a thread that is none of it.
#[derive(Debug)]
struct Courier {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, (answered, answer)) = (self.client.clone(), oneshot::channel());
        self.runtime.spawn(async move {
            // Nobody waits any more when the process has ended.
            let _ = answered.send(carry(&client, request).await);
        });
        answer.await.map_err(|_| "the process ends")?
    }
}

async fn carry(
    client: &reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let mut response = client.execute(request.try_into()?).await?;
    let mut answer = Response::builder().status(response.status());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err("the answer is too long".into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(answer.body(body.into())?)
}
