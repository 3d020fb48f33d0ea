//! Limits that handlers share, and acknowledgements that nobody confirms.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use treaty_nats::{
    Ack, Event, HandlerLimit, HandlerOptions, HandlerSpec, HandlingTimes, Publish as _,
};

use super::idle;
use crate::support::{eventually, job, run, run_with, shared, spec};

#[tokio::test]
async fn handlers_that_share_a_limit_keep_to_it_together() {
    job!(First, "limit_first");
    job!(Second, "limit_second");
    let connection = shared().await;
    connection.ensure_streams(&[First::STREAM, Second::STREAM]).await.unwrap();
    for number in 0..60 {
        connection.publisher::<First>().publish(&First::new(number)).await.unwrap();
        connection.publisher::<Second>().publish(&Second::new(number)).await.unwrap();
    }
    let (now, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let options = HandlerOptions { limit: Some(HandlerLimit::new(3)), ..HandlerOptions::default() };
    let work = {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        move || {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(2)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        }
    };
    let (first_work, second_work) = (work.clone(), work);
    let first_spec = HandlerSpec { concurrency: 8, ..spec::<First>("c") };
    let second_spec = HandlerSpec { concurrency: 8, ..spec::<Second>("c") };
    let first = run_with(&connection, first_spec, options.clone(), move |_, _: First| first_work());
    let second = run_with(&connection, second_spec, options, move |_, _: Second| second_work());
    for running in [&first, &second] {
        eventually("all acks", || async { running.stats.snapshot().acked == 60 }).await;
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    first.stop().await;
    second.stop().await;
}

/// Tells of both ways of acknowledging.
async fn acknowledged<E: Event>(ack: Ack, events: impl IntoIterator<Item = E>) {
    let connection = shared().await;
    connection.ensure_streams(&[E::STREAM]).await.unwrap();
    for event in events {
        connection.publisher::<E>().publish(&event).await.unwrap();
    }
    let spec = HandlerSpec { ack, ..spec::<E>("c") };
    let running = run(&connection, spec, |_, _: E| async { Ok(()) });
    eventually("all acks", || async { running.stats.snapshot().acked == 50 }).await;
    let stats = Arc::clone(&running.stats);
    running.stop().await;
    // The last acknowledgements leave the process before it ends.
    idle(&connection, &spec).await;
    let stats = stats.snapshot();
    assert_eq!((stats.delivered, stats.redelivered, stats.unanswered), (50, 0, 0));
    assert_eq!((stats.in_work, stats.waiting), (0, 0));
    assert_eq!(stats.handling.count, 50);
    assert_eq!(stats.handling.within[HandlingTimes::BOUNDS.len() - 1], 50);
}

#[tokio::test]
async fn acknowledgements_reach_the_server_confirmed_or_not() {
    job!(Confirmed, "ack_confirmed");
    job!(Unconfirmed, "ack_unconfirmed");
    acknowledged(Ack::Confirmed, (0..50).map(Confirmed::new)).await;
    acknowledged(Ack::Unconfirmed, (0..50).map(Unconfirmed::new)).await;
}
