//! Answers of many messages, as one of three texts.
//!
//! | | message | failure | end |
//! |---|---|---|---|
//! | JSON | an element of an array | the element `{"error":…}` | `]` |
//! | NDJSON | `{"result":…}` on a line | `{"error":…}` on a line | `{"end":{}}` on a line |
//! | events | `data: …` | `event: error` | `event: end` |
//!
//! A failure is a `google.rpc.Status` and the last thing said. An answer that ends
//! without either was cut off.

mod format;
mod raw;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body::{Body as HttpBody, Frame};
use tokio::time::{Interval, MissedTickBehavior};
use treaty_error::Error;
use treaty_rpc::MessageStream;

pub(crate) use format::Format;

use crate::payload::Output;
use crate::{Body, GatewayConfig, Route, status_json};

/// How much is gathered from a stream that has more at hand before it is sent.
const PIECE_BYTES: usize = 16 * 1024;

/// Answers with a stream in the form that the caller accepts.
pub(crate) async fn answer<R: Send + 'static>(
    route: &Route,
    output: Output<R>,
    format: Format,
    messages: MessageStream<R>,
    config: &GatewayConfig,
) -> Response<Body> {
    let status = StatusCode::from_u16(route.success).unwrap_or(StatusCode::OK);
    if output.is_raw() {
        return raw::answer(status, output, messages).await;
    }
    let keepalive = Duration::from_secs(config.stream_keepalive_seconds);
    let keepalive = (format == Format::Events && !keepalive.is_zero()).then_some(keepalive);
    let body = Messages {
        messages,
        output,
        format,
        progress: Progress::Nothing,
        keepalive: keepalive.map(every),
    };
    let mut response = Response::new(Body::boxed(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn every(wait: Duration) -> Interval {
    let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + wait, wait);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// How far an answer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    Some,
    Ended,
}

/// The body of such an answer. Dropping it, as happens when the caller goes away, drops
/// the messages' source.
struct Messages<R> {
    messages: MessageStream<R>,
    output: Output<R>,
    format: Format,
    progress: Progress,
    keepalive: Option<Interval>,
}

// The only part that is pinned by its address is in a box.
impl<R> Unpin for Messages<R> {}

impl<R> Messages<R> {
    fn message(&mut self, buffer: Vec<u8>, message: &R) -> Vec<u8> {
        let is_first = self.progress == Progress::Nothing;
        let mut written = buffer;
        let start = written.len();
        written.extend_from_slice(self.format.before(is_first));
        // What is there already must survive a message that cannot be written.
        match self.output.append(message, Vec::with_capacity(PIECE_BYTES / 16)) {
            Ok(json) => {
                self.progress = Progress::Some;
                written.extend_from_slice(&json);
                written.extend_from_slice(self.format.after());
                written
            }
            Err(error) => {
                tracing::error!(error = error.chain(), "the answer cannot be written as JSON");
                written.truncate(start);
                self.end(written, Err(&error))
            }
        }
    }

    fn end(&mut self, mut buffer: Vec<u8>, outcome: Result<(), &Error>) -> Vec<u8> {
        let is_first = self.progress == Progress::Nothing;
        self.progress = Progress::Ended;
        match outcome {
            Ok(()) => self.format.write_end(&mut buffer, is_first),
            Err(error) => self.format.write_error(&mut buffer, is_first, &status_json(error)),
        }
        buffer
    }

    /// Whether nothing has been said for so long that something should be.
    fn is_silent(&mut self, cx: &mut Context<'_>) -> bool {
        self.keepalive.as_mut().is_some_and(|interval| interval.poll_tick(cx).is_ready())
    }
}

impl<R> HttpBody for Messages<R> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let mut buffer = Vec::new();
        while this.progress != Progress::Ended && buffer.len() < PIECE_BYTES {
            buffer = match this.messages.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(message))) => this.message(buffer, &message),
                Poll::Ready(Some(Err(error))) => this.end(buffer, Err(&error)),
                Poll::Ready(None) => this.end(buffer, Ok(())),
                Poll::Pending if !buffer.is_empty() => break,
                Poll::Pending if this.is_silent(cx) => {
                    buffer.extend_from_slice(b": still here\n\n");
                    break;
                }
                Poll::Pending => return Poll::Pending,
            };
        }
        if buffer.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(interval) = &mut this.keepalive {
            interval.reset();
        }
        Poll::Ready(Some(Ok(Frame::data(buffer.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.progress == Progress::Ended
    }
}
