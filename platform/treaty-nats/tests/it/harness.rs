//! The stand-ins for tests, which need no server.

use std::sync::Arc;
use std::time::Duration;

use treaty_error::{Code, Error, Result};
use treaty_nats::testing::{HandlerHarness, Outcome};
use treaty_nats::{Ack, Delivery, Event, Handle, HandlerSpec};

use crate::support::job;

job!(Job, "harness");

const SPEC: HandlerSpec = HandlerSpec {
    durable: "harness",
    stream: Job::STREAM,
    event: Job::FULL_NAME,
    filter: Job::SUBJECTS,
    concurrency: 1,
    ack_wait: Duration::from_secs(30),
    max_deliver: 4,
    backoff: &[Duration::from_secs(1), Duration::from_secs(5)],
    ack: Ack::Confirmed,
    ordered_by: &[],
};

/// Fails as the job's name says; `twice` succeeds at the third attempt.
struct Obedient;

#[async_trait::async_trait]
impl Handle<Job> for Obedient {
    async fn handle(&self, delivery: &Delivery, job: Job) -> Result<()> {
        assert_eq!(delivery.message_id.as_deref(), Some(job.id.as_str()));
        match job.id.as_str() {
            "panic" => panic!("as told"),
            "refused" => Err(Error::invalid_field("id", "is refused")),
            "busy" => Err(Error::new(Code::ResourceExhausted, "quota spent")
                .with_retry_after(Duration::from_secs(77))),
            "twice" if delivery.attempt < 3 => Err(Error::new(Code::Unavailable, "away")),
            "away" => Err(Error::new(Code::Unavailable, "away")),
            _ => Ok(()),
        }
    }
}

fn harness() -> HandlerHarness<Job> {
    HandlerHarness::new(&SPEC, Arc::new(Obedient))
}

#[tokio::test]
async fn each_outcome_is_told_as_the_runtime_would_decide() {
    harness().deliver(&Job::new("fine")).await.assert_acknowledged();
    let busy = harness().deliver(&Job::new("busy")).await;
    let error = busy.assert_comes_again(Duration::from_secs(77));
    assert_eq!(error.code(), Code::ResourceExhausted);
    let away = harness().deliver_attempt(&Job::new("away"), 3).await;
    away.assert_comes_again(Duration::from_secs(5));
    let last = harness().deliver_attempt(&Job::new("away"), 4).await;
    assert_eq!(last.assert_dead_lettered().code(), Code::Unavailable);
    let refused = harness().deliver(&Job::new("refused")).await;
    assert_eq!(refused.assert_dead_lettered().violations()[0].field, "id");
    let panicked = harness().deliver(&Job::new("panic")).await;
    assert_eq!(panicked.assert_comes_again(Duration::from_secs(1)).code(), Code::Internal);
    let strange = harness().deliver_bytes(&b"\xff\xff"[..]).await;
    assert_eq!(strange.assert_dead_lettered().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn deliveries_go_on_until_the_message_is_settled() {
    let outcomes = harness().deliver_until_settled(&Job::new("twice")).await;
    let waits: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::ComesAgain { after, .. } => after.as_secs(),
            _ => 0,
        })
        .collect();
    assert_eq!(waits, [1, 5, 0]);
    outcomes[2].assert_acknowledged();
    let lost = harness().deliver_until_settled(&Job::new("away")).await;
    assert_eq!(lost.len(), 4);
    lost[3].assert_dead_lettered();
}

#[tokio::test]
#[should_panic(expected = "not acknowledged: set aside: INVALID_ARGUMENT: id: is refused")]
async fn a_wrong_expectation_says_what_happened_instead() {
    harness().deliver(&Job::new("refused")).await.assert_acknowledged();
}
