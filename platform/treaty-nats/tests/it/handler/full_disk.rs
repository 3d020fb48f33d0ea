//! A server whose disk is full.

use std::path::Path;
use std::time::{Duration, Instant};

use prost::Message as _;
use testbed::{NatsOptions, RunDirectory, SmallVolume};
use treaty_error::{Code, Error};
use treaty_nats::{Connection, Event as _, HandlerSpec, Outgoing, PublishOutgoing as _, Publisher};

use super::broker::Broker;
use super::{Handled, idle};
use crate::support::{eventually, job, run, spec};

/// What the volume holds, in mebibytes.
const VOLUME: u32 = 24;

job!(Job, "full_disk");

/// A job that takes room.
fn large(number: usize) -> Job {
    Job::new(format!("{number:06}-{}", "x".repeat(16_000)))
}

/// Publishes it, under a subject and an id that are short.
async fn publish(publisher: &Publisher<Job>, number: usize) -> Result<(), Error> {
    let outgoing = Outgoing {
        subject: format!("full_disk.{number}"),
        message_id: Some(number.to_string()),
        event: Job::FULL_NAME.to_owned(),
        payload: large(number).encode_to_vec().into(),
        traceparent: None,
    };
    publisher.publish_outgoing(&outgoing).await.map(drop)
}

/// Publishes until the server refuses, with the number of the first that it refused.
async fn publish_until_refused(publisher: &Publisher<Job>, from: usize) -> usize {
    for number in from.. {
        match publish(publisher, number).await {
            Ok(()) => {}
            Err(error) => {
                let refused = matches!(error.code(), Code::ResourceExhausted | Code::Unavailable);
                assert!(refused, "{}", error.chain());
                return number;
            }
        }
    }
    unreachable!("the disk is endless")
}

/// Every message that was confirmed is handled; returns how many.
async fn handles_all(connection: &Connection, confirmed: &[usize]) {
    let handled = Handled::default();
    let seen = handled.clone();
    let spec = HandlerSpec { concurrency: 16, ..spec::<Job>("c") };
    let running = run(connection, spec, move |_, job: Job| {
        seen.add(job.id);
        async { Ok(()) }
    });
    eventually("all jobs", || async { handled.different() >= confirmed.len() }).await;
    idle(connection, &spec).await;
    for number in confirmed {
        assert!(handled.holds(&large(*number).id), "job {number} was confirmed and is lost");
    }
    assert_eq!(running.stats.snapshot().dead_lettered, 0, "what is kept is whole");
    running.stop().await;
}

/// Takes all room but a little, so that the server meets a full disk soon.
fn fill(volume: &Path, room: u64) -> std::path::PathBuf {
    let ballast = volume.join("ballast");
    let taken = (u64::from(VOLUME) << 20) - room;
    std::fs::write(&ballast, vec![0; usize::try_from(taken).unwrap()]).unwrap();
    ballast
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_at_its_limit_refuses_and_goes_on_when_there_is_room() {
    let options = NatsOptions { max_store_bytes: Some(4 << 20), ..NatsOptions::default() };
    let broker = Broker::start_with("treaty-nats-limit", options).await;
    let connection = broker.connect().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = connection.publisher::<Job>().giving_up_after(Duration::from_millis(300));
    let refused = publish_until_refused(&publisher, 0).await;
    assert!(refused > 50, "refused at {refused}");
    let stored = connection.stream_info(Job::STREAM).await.unwrap().messages;
    assert_eq!(stored, refused as u64, "what was refused is not there");

    // Room is made by whoever may: here by purging, as when old messages reach their age.
    let context = async_nats::jetstream::new(plain(&broker).await);
    let stream = context.get_stream(Job::STREAM.name).await.unwrap();
    stream.purge().keep(10).await.unwrap();
    publish(&publisher, refused).await.unwrap();
    let confirmed: Vec<_> = (refused - 10 + 1..=refused).collect();
    handles_all(&connection, &confirmed[1..]).await;
    broker.stop().await;
}

async fn plain(broker: &Broker) -> async_nats::Client {
    #[allow(clippy::disallowed_methods, reason = "the server is known to be there")]
    async_nats::connect(broker.url()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_confirms_nothing_falsely_and_corrupts_nothing() {
    let place = RunDirectory::disposable("treaty-nats-volume").unwrap();
    let path = place.path().join("volume");
    let mounted = tokio::task::spawn_blocking(|| SmallVolume::mount(path, VOLUME).unwrap());
    let Some(volume) = mounted.await.unwrap() else { return };
    // The server believes in more room than there is, as when others write to its disk.
    let options = NatsOptions {
        store: Some(volume.path().to_owned()),
        max_store_bytes: Some(1 << 30),
        ..NatsOptions::default()
    };
    let mut broker = Broker::start_with("treaty-nats-full", options).await;
    let connection = broker.connect().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = connection.publisher::<Job>().giving_up_after(Duration::from_millis(300));
    for number in 0..20 {
        publish(&publisher, number).await.unwrap();
    }
    let ballast = fill(volume.path(), 4 << 20);
    let refused = publish_until_refused(&publisher, 20).await;
    println!("the disk is full after {refused} jobs");
    assert!(refused > 20);
    // It goes on refusing as long as the disk is full.
    let second = publish_until_refused(&publisher, refused + 1).await;
    std::fs::remove_file(ballast).unwrap();

    let begun = Instant::now();
    let by_itself = publish(&publisher, second + 1).await.is_ok();
    if !by_itself {
        // A server that has met a full disk turns JetStream off until it is started again.
        broker.with(|server| server.restart().unwrap()).await;
    }
    let patient = connection.publisher::<Job>();
    publish(&patient, second + 2).await.unwrap();
    println!(
        "with room again: went on after {:.1} s, {}",
        begun.elapsed().as_secs_f64(),
        if by_itself { "by itself" } else { "once the server was started again" }
    );
    let confirmed: Vec<_> = (0..refused).chain(refused + 1..second).chain([second + 2]).collect();
    handles_all(&connection, &confirmed).await;
    broker.stop().await;
    tokio::task::spawn_blocking(move || drop(volume)).await.unwrap();
}
