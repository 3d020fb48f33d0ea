//! Atomic batches: taken where the stream takes them, and done without where it does not.

use async_nats::jetstream;
use futures::StreamExt as _;
use treaty_nats::{Event, Feeder, Publish as _, PublishOptions, PublishReport, headers, paged};

use crate::support::{assert_once_each, job, raw, shared};

const JOBS: u64 = 2_500;

/// The jobs in three pages, so that batches are of different sizes.
fn feeder<E: Event>(make: fn(u64) -> E) -> impl Feeder<E> {
    paged(0, move |first: u64| async move {
        let next = (first + 1_100).min(JOBS);
        Ok(((first..next).map(make).collect(), (next < JOBS).then_some(next)))
    })
}

async fn publish<E: Event>(make: fn(u64) -> E, options: PublishOptions) -> PublishReport {
    let publisher = shared().await.publisher::<E>();
    publisher.publish_all(&mut feeder(make), options).await.unwrap()
}

/// How many messages of a stream came in batches.
async fn batched(context: &jetstream::Context, stream: &str) -> u64 {
    let stream = context.get_stream(stream).await.unwrap();
    let mut batched = 0;
    for sequence in 1..=JOBS {
        let message = stream.get_raw_message(sequence).await.unwrap();
        batched += u64::from(message.headers.get_last("Nats-Batch-Id").is_some());
    }
    batched
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_declared_so_gets_batches() {
    job!(Job, "batches", atomic_batches: true);
    let (_, context) = raw().await;
    shared().await.ensure_streams(&[Job::STREAM]).await.unwrap();
    let report = publish(Job::new, PublishOptions::default()).await;
    assert_eq!((report.published, report.duplicates, report.failed), (JOBS, 0, 0));
    assert_once_each(&context, "batches", JOBS).await;
    assert_eq!(batched(&context, "batches").await, JOBS);
    let stream = context.get_stream("batches").await.unwrap();
    let first = stream.get_raw_message(1).await.unwrap();
    assert_eq!(first.headers.get_last(headers::EVENT).unwrap().as_str(), Job::FULL_NAME);

    // The same again, as a retried activity would do it: every batch is refused.
    let report = publish(Job::new, PublishOptions::default()).await;
    assert_eq!((report.published, report.duplicates, report.failed), (0, JOBS, 0));
    assert_once_each(&context, "batches", JOBS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_with_a_known_message_goes_out_one_by_one() {
    job!(Job, "batches_known", atomic_batches: true);
    let (_, context) = raw().await;
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    connection.publisher::<Job>().publish(&Job::new(7)).await.unwrap();
    // And two that are the same within one batch.
    let make = |number: u64| Job::new(if number == 1_300 { 1_301 } else { number });
    let report = publish(make, PublishOptions::default()).await;
    assert_eq!((report.published, report.duplicates, report.failed), (JOBS - 2, 2, 0));
    let info = connection.stream_info(Job::STREAM).await.unwrap();
    assert_eq!(info.messages, JOBS - 1);
    let stream = context.get_stream("batches_known").await.unwrap();
    let seven = stream.get_raw_message(1).await.unwrap();
    assert_eq!(seven.subject.as_str(), "batches_known.7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_published_is_left_out_of_its_batch() {
    job!(Job, "batches_some", atomic_batches: true);
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let make = |number: u64| match number {
        3 | 2_000 => Job::new("wrong"),
        _ => Job::new(number),
    };
    let report = publish(make, PublishOptions::default()).await;
    assert_eq!((report.published, report.failed), (JOBS - 2, 2));
    assert_eq!(report.failures[0].message_id.as_deref(), Some("wrong"));
    assert_eq!(connection.stream_info(Job::STREAM).await.unwrap().messages, JOBS - 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_allows_no_batches_gets_messages_one_by_one() {
    job!(Job, "batches_refused", atomic_batches: true);
    let (_, context) = raw().await;
    let config = jetstream::stream::Config {
        name: "batches_refused".to_owned(),
        subjects: vec!["batches_refused.*".to_owned()],
        ..jetstream::stream::Config::default()
    };
    context.create_stream(config).await.unwrap();
    let report = publish(Job::new, PublishOptions::default()).await;
    assert_eq!((report.published, report.duplicates, report.failed), (JOBS, 0, 0));
    assert_once_each(&context, "batches_refused", JOBS).await;
    assert_eq!(batched(&context, "batches_refused").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_may_do_without_batches() {
    job!(Job, "batches_declined", atomic_batches: true);
    let (_, context) = raw().await;
    shared().await.ensure_streams(&[Job::STREAM]).await.unwrap();
    let options = PublishOptions { atomic_batches: false, ..PublishOptions::default() };
    let report = publish(Job::new, options).await;
    assert_eq!((report.published, report.duplicates, report.failed), (JOBS, 0, 0));
    assert_eq!(batched(&context, "batches_declined").await, 0);
}

/// What a server before 2.12 does: it knows no batches, stores each message by itself and
/// confirms those that ask for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_knows_no_batches_gets_messages_one_by_one() {
    job!(Job, "batches_unknown", atomic_batches: true);
    let (client, _) = raw().await;
    let mut messages = client.subscribe("batches_unknown.*").await.unwrap();
    let server = tokio::spawn(async move {
        let mut known = std::collections::HashSet::new();
        let mut batched = 0_u64;
        while let Some(message) = messages.next().await {
            let map = message.headers.unwrap();
            let id = map.get_last(headers::MESSAGE_ID).unwrap().as_str().to_owned();
            let duplicate = !known.insert(id);
            batched += u64::from(map.get_last("Nats-Batch-Id").is_some());
            if let Some(reply) = message.reply {
                let ack =
                    serde_json::json!({"stream": "s", "seq": known.len(), "duplicate": duplicate});
                client.publish(reply, ack.to_string().into()).await.unwrap();
            }
            if u64::try_from(known.len()).unwrap() == JOBS {
                break;
            }
        }
        // Or the last answers would go with the client.
        client.flush().await.unwrap();
        batched
    });
    let options = PublishOptions { publishers: 1, ..PublishOptions::default() };
    let report = publish(Job::new, options).await;
    assert_eq!((report.published, report.duplicates, report.failed), (JOBS, 0, 0));
    // The first message of the first batch alone, which is how it was found out.
    assert_eq!(server.await.unwrap(), 1);
}
