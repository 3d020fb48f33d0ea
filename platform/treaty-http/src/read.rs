//! Request bodies: read with a limit, told apart by their type.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body::Body as _;
use treaty_error::{Code, Error, FieldViolation};
use treaty_rpc::Context;

use crate::Body;

/// Why a request is refused, with the HTTP status where the code's own says too little.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: Error,
    pub(crate) status: Option<StatusCode>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self { error: Error::new(code, message), status: Some(status) }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, status: None }
    }
}

/// Bytes that arrive, up to a limit.
pub(crate) struct Arriving {
    body: Body,
    left: usize,
    limit: usize,
}

impl Arriving {
    /// The body of a request, of at most `limit` bytes in all.
    pub(crate) fn new(headers: &HeaderMap, body: Body, limit: usize) -> Result<Self, Refusal> {
        let declared =
            headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|length| length > limit as u64) {
            return Err(too_large(limit));
        }
        Ok(Self { body, left: limit, limit })
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await;
            let frame = match frame {
                None => return Ok(None),
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    let message = "the body ended too early";
                    return Err(Error::new(Code::Cancelled, message).with_source(error).into());
                }
            };
            // Trailers mean nothing here.
            let Ok(data) = frame.into_data() else { continue };
            self.left = self.left.checked_sub(data.len()).ok_or_else(|| too_large(self.limit))?;
            return Ok(Some(data));
        }
    }

    /// All of it.
    pub(crate) async fn whole(mut self) -> Result<Bytes, Refusal> {
        // Most bodies arrive in one piece, which needs no copy.
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        if self.body.is_end_stream() {
            return Ok(first);
        }
        let Some(second) = self.next().await? else { return Ok(first) };
        let mut whole = BytesMut::with_capacity((first.len() + second.len()) * 2);
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(piece) = self.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }
}

fn too_large(limit: usize) -> Refusal {
    let message = format!("the body exceeds {limit} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::InvalidArgument, message)
}

/// A caller that sends its body too slowly must not hold on to us for ever. The fault
/// is the caller's, unlike that of a deadline that passes while we work.
pub(crate) async fn in_time<T>(
    context: &Context,
    reading: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let Some(deadline) = context.deadline() else {
        return reading.await;
    };
    tokio::time::timeout_at(deadline.into(), reading).await.unwrap_or_else(|_elapsed| {
        let message = "the body did not arrive in time";
        Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, Code::Cancelled, message))
    })
}

/// The types of body that a route reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// One JSON value.
    Json,
    /// JSON values one after the other, a line each.
    Lines,
}

/// Sees that the body says it is what the route reads.
pub(crate) fn check_media(headers: &HeaderMap, media: Media) -> Result<(), Refusal> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if value.is_some_and(|value| is_media(value, media)) {
        return Ok(());
    }
    let message = match media {
        Media::Json => "the body must be application/json",
        Media::Lines => "the body must be application/x-ndjson",
    };
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, message))
}

fn is_media(value: &str, media: Media) -> bool {
    let (media_type, parameters) = value.split_once(';').unwrap_or((value, ""));
    let media_type = media_type.trim();
    let is_json = media_type.eq_ignore_ascii_case("application/json")
        || media_type.split_once('/').is_some_and(|(kind, subtype)| {
            let suffix = subtype.len().checked_sub(5).and_then(|at| subtype.get(at..));
            kind.eq_ignore_ascii_case("application")
                && suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("+json"))
        });
    let is_lines = ["application/x-ndjson", "application/jsonl"]
        .iter()
        .any(|known| media_type.eq_ignore_ascii_case(known));
    let is_utf8 = parameters.split(';').all(|parameter| match parameter.trim().split_once('=') {
        Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
            charset.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    // One line of JSON is JSON, so a stream of one message may say so.
    is_utf8 && (is_json || (is_lines && media == Media::Lines))
}

/// The failure of a text that is not the JSON of its message, with the path of the field.
pub(crate) fn not_json(error: treaty_json::Error) -> Error {
    let (field, description) = (error.path(), error.description().to_owned());
    if error.kind() == treaty_json::ErrorKind::Syntax {
        let message = format!("the body is not valid JSON: {error}");
        return Error::new(Code::InvalidArgument, message);
    }
    if field.is_empty() {
        return Error::new(Code::InvalidArgument, format!("the body is wrong: {description}"));
    }
    invalid(FieldViolation::new(field, description))
}

/// One wrong field.
pub(crate) fn invalid(violation: FieldViolation) -> Error {
    let message = format!("{}: {}", violation.field, violation.description);
    Error::new(Code::InvalidArgument, message).with_violations(vec![violation])
}
