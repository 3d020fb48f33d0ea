//! A failure as the JSON of `google.rpc.Status`.

use std::time::Duration;

use serde::Serialize;
use treaty_error::Error;

use crate::details;

#[derive(Serialize)]
struct Status<'a> {
    code: i32,
    message: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "@type")]
enum Detail<'a> {
    #[serde(rename = "type.googleapis.com/google.rpc.BadRequest")]
    BadRequest {
        #[serde(rename = "fieldViolations")]
        field_violations: Vec<Violation<'a>>,
    },
    #[serde(rename = "type.googleapis.com/google.rpc.RetryInfo")]
    RetryInfo {
        #[serde(rename = "retryDelay")]
        retry_delay: String,
    },
    #[serde(untagged)]
    Other(details::Written),
}

#[derive(Serialize)]
struct Violation<'a> {
    field: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
}

/// Writes a failure as the JSON of `google.rpc.Status`, without its source.
#[must_use]
pub fn status_json(error: &Error) -> Vec<u8> {
    let mut details = Vec::new();
    if !error.violations().is_empty() {
        let field_violations = error
            .violations()
            .iter()
            .map(|violation| Violation {
                field: &violation.field,
                description: &violation.description,
                reason: &violation.reason,
            })
            .collect();
        details.push(Detail::BadRequest { field_violations });
    }
    if let Some(wait) = error.retry_after() {
        details.push(Detail::RetryInfo { retry_delay: duration_json(wait) });
    }
    details.extend(error.details().iter().filter_map(details::written).map(Detail::Other));
    let status = Status { code: error.code().grpc(), message: error.message(), details };
    // Texts and numbers alone cannot fail to be written; should they, the status
    // line still tells the code.
    serde_json::to_vec(&status).unwrap_or_default()
}

/// The JSON form of `google.protobuf.Duration`: as many of 0, 3, 6 or 9 decimals as it
/// takes.
fn duration_json(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if nanos == 0 {
        format!("{seconds}s")
    } else if nanos % 1_000_000 == 0 {
        format!("{seconds}.{:03}s", nanos / 1_000_000)
    } else if nanos % 1_000 == 0 {
        format!("{seconds}.{:06}s", nanos / 1_000)
    } else {
        format!("{seconds}.{nanos:09}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_have_their_type_urls() {
        let error = Error::invalid_field("athlete.email", "is \"empty\"")
            .with_retry_after(Duration::from_millis(1500))
            .with_source(std::io::Error::other("ours"));
        assert_eq!(
            String::from_utf8(status_json(&error)).unwrap(),
            concat!(
                r#"{"code":3,"message":"athlete.email: is \"empty\"","details":["#,
                r#"{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":"#,
                r#"[{"field":"athlete.email","description":"is \"empty\""}]},"#,
                r#"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"}]}"#
            )
        );
    }

    #[test]
    fn durations_have_as_many_decimals_as_needed() {
        assert_eq!(duration_json(Duration::from_secs(2)), "2s");
        assert_eq!(duration_json(Duration::from_micros(1)), "0.000001s");
        assert_eq!(duration_json(Duration::from_nanos(1)), "0.000000001s");
    }
}
