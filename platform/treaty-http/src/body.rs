//! Request bodies: read with a limit, decoded with the path of what is wrong.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use treaty_error::{Code, Error, FieldViolation};
use treaty_json::{ErrorKind, Json};

/// Why a body is refused, with the HTTP status where the code's own says too little.
pub(crate) struct Refusal {
    pub(crate) error: Error,
    pub(crate) status: Option<StatusCode>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, status: None }
    }
}

fn refuse(status: StatusCode, message: impl Into<String>) -> Refusal {
    Refusal { error: Error::new(Code::InvalidArgument, message), status: Some(status) }
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let too_large =
        || refuse(StatusCode::PAYLOAD_TOO_LARGE, format!("the body exceeds {limit} bytes"));
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > limit as u64) {
        return Err(too_large());
    }
    let mut chunks = body.into_data_stream();
    let mut whole = Bytes::new();
    let mut joined: Option<BytesMut> = None;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            Error::new(Code::Cancelled, "the body ended too early").with_source(error)
        })?;
        let length = joined.as_ref().map_or(whole.len(), BytesMut::len) + chunk.len();
        if length > limit {
            return Err(too_large());
        }
        // Most bodies arrive in one piece, which needs no copy.
        match &mut joined {
            Some(joined) => joined.extend_from_slice(&chunk),
            None if whole.is_empty() => whole = chunk,
            None => {
                let mut buffer = BytesMut::with_capacity(length * 2);
                buffer.extend_from_slice(&whole);
                buffer.extend_from_slice(&chunk);
                joined = Some(buffer);
            }
        }
    }
    Ok(joined.map_or(whole, BytesMut::freeze))
}

/// Decodes a message. No body at all is the message with nothing set.
pub(crate) fn decode<Q: Json>(headers: &HeaderMap, body: &[u8]) -> Result<Q, Refusal> {
    if body.is_empty() {
        return Ok(Q::default());
    }
    if !is_json(headers) {
        return Err(refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be application/json",
        ));
    }
    treaty_json::from_slice(body).map_err(|error| located(error).into())
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or("");
    let is_json = media_type.eq_ignore_ascii_case("application/json")
        || (media_type.len() > 5
            && media_type.get(media_type.len() - 5..).is_some_and(|suffix| {
                suffix.eq_ignore_ascii_case("+json") && media_type.starts_with("application/")
            }));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
            charset.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    is_json && is_utf8
}

/// The failure of a body that cannot be decoded, with the path of the field.
fn located(error: treaty_json::Error) -> Error {
    if error.kind() == ErrorKind::Syntax {
        let message = format!("the body is not valid JSON: {error}");
        return Error::new(Code::InvalidArgument, message).with_source(error);
    }
    let (field, description) = (error.path(), error.description().to_owned());
    if field.is_empty() {
        return Error::new(Code::InvalidArgument, format!("the body is wrong: {description}"))
            .with_source(error);
    }
    let message = format!("{field}: {description}");
    Error::new(Code::InvalidArgument, message)
        .with_violations(vec![FieldViolation::new(field, description)])
        .with_source(error)
}
