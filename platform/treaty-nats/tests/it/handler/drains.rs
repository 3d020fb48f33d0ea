//! Handlers stopped under load.

use std::sync::Arc;
use std::time::{Duration, Instant};

use treaty_nats::{Event as _, HandlerSpec, Publish as _};

use super::{Dice, Handled, idle, seed, soak};
use crate::support::{eventually, job, run, shared, spec};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stops_under_load_lose_nothing_and_repeat_next_to_nothing() {
    job!(Job, "drains");
    let (stops, jobs) = if soak() { (50, 50_000_u64) } else { (10, 6_000) };
    let mut dice = Dice(seed("drains"));
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publishing = {
        let publisher = connection.publisher::<Job>();
        tokio::spawn(async move {
            for number in 0..jobs {
                publisher.publish(&Job::new(number)).await.unwrap();
            }
        })
    };
    let handled = Handled::default();
    let spec = HandlerSpec { concurrency: 32, ..spec::<Job>("c") };
    let start = || {
        let seen = handled.clone();
        run(&connection, spec, move |_, job: Job| {
            let seen = seen.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(3)).await;
                seen.add(job.id);
                Ok(())
            }
        })
    };
    let (mut delivered, mut redelivered, mut slowest) = (0, 0, Duration::ZERO);
    for _ in 0..stops {
        let running = start();
        let until = 20 + dice.below(200);
        eventually("some acks", || async { running.stats.snapshot().acked >= until }).await;
        let (stats, begun) = (Arc::clone(&running.stats), Instant::now());
        running.stop().await;
        slowest = slowest.max(begun.elapsed());
        let stats = stats.snapshot();
        assert_eq!((stats.in_work, stats.waiting, stats.unanswered), (0, 0, 0));
        delivered += stats.delivered;
        redelivered += stats.redelivered;
    }
    let last = start();
    publishing.await.unwrap();
    eventually("all jobs", || async { handled.different() as u64 == jobs }).await;
    idle(&connection, &spec).await;
    let stats = last.stats.snapshot();
    delivered += stats.delivered;
    redelivered += stats.redelivered;
    last.stop().await;
    println!(
        "{stops} stops within {jobs} jobs: the slowest took {:.2} s, 0 lost, {redelivered} of \
         {delivered} deliveries repeated, {} handled again",
        slowest.as_secs_f64(),
        handled.again()
    );
    assert!(redelivered * 100 <= delivered, "{redelivered} of {delivered}");
    assert!(slowest < Duration::from_secs(20));
}
