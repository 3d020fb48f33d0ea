//! Order by key.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use treaty_error::{Code, Error};
use treaty_nats::{Event as _, HandlerSpec, headers};

use super::{idle, publish_to};
use crate::support::{dead_letters, eventually, header, job, raw, run, shared, spec};

/// What was handled, in order, as `key-number`.
type Log = Arc<Mutex<Vec<String>>>;

/// The numbers of one key, in the order in which they were handled.
fn of_key(log: &Log, key: &str) -> Vec<String> {
    let log = log.lock().unwrap();
    log.iter().filter(|id| id.starts_with(key)).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_a_key_run_one_at_a_time_and_in_order() {
    job!(Job, "order_keys");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    for number in 0..40 {
        for key in ["a", "b", "c", "d", "e"] {
            let job = Job::new(format!("{key}-{number:02}"));
            publish_to(&context, &format!("order_keys.{key}"), &job).await;
        }
    }
    let log = Log::default();
    let in_work: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let most = Arc::new(AtomicUsize::new(0));
    let spec = HandlerSpec { concurrency: 4, ordered_by: &[1], ..spec::<Job>("c") };
    let (seen, now, peak) = (Arc::clone(&log), Arc::clone(&in_work), Arc::clone(&most));
    let running = run(&connection, spec, move |delivery, job: Job| {
        let (seen, now, peak) = (Arc::clone(&seen), Arc::clone(&now), Arc::clone(&peak));
        async move {
            let key = delivery.subject;
            {
                let mut now = now.lock().unwrap();
                assert!(now.insert(key.clone(), 1).is_none(), "{key} is in work already");
                peak.fetch_max(now.len(), Ordering::SeqCst);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            seen.lock().unwrap().push(job.id);
            now.lock().unwrap().remove(&key);
            Ok(())
        }
    });
    eventually("all acks", || async { running.stats.snapshot().acked == 200 }).await;
    for key in ["a", "b", "c", "d", "e"] {
        let expected: Vec<_> = (0..40).map(|number| format!("{key}-{number:02}")).collect();
        assert_eq!(of_key(&log, key), expected);
    }
    assert_eq!(most.load(Ordering::SeqCst), 4, "keys side by side, as many as slots");
    let stats = running.stats.snapshot();
    assert_eq!((stats.delivered, stats.redelivered), (200, 0));
    running.stop().await;
}

#[tokio::test]
async fn a_failure_holds_back_its_key_alone_and_is_tried_again_here() {
    job!(Job, "order_retry");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    for id in ["a-1", "a-2", "b-1", "a-3", "b-2"] {
        let key = &id[..1];
        publish_to(&context, &format!("order_retry.{key}"), &Job::new(id)).await;
    }
    let log = Log::default();
    let seen = Arc::clone(&log);
    // The waits are longer than the ack wait: what waits here is kept from coming again.
    let spec = HandlerSpec {
        ack_wait: Duration::from_millis(400),
        max_deliver: 3,
        backoff: const { &[Duration::from_millis(800)] },
        ordered_by: &[1],
        concurrency: 1,
        ..spec::<Job>("c")
    };
    let running = run(&connection, spec, move |delivery, job: Job| {
        let failed = job.id == "a-1";
        seen.lock().unwrap().push(format!("{}#{}", job.id, delivery.attempt));
        async move { if failed { Err(Error::new(Code::Unavailable, "away")) } else { Ok(()) } }
    });
    eventually("the letter and four acks", || async {
        let stats = running.stats.snapshot();
        (stats.dead_lettered, stats.acked) == (1, 4)
    })
    .await;
    assert_eq!(of_key(&log, "a"), ["a-1#1", "a-1#2", "a-1#3", "a-2#1", "a-3#1"]);
    assert_eq!(of_key(&log, "b"), ["b-1#1", "b-2#1"]);
    let order = log.lock().unwrap().clone();
    let place = |id: &str| order.iter().position(|one| one == id).unwrap();
    assert!(place("b-2#1") < place("a-1#2"), "others do not wait: {order:?}");
    let stats = running.stats.snapshot();
    assert_eq!((stats.delivered, stats.redelivered, stats.retried), (5, 0, 2));
    idle(&connection, &spec).await;
    let letters = dead_letters(&context, &spec).await;
    assert_eq!(header(&letters[0], headers::ATTEMPTS), Some("3"));
    running.stop().await;
}

#[tokio::test]
async fn a_shutdown_gives_back_what_waits_and_nothing_overtakes() {
    job!(Job, "order_stop");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    for id in ["a-1", "a-2", "a-3"] {
        publish_to(&context, "order_stop.a", &Job::new(id)).await;
    }
    let log = Log::default();
    let seen = Arc::clone(&log);
    let spec = HandlerSpec { ordered_by: &[1], ..spec::<Job>("c") };
    let running = run(&connection, spec, move |_, job: Job| {
        seen.lock().unwrap().push(job.id);
        async {
            let hour = Duration::from_secs(3_600);
            Err(Error::new(Code::ResourceExhausted, "quota").with_retry_after(hour))
        }
    });
    eventually("all to wait", || async { running.stats.snapshot().waiting == 3 }).await;
    eventually("the failure", || async { running.stats.snapshot().retried == 1 }).await;
    let stats = Arc::clone(&running.stats);
    let begun = Instant::now();
    running.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let stats = stats.snapshot();
    assert_eq!((stats.returned, stats.waiting, stats.acked), (3, 0, 0));
    assert_eq!(*log.lock().unwrap(), ["a-1"]);
    let info = connection.consumer_info(&spec).await.unwrap();
    assert_eq!((info.num_pending, info.num_ack_pending), (0, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn very_many_of_one_key_are_left_at_the_server() {
    const MESSAGES: usize = 1_300;
    job!(Job, "order_many");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    for number in 0..MESSAGES {
        publish_to(&context, "order_many.a", &Job::new(number)).await;
    }
    let go_on = Arc::new(Notify::new());
    let gate = Arc::clone(&go_on);
    let spec = HandlerSpec { ordered_by: &[1], ..spec::<Job>("c") };
    let running = run(&connection, spec, move |_, job: Job| {
        let gate = Arc::clone(&gate);
        async move {
            if job.id == "0" {
                gate.notified().await;
            }
            Ok(())
        }
    });
    eventually("a thousand in hand", || async {
        let stats = running.stats.snapshot();
        (stats.in_work, stats.waiting) == (1, 999)
    })
    .await;
    // Nothing more has been asked for, and so nothing can come.
    let info = connection.consumer_info(&spec).await.unwrap();
    assert_eq!((info.num_pending, info.num_waiting), (300, 0));
    go_on.notify_one();
    eventually("all acks", || async { running.stats.snapshot().acked == 1_300 }).await;
    running.stop().await;
}
