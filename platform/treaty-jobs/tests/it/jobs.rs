//! An event as its publisher knows it, and as a handler knew it that was built too early.

use std::time::Duration;

use async_trait::async_trait;
use treaty_error::Error;
use treaty_nats::{Ack, Delivery, Event, Handle, HandlerSpec, Retention, StreamSpec};

/// The event as its contract declares it.
pub(crate) const CONTRACT: &str = r#"
    syntax = "proto3";
    package shop.v1;
    message Job { uint64 order = 1; string card = 2 [debug_redact = true]; string id = 3; }
"#;

const STREAM: StreamSpec = StreamSpec {
    name: "jobs",
    subjects: &["jobs.*"],
    retention: Retention::Limits,
    max_age: None,
    max_bytes: None,
    duplicate_window: Duration::from_secs(120),
    atomic_batches: false,
};

pub(crate) const SPEC: HandlerSpec = HandlerSpec {
    durable: "worker-shop-v1-Job",
    stream: &STREAM,
    event: "shop.v1.Job",
    filter: "jobs.*",
    // One after the other, so that letters stand in the order of their messages.
    concurrency: 1,
    ack_wait: Duration::from_secs(30),
    max_deliver: 3,
    backoff: &[Duration::from_millis(20)],
    ack: Ack::Confirmed,
    ordered_by: &[],
};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Job {
    #[prost(uint64, tag = "1")]
    pub(crate) order: u64,
    #[prost(string, tag = "2")]
    pub(crate) card: String,
    #[prost(string, tag = "3")]
    pub(crate) id: String,
}

/// Takes the order for a text.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct OldJob {
    #[prost(string, tag = "1")]
    pub(crate) order: String,
}

macro_rules! event {
    ($name:ident, $id:expr) => {
        impl treaty_validate::Validate for $name {
            const HAS_RULES: bool = false;

            fn check(&self, _: &mut treaty_validate::Report) {}
        }

        impl Event for $name {
            const FULL_NAME: &'static str = "shop.v1.Job";
            const STREAM: &'static StreamSpec = &STREAM;
            const SUBJECTS: &'static str = "jobs.*";

            fn subject(&self) -> Result<String, Error> {
                let id: fn(&Self) -> &str = $id;
                Ok(format!("jobs.{}", treaty_nats::token("id", id(self))?))
            }

            fn message_id(&self) -> Option<String> {
                let id: fn(&Self) -> &str = $id;
                Some(id(self).to_owned())
            }
        }
    };
}

event!(Job, |job| &job.id);
event!(OldJob, |job| &job.order);

/// Is content with everything that it gets.
pub(crate) struct Done;

#[async_trait]
impl<E: Event> Handle<E> for Done {
    async fn handle(&self, _: &Delivery, _: E) -> Result<(), Error> {
        Ok(())
    }
}
