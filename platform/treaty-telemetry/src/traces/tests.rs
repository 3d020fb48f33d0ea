//! Traces against collectors that take them, refuse them, and never answer.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::runtime::Runtime;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::{context, statements};

/// What makes traces, and the lines that it logs.
struct Traced {
    runtime: Runtime,
    provider: SdkTracerProvider,
    dispatch: Dispatch,
    log: Arc<Mutex<Vec<u8>>>,
}

impl Traced {
    fn new(collector: SocketAddr, timeout_seconds: u64) -> Self {
        rustls_provider();
        let runtime = Runtime::new().unwrap();
        let config = TracesConfig {
            endpoint: Some(Url::parse(&format!("http://{collector}")).unwrap()),
            delay_milliseconds: 50,
            timeout_seconds,
            ..TracesConfig::default()
        };
        let provider = provider("specimen", &config, runtime.handle()).unwrap().unwrap();
        let (tracer, log) = (tracer(&provider), Arc::default());
        let lines = tracing_subscriber::fmt::layer().with_writer(Lines(Arc::clone(&log)));
        let registry = tracing_subscriber::registry()
            .with(layer(tracer.clone()))
            .with(statements::layer(Some(tracer)))
            .with(lines.with_filter(LevelFilter::INFO));
        context::turn_on();
        // The exporter's own thread logs too.
        let dispatch = Dispatch::new(registry);
        Self { runtime, provider, dispatch, log }
    }

    fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        tracing::dispatcher::with_default(&self.dispatch, work)
    }

    fn log(&self) -> String {
        String::from_utf8(self.log.lock().unwrap().clone()).unwrap()
    }
}

#[derive(Clone)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn rustls_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Spans with what their process says of itself.
type Spans = Arc<Mutex<Vec<(String, Span)>>>;

/// Takes requests one after the other and keeps the spans.
fn taking() -> (SocketAddr, Spans) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, spans) = (listener.local_addr().unwrap(), Arc::default());
    let kept = Arc::clone(&spans);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            take(stream.unwrap(), &kept);
        }
    });
    (address, spans)
}

fn take(mut stream: TcpStream, kept: &Mutex<Vec<(String, Span)>>) {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).unwrap();
        if read == 0 {
            return;
        }
        bytes.extend_from_slice(&chunk[..read]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        assert!(head.starts_with("post /v1/traces "), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.unwrap().parse().unwrap();
        let body = end + 4;
        if bytes.len() < body + length {
            continue;
        }
        let request = ExportTraceServiceRequest::decode(&bytes[body..body + length]).unwrap();
        for resource in request.resource_spans {
            let attributes = format!("{:?}", resource.resource);
            for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                kept.lock().unwrap().push((attributes.clone(), span));
            }
        }
        bytes.drain(..body + length);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    }
}

/// A span as adapters make them.
fn one_call() {
    let span = tracing::info_span!("call", otel.kind = "server", otel.name = "p.S/M");
    span.in_scope(|| {
        tracing::debug_span!("of a library").in_scope(|| {
            tracing::debug!(
                target: "sqlx::query",
                summary = "SELECT name FROM athletes …",
                db.statement = "\n\nSELECT name FROM athletes WHERE id = $1\n",
                rows_returned = 1_u64,
                elapsed_secs = 0.25,
            );
        });
    });
}

