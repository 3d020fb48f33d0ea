//! Messages that are given back by stops, which must not spend their deliveries.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error};
use treaty_nats::{
    Connection, Delivery, Event, HandlerOptions, HandlerSpec, Publish as _, StatsSnapshot,
};

use super::idle;
use crate::support::{Running, dead_letters, eventually, job, raw, run, run_with, shared, spec};

/// What is the same and what grows from one delivery to the next.
type Seen = Arc<Mutex<Vec<(Option<String>, u64, u64)>>>;

fn note(seen: &Seen, delivery: &Delivery) {
    let facts = (delivery.message_id.clone(), delivery.first_sequence, delivery.deliveries);
    seen.lock().unwrap().push(facts);
}

/// A handler whose deliveries are spent after two, in front of one job.
async fn begin<E: Event>(job: &E) -> (Connection, HandlerSpec) {
    let connection = shared().await;
    connection.ensure_streams(&[E::STREAM]).await.unwrap();
    connection.publisher::<E>().publish(job).await.unwrap();
    (connection, HandlerSpec { max_deliver: 2, ..spec::<E>("c") })
}

async fn in_work(running: &Running) {
    eventually("the job to be in work", || async { running.stats.snapshot().in_work == 1 }).await;
}

/// The job is handled once after all stops, and nobody else has noticed.
async fn judge<E: Event>(connection: &Connection, spec: &HandlerSpec, seen: &Seen, stops: u64) {
    let noted = Arc::clone(seen);
    let last = run(connection, *spec, move |delivery, _: E| {
        note(&noted, &delivery);
        async { Ok(()) }
    });
    idle(connection, spec).await;
    eventually("the ack", || async { last.stats.snapshot().acked == 1 }).await;
    last.stop().await;
    let (_, context) = raw().await;
    assert_eq!(dead_letters(&context, spec).await.len(), 0);
    let facts = seen.lock().unwrap().clone();
    let wanted: Vec<_> = (1..=stops + 1).map(|number| (Some("a".to_owned()), 1, number)).collect();
    assert_eq!(facts, wanted, "one job, each delivery a later one");

    let other = HandlerSpec { durable: "other", ..*spec };
    let copies = Seen::default();
    let noted = Arc::clone(&copies);
    let running = run(connection, other, move |delivery, _: E| {
        note(&noted, &delivery);
        async { Ok(()) }
    });
    idle(connection, &other).await;
    running.stop().await;
    assert_eq!(copies.lock().unwrap().len(), 1, "a copy is for the handler that gave it back");
}

fn assert_given_back(stats: StatsSnapshot) {
    assert_eq!((stats.returned, stats.retried, stats.dead_lettered), (1, 0, 0));
    assert_eq!((stats.acked, stats.unanswered), (0, 0));
}

#[tokio::test]
async fn a_job_that_waits_outlives_more_stops_than_it_has_deliveries() {
    job!(Job, "back_waits");
    let (connection, spec) = begin(&Job::new("a")).await;
    let seen = Seen::default();
    for _ in 0..3 {
        let (stop, noted) = (CancellationToken::new(), Arc::clone(&seen));
        let stopped = stop.clone();
        let running = run(&connection, spec, move |delivery, _: Job| {
            note(&noted, &delivery);
            let stopped = stopped.clone();
            async move {
                stopped.cancelled().await;
                Err(Error::new(Code::Cancelled, "stopped while waiting"))
            }
        });
        in_work(&running).await;
        let stats = Arc::clone(&running.stats);
        running.begin_to_stop();
        stop.cancel();
        running.stop().await;
        assert_given_back(stats.snapshot());
    }
    judge::<Job>(&connection, &spec, &seen, 3).await;
}

#[tokio::test]
async fn a_job_that_outlasts_the_grace_of_each_stop_does_too() {
    job!(Job, "back_interrupted");
    let (connection, spec) = begin(&Job::new("a")).await;
    let options =
        HandlerOptions { drain_grace: Duration::from_millis(50), ..HandlerOptions::default() };
    let seen = Seen::default();
    for _ in 0..3 {
        let noted = Arc::clone(&seen);
        let running = run_with(&connection, spec, options.clone(), move |delivery, _: Job| {
            note(&noted, &delivery);
            std::future::pending()
        });
        in_work(&running).await;
        let stats = Arc::clone(&running.stats);
        running.stop().await;
        assert_given_back(stats.snapshot());
    }
    judge::<Job>(&connection, &spec, &seen, 3).await;
}

#[tokio::test]
async fn what_is_cancelled_without_a_stop_spends_its_deliveries() {
    job!(Job, "back_failed");
    let (connection, spec) = begin(&Job::new("a")).await;
    let running = run(&connection, spec, |_, _: Job| async {
        Err(Error::new(Code::Cancelled, "the caller gave up"))
    });
    eventually("the letter", || async { running.stats.snapshot().dead_lettered == 1 }).await;
    assert_eq!(running.stats.snapshot().returned, 0);
    running.stop().await;
}
