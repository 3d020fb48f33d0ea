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
    let told = match (error.kind(), api_error) {
        (PublishErrorKind::StreamNotFound, _) => no_stream(),
        (PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe, _) => unacknowledged(),
        (PublishErrorKind::MaxPayloadExceeded, _) => too_large(),
        (PublishErrorKind::MaxAckPending, _) => {
            let message = "too many messages await their acknowledgement";
            Error::new(Code::ResourceExhausted, message)
        }
        (_, Some(code)) => Error::new(code, refusal(code)),
        (_, None) => Error::new(Code::Unavailable, UNSENT),
    };
    told.with_source(error)
}

/// A message that the client could not send, as ours.
pub(crate) fn unsent(error: async_nats::PublishError) -> Error {
    use async_nats::PublishErrorKind;
    let told = match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => too_large(),
        PublishErrorKind::InvalidSubject => {
            Error::new(Code::InvalidArgument, "the subject of the message is not valid")
        }
        PublishErrorKind::Send => Error::new(Code::Unavailable, UNSENT),
    };
    told.with_source(error)
}

/// There was no connection for as long as the message was tried.
pub(crate) fn not_connected() -> Error {
    Error::new(Code::Unavailable, "the message could not be sent: the server is not connected")
}

/// A stream's refusal as ours.
pub(crate) fn refused(error: ApiError) -> Error {
    let code = api_code(&error);
    Error::new(code, refusal(code)).with_source(error)
}

/// Nobody answers for the subject.
pub(crate) fn no_stream() -> Error {
    Error::new(Code::Unavailable, "no stream stores this subject just now")
}

/// What became of the message is unknown.
pub(crate) fn unacknowledged() -> Error {
    Error::new(Code::Unavailable, "the stream did not acknowledge the message in time")
}

fn too_large() -> Error {
    Error::new(Code::InvalidArgument, "the message is larger than the server accepts")
}

const UNSENT: &str = "the message could not be sent";

fn refusal(code: Code) -> &'static str {
    match code {
        Code::ResourceExhausted => "the stream is full",
        _ => "the stream refused the message",
    }
}

/// Whether publishing the same message again may succeed.
pub(crate) fn may_publish_again(error: &Error) -> bool {
    matches!(error.code(), Code::Unavailable | Code::ResourceExhausted)
}
