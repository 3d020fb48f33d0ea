//! Handling under load, in order, within limits, and with everything breaking.

mod broker;
mod drains;
mod full_disk;
mod giving_back;
mod limits;
mod ordering;
mod poison;
mod restarts;
mod stalls;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_nats::jetstream;
use async_nats::jetstream::context::PublishAckFuture;
use treaty_nats::{Connection, Event, HandlerSpec, headers};

use crate::support::eventually;

/// Whether the long forms are asked for, as `cargo xtask test soak` does.
fn soak() -> bool {
    std::env::var_os("TREATY_SOAK").is_some()
}

/// A number from which a run's choices follow: `TREATY_SEED`, or one at random. Printed, so
/// that a run can be repeated.
fn seed(test: &str) -> u64 {
    let given = std::env::var("TREATY_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| u64::from(std::process::id()));
    println!("{test}: TREATY_SEED={seed}");
    seed
}

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        // An LCG with Knuth's constants is random enough to vary moments.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// How often each message was handled.
#[derive(Clone, Default)]
struct Handled(Arc<Mutex<BTreeMap<String, u32>>>);

impl Handled {
    fn add(&self, id: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default() += 1;
    }

    fn different(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn holds(&self, id: &str) -> bool {
        self.0.lock().unwrap().contains_key(id)
    }

    fn again(&self) -> u32 {
        self.0.lock().unwrap().values().map(|times| times - 1).sum()
    }
}

/// Publishes an event to a subject that is not its own, and without an id.
async fn publish_to<E: Event>(context: &jetstream::Context, subject: &str, event: &E) {
    publish_raw::<E>(context, subject, event.encode_to_vec()).await;
}

/// Publishes bytes that claim to be an event.
async fn publish_raw<E: Event>(context: &jetstream::Context, subject: &str, payload: Vec<u8>) {
    send_raw::<E>(context, subject, payload).await.await.unwrap();
}

/// As [`publish_raw`], without waiting for the confirmation.
async fn send_raw<E: Event>(
    context: &jetstream::Context,
    subject: &str,
    payload: Vec<u8>,
) -> PublishAckFuture {
    let mut map = async_nats::HeaderMap::new();
    map.insert(headers::EVENT, E::FULL_NAME);
    context.publish_with_headers(subject.to_owned(), map, payload.into()).await.unwrap()
}

/// Waits until the server has nothing left for a handler.
async fn idle(connection: &Connection, spec: &HandlerSpec) {
    eventually("the consumer to be idle", || async {
        connection.consumer_info(spec).await.is_ok_and(|info| info.is_idle())
    })
    .await;
}
