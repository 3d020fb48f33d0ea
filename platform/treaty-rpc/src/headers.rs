//! The headers that travel with a call, the same over gRPC and HTTP.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName};
use uuid::Uuid;

/// Header that carries the request id, in and out.
pub const REQUEST_ID: &str = "x-request-id";

/// Header that carries the W3C trace context.
pub const TRACEPARENT: &str = treaty_telemetry::context::TRACEPARENT;

/// Header that carries the key by which a repeated call is known
/// (draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Header with the caller's deadline as gRPC writes it, for example `2500m`.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

/// Header that counts the attempts before this one (gRFC A6).
pub(crate) const PREVIOUS_ATTEMPTS: &str = "grpc-previous-rpc-attempts";

/// Longest request id taken from a caller: it is repeated in every log line.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// Length of a W3C `traceparent` of version 00.
const TRACEPARENT_BYTES: usize = 55;

/// A request id that nobody has used.
pub(crate) fn new_request_id() -> Arc<str> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    // `Uuid::now_v7` asks the operating system for randomness, which costs more than all
    // else that is done with a small request.
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
    Arc::from(&*id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

/// A key that nobody has used: a UUID of version 4, as AIP-155 asks for.
pub(crate) fn new_idempotency_key() -> String {
    Uuid::new_v4().to_string()
}

/// Gives the field that holds a request's idempotency key a fresh one when it is
/// empty; for generated code, which does so once for all attempts of a call.
pub fn fill_idempotency_key(field: &mut String) {
    if field.is_empty() {
        *field = new_idempotency_key();
    }
}

/// The caller's idempotency key where it is one that can be kept and compared: as fit
/// as a request id has to be.
#[must_use]
pub fn idempotency_key(header: Option<&str>) -> Option<&str> {
    header.filter(|key| is_fit(key))
}

/// The caller's request id where it is fit to be logged, otherwise a new one.
///
/// Only letters, digits and `-_.:/+=@` are taken, so that a caller cannot forge log
/// lines or headers.
#[must_use]
pub fn request_id_or_new(header: Option<&str>) -> Arc<str> {
    match header {
        Some(id) if is_fit(id) => Arc::from(id),
        _ => new_request_id(),
    }
}

fn is_fit(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= MAX_REQUEST_ID_BYTES
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte))
}

/// Headers that a call has anyway, or that have a meaning of their own.
const RESERVED: [&str; 12] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    TRACEPARENT,
    "user-agent",
    IDEMPOTENCY_KEY,
    REQUEST_ID,
];

/// What of a call's headers is the application's own metadata; none costs nothing.
pub(crate) fn application_metadata(headers: &HeaderMap) -> Option<HeaderMap> {
    let is_own = |name: &HeaderName| {
        let name = name.as_str();
        !(RESERVED.contains(&name) || name.starts_with("grpc-") || name.ends_with("-bin"))
    };
    let own = headers.iter().filter(|(name, _)| is_own(name));
    let own: HeaderMap = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    (!own.is_empty()).then_some(own)
}

/// The caller's `traceparent` where it is well-formed.
#[must_use]
pub fn traceparent(header: Option<&str>) -> Option<&str> {
    header.filter(|value| {
        let shape = value.len() == TRACEPARENT_BYTES
            && value.bytes().enumerate().all(|(index, byte)| match index {
                2 | 35 | 52 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        shape && !value.starts_with("ff")
    })
}

/// Reads a `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2, "Requests").
/// Nothing when it is written otherwise.
#[must_use]
pub fn grpc_timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_request_id_is_kept_and_any_other_replaced() {
        assert_eq!(&*request_id_or_new(Some("abc-1")), "abc-1");
        for unfit in [None, Some(""), Some("a b"), Some("a\nb"), Some("é"), Some(&*"x".repeat(129))]
        {
            assert_eq!(request_id_or_new(unfit).len(), 36, "{unfit:?}");
        }
    }

    #[test]
    fn only_a_well_formed_traceparent_passes() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(Some(good)), Some(good));
        assert_eq!(traceparent(Some("00-4BF9")), None);
        assert_eq!(traceparent(Some(&good.replacen("00", "ff", 1))), None);
        assert_eq!(traceparent(None), None);
    }

    #[test]
    fn timeouts_of_every_unit_are_read_and_others_ignored() {
        assert_eq!(grpc_timeout("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(grpc_timeout("99999999M"), Some(Duration::from_secs(99_999_999 * 60)));
        assert_eq!(grpc_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(grpc_timeout("1n"), Some(Duration::from_nanos(1)));
        for bad in ["", "S", "5", "5x", "+5S", "123456789S", "5é"] {
            assert_eq!(grpc_timeout(bad), None, "{bad:?}");
        }
    }
}
