//! Trouble: consumers deleted, servers killed, processes killed, shutdowns.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use testbed::{NatsServer, RunDirectory, Tools};
use tokio::sync::Notify;
use treaty_nats::{
    Event as _, HandlerOptions, HandlerSpec, NatsConfig, Publish as _, connect, headers,
};

use crate::support::{dead_letters, eventually, header, job, raw, run, run_with, shared, spec};

#[tokio::test]
async fn a_consumer_that_is_deleted_under_it_is_set_up_again() {
    job!(Job, "fault_deleted");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = connection.publisher::<Job>();
    let spec = spec::<Job>("c");
    let running = run(&connection, spec, |_, _: Job| async { Ok(()) });
    publisher.publish(&Job::new(1)).await.unwrap();
    eventually("the first ack", || async { running.stats.snapshot().acked == 1 }).await;

    context.delete_consumer_from_stream("c", "fault_deleted").await.unwrap();
    eventually("the consumer", || async { running.stats.snapshot().rebuilt > 0 }).await;
    publisher.publish(&Job::new(2)).await.unwrap();
    // A consumer made anew begins at the start of the stream.
    eventually("both acks", || async { running.stats.snapshot().acked == 3 }).await;
    running.stop().await;
}

#[tokio::test]
async fn a_handler_may_start_before_the_stream_exists() {
    job!(Job, "fault_early");
    let connection = shared().await;
    let running = run(&connection, spec::<Job>("c"), |_, _: Job| async { Ok(()) });
    eventually("the stream", || async { connection.stream_info(Job::STREAM).await.is_ok() }).await;
    connection.publisher::<Job>().publish(&Job::new(1)).await.unwrap();
    eventually("the ack", || async { running.stats.snapshot().acked == 1 }).await;
    running.stop().await;
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_in_work() {
    job!(Job, "fault_drain");
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = connection.publisher::<Job>();
    for number in 0..10 {
        publisher.publish(&Job::new(number)).await.unwrap();
    }
    let (begun, go_on) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
    let (count, gate) = (Arc::clone(&begun), Arc::clone(&go_on));
    let spec = HandlerSpec { concurrency: 2, ..spec::<Job>("c") };
    let running = run(&connection, spec, move |_, _: Job| {
        count.fetch_add(1, Ordering::SeqCst);
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Ok(())
        }
    });
    eventually("two in work", || async { begun.load(Ordering::SeqCst) == 2 }).await;
    running.begin_to_stop();
    go_on.notify_one();
    go_on.notify_one();
    let stats = Arc::clone(&running.stats);
    running.stop().await;
    let stats = stats.snapshot();
    assert_eq!((stats.delivered, stats.acked), (2, 2));
    let info = connection.consumer_info(&spec).await.unwrap();
    assert_eq!((info.num_pending, info.num_ack_pending), (8, 0));
}

#[tokio::test]
async fn what_outlives_the_grace_is_given_back_at_once() {
    job!(Job, "fault_grace");
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    connection.publisher::<Job>().publish(&Job::new("a")).await.unwrap();
    let begun = Arc::new(Notify::new());
    let told = Arc::clone(&begun);
    let spec = spec::<Job>("c");
    let options =
        HandlerOptions { drain_grace: Duration::from_millis(50), ..HandlerOptions::default() };
    let stuck = run_with(&connection, spec, options, move |_, _: Job| {
        told.notify_one();
        std::future::pending()
    });
    begun.notified().await;
    stuck.stop().await;
    // Far sooner than the ack wait of 30 seconds.
    let begun = std::time::Instant::now();
    let other = run(&connection, spec, |_, _: Job| async { Ok(()) });
    eventually("the ack", || async { other.stats.snapshot().acked == 1 }).await;
    assert!(begun.elapsed() < Duration::from_secs(15));
    other.stop().await;
}

#[tokio::test]
async fn work_of_a_killed_process_is_taken_over() {
    job!(Job, "fault_killed");
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    connection.publisher::<Job>().publish(&Job::new("a")).await.unwrap();
    let begun = Arc::new(Notify::new());
    let told = Arc::clone(&begun);
    let spec = HandlerSpec { ack_wait: Duration::from_millis(500), ..spec::<Job>("c") };
    let killed = run(&connection, spec, move |_, _: Job| {
        told.notify_one();
        std::future::pending()
    });
    begun.notified().await;
    killed.kill().await;
    let other = run(&connection, spec, |delivery, _: Job| async move {
        assert!(delivery.is_redelivery());
        Ok(())
    });
    eventually("the ack", || async { other.stats.snapshot().acked == 1 }).await;
    other.stop().await;
}

#[tokio::test]
async fn a_message_that_kills_every_process_becomes_a_dead_letter() {
    job!(Job, "fault_poison");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    connection.publisher::<Job>().publish(&Job::new("poison")).await.unwrap();
    let spec =
        HandlerSpec { ack_wait: Duration::from_millis(300), max_deliver: 2, ..spec::<Job>("c") };
    let begun = Arc::new(Notify::new());
    for _ in 0..2 {
        let told = Arc::clone(&begun);
        let killed = run(&connection, spec, move |_, _: Job| {
            told.notify_one();
            std::future::pending()
        });
        begun.notified().await;
        killed.kill().await;
    }
    let survivor = run(&connection, spec, |_, _: Job| async {
        panic!("must not be handled a third time");
    });
    eventually("the letter", || async { survivor.stats.snapshot().dead_lettered == 1 }).await;
    let letters = dead_letters(&context, &spec).await;
    let reason = header(&letters[0], headers::REASON).unwrap();
    assert!(reason.starts_with("ABORTED: deliveries are spent"), "{reason}");
    survivor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_and_handling_survive_a_crash_of_the_server() {
    job!(Job, "fault_crash");
    let directory = RunDirectory::disposable("treaty-nats-crash").unwrap();
    let path = directory.path().to_owned();
    let mut server = tokio::task::spawn_blocking(move || {
        NatsServer::start(&Tools::new().unwrap(), path.join("nats")).unwrap()
    })
    .await
    .unwrap();
    let connection = connect(&NatsConfig::new(server.url())).await.unwrap();
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = connection.publisher::<Job>();
    let running = run(&connection, spec::<Job>("c"), |_, _: Job| async { Ok(()) });
    publisher.publish(&Job::new("before")).await.unwrap();
    eventually("the first ack", || async { running.stats.snapshot().acked == 1 }).await;

    let restarting = tokio::task::spawn_blocking(move || {
        server.crash_and_restart().unwrap();
        server
    });
    for number in 0..20 {
        publisher.publish(&Job::new(number)).await.unwrap();
    }
    let server = restarting.await.unwrap();
    eventually("all acks", || async { running.stats.snapshot().acked >= 21 }).await;
    assert_eq!(connection.stream_info(Job::STREAM).await.unwrap().messages, 21);
    running.stop().await;
    tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
}