#[test]
fn spans_reach_the_collector_with_their_statements_below() {
    let (collector, spans) = taking();
    let traced = Traced::new(collector, 5);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    traced.run(|| {
        one_call();
        // What runs outside of a trace is none.
        tracing::debug!(target: "sqlx::query", summary = "SELECT 1", elapsed_secs = 0.1);
        let span = tracing::info_span!("message", otel.kind = "consumer");
        context::continue_in(&span, Some(parent));
        // Nor is what a library begins for itself, whose context would be in the way of ours.
        let theirs = tracing::info_span!(target: "temporalio_sdk", "task", otel.kind = "server");
        theirs.in_scope(|| assert!(!context::is_traced()));
        span.in_scope(|| {
            let told = context::traceparent().unwrap();
            assert!(told.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{told}");
            tracing::error!("went wrong");
        });
        drop(span);
        traced.provider.force_flush().unwrap();
    });
    let spans = spans.lock().unwrap();
    let named = |name: &str| spans.iter().find(|(_, span)| span.name == name).unwrap();
    let ((resource, call), (_, select)) = (named("p.S/M"), named("SELECT athletes"));
    assert_eq!(spans.len(), 3, "{spans:?}");
    assert!(resource.contains("service.name") && resource.contains("specimen"), "{resource}");
    assert_eq!((&select.trace_id, &select.parent_span_id), (&call.trace_id, &call.span_id));
    let nanos = select.end_time_unix_nano - select.start_time_unix_nano;
    assert!((240_000_000..260_000_000).contains(&nanos), "{nanos}");
    assert!(format!("{:?}", select.attributes).contains("WHERE id = $1"));
    let (_, message) = named("message");
    assert_eq!(message.parent_span_id, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
    assert_eq!(message.status.as_ref().unwrap().code, 2, "an error makes the span one");
    assert!(!traced.log().contains("collector"), "{}", traced.log());
}

#[test]
fn a_trace_that_was_not_sampled_elsewhere_is_not_sampled_here() {
    let (collector, spans) = taking();
    let traced = Traced::new(collector, 5);
    traced.run(|| {
        let span = tracing::info_span!("message", otel.kind = "consumer");
        let unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        context::continue_in(&span, Some(unsampled));
        span.in_scope(one_call);
        traced.provider.force_flush().unwrap();
    });
    assert!(spans.lock().unwrap().is_empty());
}

/// Makes a great many spans, and returns how many seconds and bytes that took.
fn flood(traced: &Traced) -> (f64, usize) {
    traced.run(one_call);
    let (before, begun) = (resident_bytes(), Instant::now());
    traced.run(|| (0..30_000).for_each(|_| one_call()));
    (begun.elapsed().as_secs_f64(), resident_bytes().saturating_sub(before))
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// A flood of 60,000 spans costs neither time nor memory, and one line of log.
fn nobody_is_held_up(traced: Traced) {
    let (seconds, bytes) = flood(&traced);
    // Exports that were waited for would take twice as long: a second for each 512 spans.
    assert!(seconds < 60.0, "{seconds} s");
    assert!(bytes < 48 * 1024 * 1024, "{bytes} bytes");
    let begun = Instant::now();
    let _ = traced.provider.shutdown_with_timeout(Duration::from_secs(2));
    assert!(begun.elapsed() < Duration::from_secs(4), "the end does not wait for long");
    println!("{seconds} s, {bytes} bytes, log: {}", traced.log());
    traced.runtime.shutdown_background();
}

#[test]
fn a_collector_that_is_away_is_in_nobodys_way() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    nobody_is_held_up(Traced::new(nobody, 1));
}

#[test]
fn nor_is_one_that_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap();
    // Connections are taken by the kernel, and nobody reads.
    nobody_is_held_up(Traced::new(silent, 1));
    drop(listener);
}

#[test]
fn a_collector_that_is_away_is_told_of_once_and_its_return_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    rustls_provider();
    let runtime = Runtime::new().unwrap();
    let url = Url::parse(&format!("http://{address}")).unwrap();
    let limit = Duration::from_secs(1);
    let collector = Collector::new(&url, limit, runtime.handle().clone(), Room::new(512)).unwrap();
    let log = Arc::default();
    let lines = tracing_subscriber::fmt().with_writer(Lines(Arc::clone(&log))).finish();
    tracing::subscriber::with_default(lines, || {
        use opentelemetry_sdk::trace::SpanExporter as _;
        let export = || futures::executor::block_on(collector.export(Vec::new()));
        for _ in 0..3 {
            export().unwrap_err();
        }
        let listener = TcpListener::bind(address).unwrap();
        std::thread::spawn(move || take(listener.accept().unwrap().0, &Mutex::default()));
        export().unwrap();
    });
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("do not reach the collector").count(), 1, "{log}");
    assert_eq!(log.matches("reach the collector again").count(), 1, "{log}");
}

#[test]
fn a_queue_that_is_full_is_told_of_once_and_that_it_has_room_again_too() {
    let (room, log) = (Room::new(4), Arc::default());
    let lines = tracing_subscriber::fmt().with_writer(Lines(Arc::clone(&log))).finish();
    tracing::subscriber::with_default(lines, || {
        for _ in 0..3 {
            // Six find no room each time.
            assert_eq!((0..10).filter(|_| room.enter()).count(), 4);
            room.leave(4);
        }
        room.leave(0);
    });
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("is full (traces.queue)").count(), 1, "{log}");
    assert!(log.contains("has room again") && log.contains("18"), "{log}");
}
