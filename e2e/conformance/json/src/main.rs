//! A program under test, as the runner of protobuf's conformance suite wants it: requests
//! on standard input, answers on standard output, each behind its length.

use std::io::{self, Read, Write};

use conformance_messages::conformance::conformance_request::Payload;
use conformance_messages::conformance::conformance_response::Result as Outcome;
use conformance_messages::conformance::{
    ConformanceRequest, ConformanceResponse, FailureSet, TestCategory, WireFormat,
};
use conformance_messages::{
    protobuf_test_messages_editions as edition2023,
    protobuf_test_messages_editions_proto2 as edition_proto2,
    protobuf_test_messages_editions_proto3 as edition_proto3,
    protobuf_test_messages_proto2 as proto2, protobuf_test_messages_proto3 as proto3,
};
use prost::Message;
use treaty_json::{Json, ReadOptions, Registry, Unknown, WriteOptions};

fn main() -> io::Result<()> {
    let mut registry = Registry::new();
    conformance_messages::register_types(&mut registry);
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    while let Some(request) = receive(&mut input)? {
        let result = Some(answer(&request, &registry));
        let bytes = ConformanceResponse { result }.encode_to_vec();
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        output.write_all(&length.to_le_bytes())?;
        output.write_all(&bytes)?;
        output.flush()?;
    }
    Ok(())
}

/// The next request; none when the runner has no more.
fn receive(input: &mut impl Read) -> io::Result<Option<ConformanceRequest>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        outcome => outcome?,
    }
    let length = usize::try_from(u32::from_le_bytes(length)).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes)?;
    ConformanceRequest::decode(bytes.as_slice()).map(Some).map_err(io::Error::other)
}

fn answer(request: &ConformanceRequest, registry: &Registry) -> Outcome {
    match request.message_type.as_str() {
        // The runner's first question: tests that we know to fail. It has a list for them.
        "conformance.FailureSet" => Outcome::ProtobufPayload(FailureSet::default().encode_to_vec()),
        "protobuf_test_messages.proto3.TestAllTypesProto3" => {
            transcode::<proto3::TestAllTypesProto3>(request, registry)
        }
        "protobuf_test_messages.proto2.TestAllTypesProto2" => {
            transcode::<proto2::TestAllTypesProto2>(request, registry)
        }
        "protobuf_test_messages.editions.TestAllTypesEdition2023" => {
            transcode::<edition2023::TestAllTypesEdition2023>(request, registry)
        }
        "protobuf_test_messages.editions.proto2.TestAllTypesProto2" => {
            transcode::<edition_proto2::TestAllTypesProto2>(request, registry)
        }
        "protobuf_test_messages.editions.proto3.TestAllTypesProto3" => {
            transcode::<edition_proto3::TestAllTypesProto3>(request, registry)
        }
        other => Outcome::Skipped(format!("{other} is not generated")),
    }
}

/// Reads a message in one form and writes it in the other.
fn transcode<M: Message + Default + Json>(
    request: &ConformanceRequest,
    registry: &Registry,
) -> Outcome {
    let message = match read::<M>(request, registry) {
        Ok(message) => message,
        Err(outcome) => return outcome,
    };
    match request.requested_output_format() {
        WireFormat::Protobuf => Outcome::ProtobufPayload(message.encode_to_vec()),
        WireFormat::Json => {
            let options = WriteOptions { registry: Some(registry), ..WriteOptions::DEFAULT };
            let json = treaty_json::to_vec_with(&message, &options);
            let text = json
                .map_err(|error| error.to_string())
                .and_then(|json| String::from_utf8(json).map_err(|error| error.to_string()));
            text.map_or_else(Outcome::SerializeError, Outcome::JsonPayload)
        }
        other => Outcome::Skipped(format!("{other:?} is not written")),
    }
}

fn read<M: Message + Default + Json>(
    request: &ConformanceRequest,
    registry: &Registry,
) -> Result<M, Outcome> {
    let refuse = |error: &dyn std::error::Error| Outcome::ParseError(error.to_string());
    match &request.payload {
        Some(Payload::ProtobufPayload(bytes)) => {
            M::decode(bytes.as_slice()).map_err(|error| refuse(&error))
        }
        Some(Payload::JsonPayload(json)) => {
            let unknown = match request.test_category() {
                TestCategory::JsonIgnoreUnknownParsingTest => Unknown::Ignore,
                _ => Unknown::Refuse,
            };
            let options = ReadOptions { unknown, registry: Some(registry), ..ReadOptions::DEFAULT };
            treaty_json::from_slice_with(json.as_bytes(), &options).map_err(|error| refuse(&error))
        }
        _ => Err(Outcome::Skipped("neither protobuf nor JSON".to_owned())),
    }
}
