//! What a failure of the NATS client means in the platform's terms.

use async_nats::jetstream::Error as ApiError;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use treaty_error::{Code, Error};

/// The server is not reachable, or does not answer, just now.
pub(crate) fn unavailable(
    message: impl Into<String>,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::new(Code::Unavailable, message).with_source(source)
}

/// The code for an answer of the JetStream API that is an error.
pub(crate) fn api_code(error: &ApiError) -> Code {
    match error.error_code() {
        ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::MEMORY_RESOURCES_EXCEEDED
        | ErrorCode::STREAM_STORE_FAILED => Code::ResourceExhausted,
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM => {
            Code::InvalidArgument
        }
        _ => match error.code() {
            404 => Code::NotFound,
            408 | 500..=599 => Code::Unavailable,
            429 => Code::ResourceExhausted,
            _ => Code::FailedPrecondition,
        },
    }
}

/// An error of the JetStream API as ours.
pub(crate) fn api(what: &str, error: ApiError) -> Error {
    Error::new(api_code(&error), format!("{what} was refused by the server")).with_source(error)
}

/// A failed publish as ours.
pub(crate) fn publish(error: PublishError) -> Error {
    let api_error = std::error::Error::source(&error)
        .and_then(|source| source.downcast_ref::<ApiError>())
        .map(api_code);
    let (code, message) = match (error.kind(), api_error) {
        (PublishErrorKind::StreamNotFound, _) => {
            (Code::Unavailable, "no stream stores this subject just now")
        }
        (PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe, _) => {
            (Code::Unavailable, "the stream did not acknowledge the message in time")
        }
        (PublishErrorKind::MaxPayloadExceeded, _) => {
            (Code::InvalidArgument, "the message is larger than the server accepts")
        }
        (PublishErrorKind::MaxAckPending, _) => {
            (Code::ResourceExhausted, "too many messages await their acknowledgement")
        }
        (_, Some(Code::ResourceExhausted)) => (Code::ResourceExhausted, "the stream is full"),
        (_, Some(code)) => (code, "the stream refused the message"),
        (_, None) => (Code::Unavailable, "the message could not be sent"),
    };
    Error::new(code, message).with_source(error)
}

/// Whether publishing the same message again may succeed.
pub(crate) fn may_publish_again(error: &Error) -> bool {
    matches!(error.code(), Code::Unavailable | Code::ResourceExhausted)
}
