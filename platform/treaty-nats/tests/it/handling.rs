//! What becomes of messages.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use treaty_error::{Code, Error};
use treaty_nats::{Ack, Connection, Event, HandlerOptions, HandlerSpec, Publish as _, headers};

use crate::support::{dead_letters, eventually, header, job, raw, run, run_with, shared, spec};

/// Names of what was handled, in order.
type Log = Arc<Mutex<Vec<String>>>;

async fn idle(connection: &Connection, spec: &HandlerSpec) {
    eventually("the consumer to be idle", || async {
        connection.consumer_info(spec).await.is_ok_and(|info| info.is_idle())
    })
    .await;
}

async fn publish<E: Event>(connection: &Connection, events: impl IntoIterator<Item = E>) {
    connection.ensure_streams(&[E::STREAM]).await.unwrap();
    let publisher = connection.publisher::<E>();
    for event in events {
        publisher.publish(&event).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_the_work_and_another_service_gets_a_copy() {
    job!(Job, "handle_share");
    let connection = shared().await;
    let (shared_log, copy_log) = (Log::default(), Log::default());
    let both_work = Arc::new(tokio::sync::Barrier::new(2));
    let start = |durable, log: &Log, meet: Option<Arc<tokio::sync::Barrier>>| {
        let log = Arc::clone(log);
        let spec = HandlerSpec { concurrency: 1, ..spec::<Job>(durable) };
        let met = Arc::new(AtomicU64::new(0));
        run(&connection, spec, move |_, job: Job| {
            let (log, meet, met) = (Arc::clone(&log), meet.clone(), Arc::clone(&met));
            async move {
                // The first message of each replica waits for the other's first:
                // so both have a share, whatever the timing.
                if let Some(meet) = meet
                    && met.fetch_add(1, Ordering::SeqCst) == 0
                {
                    meet.wait().await;
                }
                log.lock().unwrap().push(job.id);
                Ok(())
            }
        })
    };
    let one = start("consumer", &shared_log, Some(Arc::clone(&both_work)));
    let two = start("consumer", &shared_log, Some(both_work));
    let copy = start("auditor", &copy_log, None);
    publish(&connection, (0..50).map(Job::new)).await;
    for (log, durable) in [(&shared_log, "consumer"), (&copy_log, "auditor")] {
        eventually("all messages", || async { log.lock().unwrap().len() >= 50 }).await;
        idle(&connection, &spec::<Job>(durable)).await;
        let names = log.lock().unwrap().clone();
        assert_eq!(names.len(), 50, "each once");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 50);
    }
    let (first, second) = (one.stats.snapshot(), two.stats.snapshot());
    assert_eq!(first.acked + second.acked, 50);
    assert!(first.acked > 0 && second.acked > 0);
    assert_eq!(first.redelivered + second.redelivered, 0);
    assert_eq!(copy.stats.snapshot().acked, 50);
    for running in [one, two, copy] {
        running.stop().await;
    }
}

#[tokio::test]
async fn no_more_are_in_work_than_declared() {
    job!(Job, "handle_concurrency");
    let connection = shared().await;
    publish(&connection, (0..40).map(Job::new)).await;
    let (now, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (in_work, peak) = (Arc::clone(&now), Arc::clone(&most));
    let spec = HandlerSpec { concurrency: 3, ..spec::<Job>("c") };
    let running = run(&connection, spec, move |_, _: Job| {
        let (now, most) = (Arc::clone(&in_work), Arc::clone(&peak));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(2)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    });
    idle(&connection, &spec).await;
    eventually("all acks", || async { running.stats.snapshot().acked == 40 }).await;
    assert_eq!(most.load(Ordering::SeqCst), 3);
    // Messages that wait for a slot wait at the server, where others can take them.
    assert_eq!(running.stats.snapshot().redelivered, 0);
    running.stop().await;
}

#[tokio::test]
async fn an_undecodable_message_is_set_aside_and_the_next_is_handled() {
    job!(Job, "handle_undecodable");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publish = async |event: Option<&str>, payload: &'static [u8]| {
        let mut map = async_nats::HeaderMap::new();
        if let Some(event) = event {
            map.insert(headers::EVENT, event);
        }
        map.insert(headers::MESSAGE_ID, format!("id-{}", payload.len()));
        map.insert("traceparent", "00-trace");
        let sent = context
            .publish_with_headers("handle_undecodable.x", map, payload.into())
            .await
            .unwrap();
        sent.await.unwrap();
    };
    publish(Some(Job::FULL_NAME), b"\xff").await;
    publish(Some("test.Other"), b"\x0a\x01").await;
    publish(None, b"{\"\"").await;
    connection.publisher::<Job>().publish(&Job::new("good")).await.unwrap();

    let log = Log::default();
    let handled = Arc::clone(&log);
    let spec = spec::<Job>("c");
    let running = run(&connection, spec, move |_, job: Job| {
        handled.lock().unwrap().push(job.id);
        async { Ok(()) }
    });
    idle(&connection, &spec).await;
    eventually("three letters and one ack", || async {
        let stats = running.stats.snapshot();
        (stats.dead_lettered, stats.acked) == (3, 1)
    })
    .await;
    assert_eq!(*log.lock().unwrap(), ["good"]);

    let mut letters = dead_letters(&context, &spec).await;
    letters.sort_by_key(|letter| letter.payload.len());
    let reasons: Vec<&str> =
        letters.iter().map(|letter| header(letter, headers::REASON).unwrap()).collect();
    assert_eq!(reasons[0], format!("INVALID_ARGUMENT: undecodable: not a {}", Job::FULL_NAME));
    assert!(reasons[1].contains("says test.Other"), "{reasons:?}");
    assert!(reasons[2].contains("says none"), "{reasons:?}");
    assert_eq!(letters[0].payload.as_ref(), b"\xff");
    assert_eq!(header(&letters[0], headers::SUBJECT), Some("handle_undecodable.x"));
    assert_eq!(header(&letters[0], headers::ATTEMPTS), Some("1"));
    assert_eq!(header(&letters[0], headers::STREAM_SEQUENCE), Some("1"));
    assert_eq!(header(&letters[0], headers::ORIGINAL_MESSAGE_ID), Some("id-1"));
    assert_eq!(header(&letters[0], headers::MESSAGE_ID), Some("handle_undecodable:1:c"));
    assert_eq!(header(&letters[0], "traceparent"), Some("00-trace"));
    running.stop().await;
}

#[tokio::test]
async fn a_message_that_breaks_the_rules_is_set_aside_untried() {
    job!(Job, "handle_invalid");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let mut map = async_nats::HeaderMap::new();
    map.insert(headers::EVENT, Job::FULL_NAME);
    let payload = prost::Message::encode_to_vec(&Job::new("wrong"));
    let sent = context.publish_with_headers("handle_invalid.x", map, payload.into()).await;
    sent.unwrap().await.unwrap();

    let tries = Arc::new(AtomicU64::new(0));
    let tried = Arc::clone(&tries);
    let spec = spec::<Job>("c");
    let running = run(&connection, spec, move |_, _: Job| {
        tried.fetch_add(1, Ordering::SeqCst);
        async { Ok(()) }
    });
    eventually("the letter", || async { running.stats.snapshot().dead_lettered == 1 }).await;
    let letters = dead_letters(&context, &spec).await;
    let reason = header(&letters[0], headers::REASON).unwrap();
    assert_eq!(reason, "INVALID_ARGUMENT: id: contains substring `wrong`");
    assert_eq!(tries.load(Ordering::SeqCst), 0, "the handler never saw it");
    assert_eq!(running.stats.snapshot().retried, 0);
    running.stop().await;
}

#[tokio::test]
async fn a_passing_failure_is_retried_until_it_passes() {
    job!(Job, "handle_retry");
    let connection = shared().await;
    publish(&connection, [Job::new("a")]).await;
    let log = Log::default();
    let seen = Arc::clone(&log);
    let spec = HandlerSpec { max_deliver: 5, ..spec::<Job>("c") };
    let running = run(&connection, spec, move |delivery, job: Job| {
        assert_eq!(delivery.message_id.as_deref(), Some("a"));
        seen.lock().unwrap().push(format!("{}{}", job.id, delivery.attempt));
        async move {
            match delivery.attempt {
                1 => Err(Error::new(Code::Unavailable, "the api is away")),
                2 => Err(Error::new(Code::ResourceExhausted, "quota")
                    .with_retry_after(Duration::from_millis(300))),
                _ => Ok(()),
            }
        }
    });
    let begun = std::time::Instant::now();
    eventually("the ack", || async { running.stats.snapshot().acked == 1 }).await;
    assert!(begun.elapsed() >= Duration::from_millis(300), "the error's own wait wins");
    assert_eq!(*log.lock().unwrap(), ["a1", "a2", "a3"]);
    let stats = running.stats.snapshot();
    assert_eq!((stats.delivered, stats.redelivered, stats.retried), (3, 2, 2));
    assert_eq!(stats.dead_lettered, 0);
    running.stop().await;
}

#[tokio::test]
async fn failures_that_stay_become_dead_letters() {
    job!(Job, "handle_dead");
    let connection = shared().await;
    let (_, context) = raw().await;
    publish(&connection, [Job::new("stays"), Job::new("final"), Job::new("panics")]).await;
    let spec = spec::<Job>("c");
    let options =
        HandlerOptions { watch_every: Duration::from_millis(50), ..HandlerOptions::default() };
    let running = run_with(&connection, spec, options, |_, job: Job| async move {
        match job.id.as_str() {
            "stays" => Err(Error::new(Code::Unavailable, "still away")
                .with_source(std::io::Error::other("password=hunter2"))),
            "final" => Err(Error::new(Code::NotFound, "no such athlete")),
            _ => panic!("on purpose"),
        }
    });
    eventually("the letters", || async { running.stats.snapshot().dead_lettered == 3 }).await;
    eventually("their depth", || async { running.stats.snapshot().dead_letters == Some(3) }).await;
    idle(&connection, &spec).await;
    let mut told: Vec<(String, String, String)> = dead_letters(&context, &spec)
        .await
        .iter()
        .map(|letter| {
            let of = |name| header(letter, name).unwrap().to_owned();
            (of(headers::ORIGINAL_MESSAGE_ID), of(headers::REASON), of(headers::ATTEMPTS))
        })
        .collect();
    told.sort();
    let expected = [
        ("final", "NOT_FOUND: no such athlete", "1"),
        ("panics", "INTERNAL: the handler panicked", "3"),
        ("stays", "UNAVAILABLE: still away", "3"),
    ];
    let expected = expected.map(|(id, reason, n)| (id.to_owned(), reason.to_owned(), n.to_owned()));
    assert_eq!(told, expected);
    running.stop().await;
}

#[tokio::test]
async fn a_handler_that_takes_longer_than_the_ack_wait_keeps_its_message() {
    job!(Job, "handle_slow");
    let connection = shared().await;
    publish(&connection, [Job::new("slow")]).await;
    let spec = HandlerSpec { ack_wait: Duration::from_millis(500), ..spec::<Job>("c") };
    let running = run(&connection, spec, |_, _: Job| async {
        // Three times the ack wait: without progress it would be delivered again.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        Ok(())
    });
    eventually("the ack", || async { running.stats.snapshot().acked == 1 }).await;
    idle(&connection, &spec).await;
    assert_eq!(running.stats.snapshot().delivered, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_declaration_for_another_event_is_refused() {
    job!(Job, "handle_mismatch");
    let connection = shared().await;
    static SPEC: HandlerSpec = HandlerSpec {
        durable: "c",
        stream: Job::STREAM,
        event: "test.Other",
        filter: Job::SUBJECTS,
        concurrency: 1,
        ack_wait: Duration::from_secs(1),
        max_deliver: 1,
        backoff: &[],
        ack: Ack::Confirmed,
        ordered_by: &[],
    };
    struct Never;
    #[async_trait::async_trait]
    impl treaty_nats::Handle<Job> for Never {
        async fn handle(&self, _: &treaty_nats::Delivery, _: Job) -> Result<(), Error> {
            Ok(())
        }
    }
    let error = treaty_nats::run_handler::<Job, Never>(
        connection,
        &SPEC,
        Arc::new(Never),
        tokio_util::sync::CancellationToken::new(),
        Arc::default(),
    )
    .await
    .unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
}
