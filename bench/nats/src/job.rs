//! What is published: about 128 bytes in a stream of its own.

use std::time::Duration;

use treaty_error::Error;
use treaty_nats::{Event, Retention, StreamSpec};
use treaty_validate::Validate;

pub const STREAM: &str = "bench";
pub const SUBJECT: &str = "bench.job";

#[derive(Clone, PartialEq, prost::Message)]
pub struct Job {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(bytes = "vec", tag = "2")]
    pub payload: Vec<u8>,
}

impl Job {
    /// The same number in the same run is the same message.
    pub fn new(run: &str, number: usize) -> Self {
        Self { id: format!("{run}-{number}"), payload: vec![b'x'; 108] }
    }
}

impl Validate for Job {}

impl Event for Job {
    const FULL_NAME: &'static str = "bench.v1.Job";
    const STREAM: &'static StreamSpec = &StreamSpec {
        name: STREAM,
        subjects: &["bench.*"],
        retention: Retention::Limits,
        max_age: None,
        max_bytes: None,
        duplicate_window: Duration::from_secs(120),
        atomic_batches: true,
    };
    const SUBJECTS: &'static str = "bench.*";

    fn subject(&self) -> Result<String, Error> {
        Ok(SUBJECT.to_owned())
    }

    fn message_id(&self) -> Option<String> {
        Some(self.id.clone())
    }
}
