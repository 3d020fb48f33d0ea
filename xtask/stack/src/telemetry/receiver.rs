//! A receiver of traces by OTLP over HTTP, for tests and the demo.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span as Received};
use prost::Message as _;

use super::Trace;

/// Most spans that are kept; what is more is answered and forgotten.
const MOST_SPANS: usize = 500_000;

/// Longest request that is read, in bytes.
const LONGEST_REQUEST: usize = 64 << 20;

/// A span as it was received.
#[derive(Clone, Debug)]
pub struct Span {
    /// The service that made it.
    pub service: String,
    /// In hexadecimal digits.
    pub trace_id: String,
    /// In hexadecimal digits.
    pub span_id: String,
    /// In hexadecimal digits; empty for the first of a trace.
    pub parent_id: String,
    /// Its name.
    pub name: String,
    /// `server`, `client`, `producer`, `consumer` or `internal`.
    pub kind: &'static str,
    /// Nanoseconds since the epoch.
    pub begun: u64,
    /// How long it took.
    pub took: Duration,
    /// Whether it failed.
    pub failed: bool,
    /// What it says of itself.
    pub attributes: BTreeMap<String, String>,
    /// The traces that it refers to.
    pub links: Vec<String>,
}

/// Receives spans on loopback until it is dropped.
pub struct Receiver {
    address: SocketAddr,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    spans: Mutex<Vec<Span>>,
    ended: AtomicBool,
}

impl Receiver {
    /// Starts on a free port.
    ///
    /// # Errors
    /// When nothing can be listened on.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, kept) = (listener.local_addr()?, Arc::<Kept>::default());
        let shared = Arc::clone(&kept);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.ended.load(Ordering::Relaxed) {
                    return;
                }
                let kept = Arc::clone(&shared);
                // An exporter that goes away, or talks nonsense, loses its connection.
                thread::spawn(move || drop(answer(stream, &kept)));
            }
        });
        Ok(Self { address, kept })
    }

    /// Settings that make each service send its traces here.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        ["API", "CONSUMER", "WORKER"]
            .iter()
            .flat_map(|service| {
                let endpoint = format!("http://{}", self.address);
                [
                    (format!("{service}__TRACES__ENDPOINT"), endpoint),
                    (format!("{service}__TRACES__DELAY_MILLISECONDS"), "200".to_owned()),
                ]
            })
            .collect()
    }

    /// All spans so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.kept.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The spans so far, as traces.
    #[must_use]
    pub fn traces(&self) -> Vec<Trace> {
        Trace::all(self.spans())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.kept.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// Answers the requests of one connection.
fn answer(stream: TcpStream, kept: &Kept) -> Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        ensure!(line.starts_with("POST /v1/traces "), "not an export of traces: {line}");
        let mut length = None;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = Some(value.trim().parse::<usize>()?);
            }
        }
        let length = length.filter(|length| *length <= LONGEST_REQUEST);
        let mut body = vec![0; length.context("no usable content-length")?];
        reader.read_exact(&mut body)?;
        keep(kept, ExportTraceServiceRequest::decode(&*body)?);
        reader.get_mut().write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
        )?;
    }
}

fn keep(kept: &Kept, request: ExportTraceServiceRequest) {
    let mut spans = kept.spans.lock().unwrap_or_else(PoisonError::into_inner);
    for resource in request.resource_spans {
        let service = service(&resource);
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            if spans.len() < MOST_SPANS {
                spans.push(read(&service, span));
            }
        }
    }
}

fn service(spans: &ResourceSpans) -> String {
    let attributes = spans.resource.iter().flat_map(|resource| &resource.attributes);
    let mut names = attributes.filter(|attribute| attribute.key == "service.name");
    names.next().map(text_of).unwrap_or_default()
}

fn read(service: &str, span: Received) -> Span {
    let failed = span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error);
    Span {
        service: service.to_owned(),
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_id: hex(&span.parent_span_id),
        kind: kind(span.kind()),
        begun: span.start_time_unix_nano,
        took: Duration::from_nanos(
            span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano),
        ),
        failed,
        attributes: span.attributes.iter().map(|one| (one.key.clone(), text_of(one))).collect(),
        links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
        name: span.name,
    }
}

fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
        SpanKind::Internal | SpanKind::Unspecified => "internal",
    }
}

fn text_of(attribute: &KeyValue) -> String {
    match &attribute.value {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => text.clone(),
        Some(AnyValue { value: Some(Value::IntValue(number)) }) => number.to_string(),
        Some(AnyValue { value: Some(Value::BoolValue(truth)) }) => truth.to_string(),
        Some(AnyValue { value: Some(Value::DoubleValue(number)) }) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
