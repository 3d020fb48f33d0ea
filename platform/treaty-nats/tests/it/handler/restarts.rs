//! The server killed again and again, and frozen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use testbed::Signal;
use tokio::task::JoinHandle;
use treaty_nats::{Connection, Event as _, HandlerSpec, Publish as _};

use super::broker::Broker;
use super::{Dice, Handled, seed, soak};
use crate::support::{Running, eventually, job, run, spec};

/// After this the work goes on, counted from when the server is there again.
const RESUMES: Duration = Duration::from_secs(10);

job!(Job, "restarts");

/// Publishes one job after the other until it is told to stop.
struct Load {
    confirmed: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Load {
    fn begin(connection: &Connection) -> Self {
        let (confirmed, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let publisher = connection.publisher::<Job>().giving_up_after(Duration::from_secs(300));
        let (count, stopped) = (Arc::clone(&confirmed), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                let number = count.load(Ordering::Relaxed);
                publisher.publish(&Job::new(number)).await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { confirmed, stop, task }
    }

    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        self.confirmed.load(Ordering::Relaxed)
    }
}

/// Waits until jobs are handled that were not before; returns how long that took.
async fn resumes(running: &Running) -> Duration {
    let before = running.stats.snapshot().acked;
    let begun = Instant::now();
    // Some may have been on their way.
    eventually("acks", || async { running.stats.snapshot().acked > before + 50 }).await;
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_again_and_again_and_frozen_loses_nothing() {
    let (kills, frozen) = if soak() { (20, 60) } else { (4, 12) };
    let mut dice = Dice(seed("restarts"));
    let mut broker = Broker::start("treaty-nats-restarts").await;
    let connection = broker.connect().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let handled = Handled::default();
    let seen = handled.clone();
    let spec =
        HandlerSpec { concurrency: 16, ack_wait: Duration::from_secs(5), ..spec::<Job>("c") };
    let running = run(&connection, spec, move |_, job: Job| {
        seen.add(job.id);
        async { Ok(()) }
    });
    let load = Load::begin(&connection);
    resumes(&running).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..kills {
        broker.with(|server| server.crash().unwrap()).await;
        tokio::time::sleep(Duration::from_millis(dice.below(800))).await;
        broker.with(|server| server.start_again().unwrap()).await;
        slowest = slowest.max(resumes(&running).await);
        tokio::time::sleep(Duration::from_millis(dice.below(500))).await;
    }
    broker.with(|server| server.process().signal(Signal::Stop).unwrap()).await;
    tokio::time::sleep(Duration::from_secs(frozen)).await;
    broker.with(|server| server.process().signal(Signal::Cont).unwrap()).await;
    let thawed = resumes(&running).await;

    let confirmed = load.end().await;
    eventually("all jobs", || async { handled.different() as u64 >= confirmed }).await;
    for number in 0..confirmed {
        assert!(handled.holds(&number.to_string()), "job {number} was confirmed and is lost");
    }
    let stats = running.stats.snapshot();
    println!(
        "{kills} kills: resumed after {:.1} s at most; frozen for {frozen} s: after {:.1} s; \
         {confirmed} jobs confirmed, 0 lost, {} handled again; set up again {:?}",
        slowest.as_secs_f64(),
        thawed.as_secs_f64(),
        handled.again(),
        stats.rebuilds.iter().map(|(reason, times)| (reason.as_str(), times)).collect::<Vec<_>>(),
    );
    assert!(slowest < RESUMES && thawed < RESUMES, "{slowest:?} {thawed:?}");
    assert_eq!(stats.dead_lettered, 0);
    running.stop().await;
    broker.stop().await;
}
