//! Dead letters as the contract shows them.

use api_port::operations_v1 as proto;
use api_port::operations_v1::get_dead_letter_response::Payload as Shown;
use chrono::{DateTime, Utc};
use treaty_nats::DeadLetter;
use treaty_payload::Payload;

use super::service::Fate;
use crate::convert;

pub(super) fn letter(letter: DeadLetter) -> proto::DeadLetter {
    proto::DeadLetter {
        number: letter.number,
        set_aside_time: Some(convert::timestamp(DateTime::<Utc>::from(letter.set_aside))),
        payload_bytes: u64::try_from(letter.payload_bytes).unwrap_or(u64::MAX),
        stream: letter.stream,
        handler: letter.durable,
        event: letter.event.unwrap_or_default(),
        reason: letter.reason,
        attempts: letter.attempts,
        redrives: letter.redrives,
        subject: letter.subject.unwrap_or_default(),
        stream_sequence: letter.stream_sequence.unwrap_or_default(),
        message_id: letter.message_id.unwrap_or_default(),
    }
}

pub(super) fn headers(letter: &DeadLetter) -> Vec<proto::Header> {
    let header = |(name, value): (&str, &str)| proto::Header {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    letter.headers().into_iter().map(header).collect()
}

/// What is shown, and the paths of what is hidden.
pub(super) fn payload(letter: &DeadLetter, payload: Payload) -> (Shown, Vec<String>) {
    match payload {
        Payload::Json { value, hidden } => (Shown::Json(treaty_payload::to_struct(value)), hidden),
        Payload::Bytes { .. } => (Shown::Undecoded(letter.payload.to_vec()), Vec::new()),
        Payload::Withheld { why } => (Shown::Withheld(why), Vec::new()),
    }
}

pub(super) fn outcome((number, fate): (u64, Fate)) -> proto::RedriveOutcome {
    use proto::RedriveResult as R;
    let (result, stream_sequence, problem) = match fate {
        Fate::Driven { before: false, sequence } => (R::Driven, sequence, String::new()),
        Fate::Driven { before: true, sequence } => (R::DrivenBefore, sequence, String::new()),
        Fate::Spared => (R::WouldBeDriven, 0, String::new()),
        Fate::Kept(error) => (R::Kept, 0, error.to_string()),
        Fate::Missing | Fate::Discarded => (R::Missing, 0, String::new()),
    };
    proto::RedriveOutcome { number, result: result.into(), stream_sequence, problem }
}

#[cfg(test)]
mod tests {
    use api_port::connections_v1::CompleteConsentRequest;
    use prost::Message as _;
    use treaty_payload::Contracts;

    use super::*;

    /// The descriptors that the port carries for reflection are without custom options, and must
    /// say what is to be hidden all the same.
    #[test]
    fn what_contracts_hide_is_not_in_an_answer() {
        let contracts = Contracts::decode(api_port::DESCRIPTORS).unwrap();
        let consent = CompleteConsentRequest {
            state: "s-1".to_owned(),
            code: "one-time-code".to_owned(),
            ..CompleteConsentRequest::default()
        };
        let name = "stravasync.connections.v1.CompleteConsentRequest";
        let read = contracts.read_payload(Some(name), &consent.encode_to_vec());
        let Payload::Json { value, hidden } = read else { panic!("{read:?}") };
        assert_eq!((value, hidden), (serde_json::json!({"state": "s-1"}), vec!["code".to_owned()]));
        let garbage = contracts.read_payload(Some(name), b"\xff");
        assert!(matches!(garbage, Payload::Withheld { .. }), "{garbage:?}");
    }
}
