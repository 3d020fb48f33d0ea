//! Histories as proto3 JSON, which the server's CLI writes and later versions of the SDK can read.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor};
use temporalio_common::protos::temporal::api::history::v1::History;

use crate::refusal::{interaction_error, payload};
use crate::{Connection, Error, RunRef};

/// The messages of the server, as the SDK in use knows them.
static DESCRIPTORS: &[u8] = include_bytes!(env!("TREATY_TEMPORAL_DESCRIPTORS"));

const NAME: &str = "temporal.api.history.v1.History";

fn descriptor() -> Result<MessageDescriptor, Error> {
    static POOL: LazyLock<Result<DescriptorPool, String>> =
        LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).map_err(|error| error.to_string()));
    let wrong = |reason: String| Error::Payload {
        name: "a history".to_owned(),
        action: "described",
        source: reason.into(),
    };
    let pool = POOL.as_ref().map_err(|reason| wrong(reason.clone()))?;
    pool.get_message_by_name(NAME).ok_or_else(|| wrong(format!("the SDK has no {NAME}")))
}

/// Reads a history; fields that this version does not know are passed over.
pub(super) fn decode(json: &[u8]) -> Result<History, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let lenient = DeserializeOptions::new().deny_unknown_fields(false);
    let message =
        DynamicMessage::deserialize_with_options(descriptor()?, &mut deserializer, &lenient)
            .map_err(|error| payload("a history", "decoded", error))?;
    message.transcode_to().map_err(|error| payload("a history", "decoded", error))
}

fn encode(history: &History) -> Result<Vec<u8>, Error> {
    let mut message = DynamicMessage::new(descriptor()?);
    message.transcode_from(history).map_err(|error| payload("a history", "encoded", error))?;
    serde_json::to_vec(&message).map_err(|error| payload("a history", "encoded", error))
}

impl Connection {
    /// What happened in a run, as the JSON that [`Replayer`](super::Replayer) reads. Without a run
    /// id, the latest.
    ///
    /// # Errors
    /// [`Error::WorkflowNotFound`], [`Error::Call`], [`Error::Payload`].
    pub async fn history(&self, run: &RunRef) -> Result<Vec<u8>, Error> {
        let fetched = self.handle(run).fetch_history(Default::default()).into_events().await;
        let events = fetched.map_err(|error| interaction_error(run, "read a history", error))?;
        encode(&History { events })
    }
}
