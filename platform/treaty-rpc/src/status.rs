//! Our error and tonic's status, both ways, with the details of `google.rpc`.

use std::error::Error as StdError;

use prost::Message;
use prost_types::Any;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt, pb};
use treaty_error::{Code, Detail, Error, FieldViolation};

/// Details that [`Error`] has in a form of its own.
const OWN: [&str; 2] =
    ["type.googleapis.com/google.rpc.BadRequest", "type.googleapis.com/google.rpc.RetryInfo"];

/// The status that carries a failure over the wire: code, message, wrong fields
/// and when to repeat. Its source stays here.
#[must_use]
pub fn to_status(error: &Error) -> Status {
    let code = tonic::Code::from_i32(error.code().grpc());
    let own = !error.violations().is_empty() || error.retry_after().is_some();
    if !own && error.details().is_empty() {
        return Status::new(code, error.message());
    }
    let mut details = ErrorDetails::new();
    let mut bad_request = Vec::new();
    for violation in error.violations() {
        bad_request.push(tonic_types::FieldViolation {
            field: violation.field.clone(),
            description: violation.description.clone(),
            reason: violation.reason.clone(),
            ..Default::default()
        });
    }
    if !bad_request.is_empty() {
        details.set_bad_request(bad_request);
    }
    if let Some(wait) = error.retry_after() {
        details.set_retry_info(Some(wait));
    }
    let status = Status::with_error_details(code, error.message(), details);
    if error.details().is_empty() { status } else { with_others(&status, error.details()) }
}

/// The same status with further details.
fn with_others(status: &Status, others: &[Detail]) -> Status {
    let mut whole = pb::Status::decode(status.details()).unwrap_or_default();
    (whole.code, whole.message) = (status.code() as i32, status.message().to_owned());
    let others = others.iter().map(|detail| (detail.type_url.clone(), detail.value.clone()));
    whole.details.extend(others.map(|(type_url, value)| Any { type_url, value }));
    Status::with_details(status.code(), status.message(), whole.encode_to_vec().into())
}

/// The details of a status that have no form of their own, as they came.
fn others(status: &Status) -> Vec<Detail> {
    let whole = pb::Status::decode(status.details()).unwrap_or_default();
    let others = whole.details.into_iter();
    others
        .filter(|detail| !OWN.contains(&detail.type_url.as_str()))
        .map(|Any { type_url, value }| Detail { type_url, value })
        .collect()
}

/// The failure that a status tells of. The status itself is kept as source, so
/// that the log shows where the failure came from.
///
/// A status that the server never sent, because the transport failed, becomes
/// `UNAVAILABLE`.
#[must_use]
pub fn from_status(status: Status) -> Error {
    if is_transport_failure(&status) {
        return Error::new(Code::Unavailable, "the service is not reachable").with_source(status);
    }
    let mut error = Error::new(Code::from_grpc(status.code() as i32), status.message());
    // Details that cannot be read are no reason to lose the code and the message.
    if let Ok(details) = status.check_error_details() {
        if let Some(bad_request) = details.bad_request() {
            let violations = bad_request.field_violations.iter().map(|violation| {
                FieldViolation::new(&violation.field, &violation.description)
                    .with_reason(&violation.reason)
            });
            error = error.with_violations(violations.collect());
        }
        if let Some(wait) = details.retry_info().and_then(|info| info.retry_delay) {
            error = error.with_retry_after(wait);
        }
    }
    let others = others(&status);
    error.with_details(others).with_source(status)
}

/// Only a status made on this side has a source; of those, everything that tells
/// of a broken connection means the same to a caller.
fn is_transport_failure(status: &Status) -> bool {
    use tonic::Code;
    status.source().is_some()
        && matches!(
            status.code(),
            Code::Unknown | Code::Unavailable | Code::Cancelled | Code::Internal
        )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn everything_but_the_source_survives_the_wire() {
        let violation = FieldViolation::new("athlete.email", "is not an address");
        let error = Error::new(Code::InvalidArgument, "athlete.email: is not an address")
            .with_violations(vec![violation.with_reason("string.email")])
            .with_retry_after(Duration::from_millis(1500))
            .with_source(std::io::Error::other("secret of ours"));
        let status = to_status(&error);
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        assert!(!format!("{status:?}").contains("secret of ours"));
        let back = from_status(status);
        assert_eq!(back.code(), error.code());
        assert_eq!(back.message(), error.message());
        assert_eq!(back.violations(), error.violations());
        assert_eq!(back.retry_after(), error.retry_after());
    }

    #[test]
    fn details_that_nobody_here_knows_survive_the_wire() {
        let detail =
            Detail { type_url: "type.example.test/acme.Why".to_owned(), value: vec![8, 1] };
        for error in [
            Error::new(Code::FailedPrecondition, "closed"),
            Error::invalid_field("a", "is wrong").with_retry_after(Duration::from_secs(1)),
        ] {
            let error = error.with_details(vec![detail.clone()]);
            let back = from_status(to_status(&error));
            assert_eq!(back.details(), std::slice::from_ref(&detail));
            assert_eq!(back.violations(), error.violations());
            assert_eq!((back.code(), back.message()), (error.code(), error.message()));
        }
    }

    #[test]
    fn every_code_survives_the_wire() {
        for number in 1..=16 {
            let code = Code::from_grpc(number);
            assert_eq!(from_status(to_status(&Error::new(code, "x"))).code(), code);
        }
    }

    #[test]
    fn a_broken_connection_is_unavailable_and_keeps_its_source() {
        let status = Status::from_error(Box::new(std::io::Error::other("broken pipe")));
        let error = from_status(status);
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.chain().contains("broken pipe"), "{}", error.chain());
    }

    #[test]
    fn details_that_cannot_be_read_cost_only_themselves() {
        let garbage = vec![0xff; 3].into();
        let status = Status::with_details(tonic::Code::NotFound, "no such athlete", garbage);
        let error = from_status(status);
        assert_eq!((error.code(), error.message()), (Code::NotFound, "no such athlete"));
    }
}
