//! Publishing without a server.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use treaty_error::Error;

use crate::{Event, Feeder, Outgoing, Publish, PublishOptions, PublishReport, Published};

/// Records what is published; knows duplicates as a stream does.
#[derive(Debug)]
pub struct RecordingPublisher<E> {
    state: Mutex<State<E>>,
}

#[derive(Debug)]
struct State<E> {
    events: Vec<E>,
    sequences: HashMap<String, u64>,
    failures: VecDeque<Error>,
}

impl<E: Event> Default for RecordingPublisher<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Event> RecordingPublisher<E> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let state =
            State { events: Vec::new(), sequences: HashMap::new(), failures: VecDeque::new() };
        Self { state: Mutex::new(state) }
    }

    /// Makes the next publish that has not been given a failure yet fail so.
    pub fn fail_next(&self, error: Error) {
        self.state().failures.push_back(error);
    }

    /// What was published, duplicates left out.
    #[must_use]
    pub fn events(&self) -> Vec<E> {
        self.state().events.clone()
    }

    fn state(&self) -> MutexGuard<'_, State<E>> {
        // A test that panicked while it held the lock has failed anyway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, event: &E) -> Result<Published, Error> {
        let outgoing = Outgoing::from_event(event)?;
        let mut state = self.state();
        if let Some(error) = state.failures.pop_front() {
            return Err(error);
        }
        let next = u64::try_from(state.events.len()).unwrap_or(u64::MAX) + 1;
        if let Some(id) = outgoing.message_id {
            if let Some(first) = state.sequences.get(&id) {
                return Ok(Published { stream_sequence: *first, duplicate: true });
            }
            state.sequences.insert(id, next);
        }
        state.events.push(event.clone());
        Ok(Published { stream_sequence: next, duplicate: false })
    }
}

#[async_trait]
impl<E: Event> Publish<E> for RecordingPublisher<E> {
    async fn publish(&self, event: &E) -> Result<Published, Error> {
        self.record(event)
    }

    async fn publish_all(
        &self,
        feeder: &mut dyn Feeder<E>,
        options: PublishOptions,
    ) -> Result<PublishReport, Error> {
        let mut report = PublishReport::default();
        loop {
            let page = feeder.next_page().await?;
            if page.is_empty() {
                return Ok(report);
            }
            for event in &page {
                report.add(|| event.message_id(), self.record(event));
            }
            if report.failed > options.max_failures {
                return report.into_result();
            }
        }
    }
}
