//! Consumers from which nothing comes any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{FromConsumer as _, pull};
use testbed::{Fault, TcpProxy};
use tokio::sync::Notify;
use treaty_nats::{
    Event as _, HandlerOptions, HandlerSpec, NatsConfig, Publish as _, RebuildReason, connect,
};

use super::broker::Broker;
use super::idle;
use crate::support::{eventually, job, raw, run_with, shared, spec};

/// Looks often, so that a test need not wait for long.
fn watchful() -> HandlerOptions {
    HandlerOptions {
        watch_every: Duration::from_millis(200),
        stalled_after: Duration::from_secs(1),
        ..HandlerOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pull_requests_that_vanish_are_noticed_within_a_minute() {
    job!(Job, "stall_pulls");
    let broker = Broker::start("treaty-nats-pulls").await;
    let proxy = TcpProxy::for_nats(broker.address()).unwrap();
    let through = NatsConfig::new(format!("nats://{}", proxy.address()));
    let (direct, through) = (broker.connect().await, connect(&through).await.unwrap());
    direct.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = direct.publisher::<Job>();
    // The times are those that hold in production.
    let options = HandlerOptions::default();
    let running = run_with(&through, spec::<Job>("c"), options, |_, _: Job| async { Ok(()) });
    publisher.publish(&Job::new("before")).await.unwrap();
    eventually("the first ack", || async { running.stats.snapshot().acked == 1 }).await;

    proxy.set(Fault::SwallowPublishes { prefix: "$JS.API.CONSUMER.MSG.NEXT.".to_owned() });
    let begun = Instant::now();
    // More than what was asked for before.
    for number in 0..10 {
        publisher.publish(&Job::new(number)).await.unwrap();
    }
    eventually("the rebuild", || async {
        running.stats.snapshot().rebuilds.of(RebuildReason::Silent) > 0
    })
    .await;
    println!("pulls vanish: set up again after {:.1} s", begun.elapsed().as_secs_f64());
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert!(proxy.swallowed() > 0 && running.stats.snapshot().acked < 11);
    proxy.set(Fault::None);
    eventually("all acks", || async { running.stats.snapshot().acked >= 11 }).await;
    running.stop().await;
    broker.stop().await;
}

#[tokio::test]
async fn a_consumer_that_an_operator_choked_is_declared_anew() {
    job!(Job, "stall_choked");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = connection.publisher::<Job>();
    publisher.publish(&Job::new("long")).await.unwrap();
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, gate) = (Arc::clone(&begun), Arc::clone(&go_on));
    let spec = spec::<Job>("c");
    let running = run_with(&connection, spec, watchful(), move |_, job: Job| {
        let (told, gate) = (Arc::clone(&told), Arc::clone(&gate));
        async move {
            if job.id == "long" {
                told.notify_one();
                gate.notified().await;
            }
            Ok(())
        }
    });
    begun.notified().await;

    // One message at a time may be unanswered, and that one is in work: heartbeats come, and
    // messages do not, though there are free slots.
    let stream = context.get_stream(Job::STREAM.name).await.unwrap();
    let mut config = stream.consumer_info("c").await.unwrap().config;
    config.max_ack_pending = 1;
    let config = pull::Config::try_from_consumer_config(config).unwrap();
    stream.update_consumer(config).await.unwrap();
    for number in 0..5 {
        publisher.publish(&Job::new(number)).await.unwrap();
    }
    eventually("the rebuild", || async {
        running.stats.snapshot().rebuilds.of(RebuildReason::Stalled) > 0
    })
    .await;
    eventually("the other acks", || async { running.stats.snapshot().acked == 5 }).await;
    let backlog = running.stats.snapshot().backlog;
    assert!(backlog.is_some_and(|backlog| backlog.unanswered > 0), "{backlog:?}");
    go_on.notify_one();
    idle(&connection, &spec).await;
    running.stop().await;
}

#[tokio::test]
async fn a_consumer_deleted_while_every_slot_is_busy_is_noticed() {
    job!(Job, "stall_deleted");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    connection.publisher::<Job>().publish(&Job::new("long")).await.unwrap();
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, gate) = (Arc::clone(&begun), Arc::clone(&go_on));
    let spec = HandlerSpec { concurrency: 1, ..spec::<Job>("c") };
    let running = run_with(&connection, spec, watchful(), move |_, _: Job| {
        told.notify_one();
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Ok(())
        }
    });
    begun.notified().await;
    // Nothing is asked for, so nobody tells us.
    context.delete_consumer_from_stream("c", Job::STREAM.name).await.unwrap();
    eventually("the rebuild", || async {
        running.stats.snapshot().rebuilds.of(RebuildReason::Deleted) > 0
    })
    .await;
    // It begins at the start of the stream; both deliveries end.
    go_on.notify_one();
    begun.notified().await;
    go_on.notify_one();
    idle(&connection, &spec).await;
    running.stop().await;
}
