//! Dead letters looked at, driven again and discarded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use async_nats::jetstream::consumer::pull;
use futures::TryStreamExt as _;
use treaty_error::{Code, Error};
use treaty_nats::{
    Connection, DeadLetter, DeadLetterFilter, Event, HandlerSpec, Publish as _, headers,
};

use crate::support::{eventually, job, raw, run, shared, spec};

fn from(stream: &str) -> DeadLetterFilter {
    DeadLetterFilter { stream: Some(stream.to_owned()), ..DeadLetterFilter::default() }
}

async fn find(connection: &Connection, filter: DeadLetterFilter) -> Vec<DeadLetter> {
    connection.dead_letters().find(filter).await.unwrap().try_collect().await.unwrap()
}

/// Publishes jobs and lets a handler fail on each of them, one after the other.
async fn fail<E: Event>(connection: &Connection, spec: HandlerSpec, jobs: &[E], code: Code) {
    let spec = HandlerSpec { concurrency: 1, ..spec };
    connection.ensure_streams(&[E::STREAM]).await.unwrap();
    for job in jobs {
        connection.publisher::<E>().publish(job).await.unwrap();
    }
    let failing = run(connection, spec, move |_, _: E| async move {
        Err(Error::new(code, "it does not work yet"))
    });
    let count = u64::try_from(jobs.len()).unwrap();
    eventually("the letters", || async { failing.stats.snapshot().dead_lettered == count }).await;
    failing.stop().await;
}

#[tokio::test]
async fn a_letter_tells_what_failed_and_is_counted() {
    job!(Job, "letters_told");
    let connection = shared().await;
    let letters = connection.dead_letters();
    assert_eq!(letters.depth(&from("letters_told")).await.unwrap(), []);
    let (first, second) = (spec::<Job>("first"), spec::<Job>("second"));
    fail(&connection, first, &[Job::new("a"), Job::new("b")], Code::NotFound).await;
    let failing = run(&connection, HandlerSpec { max_deliver: 1, ..second }, |_, _: Job| async {
        Err(Error::new(Code::Internal, "broken"))
    });
    eventually("the letters", || async { failing.stats.snapshot().dead_lettered == 2 }).await;
    failing.stop().await;

    let depths = letters.depth(&from("letters_told")).await.unwrap();
    let counts: Vec<_> = depths.iter().map(|one| (one.durable.as_str(), one.letters)).collect();
    assert_eq!(counts, [("first", 2), ("second", 2)]);
    assert!(depths.iter().all(|one| one.oldest <= SystemTime::now()), "{depths:?}");

    let found = find(&connection, from("letters_told")).await;
    assert_eq!(found.len(), 4);
    let letter = &found[0];
    assert_eq!((letter.durable.as_str(), letter.code()), ("first", Some(Code::NotFound)));
    assert_eq!(letter.reason, "NOT_FOUND: it does not work yet");
    assert_eq!((letter.attempts, letter.redrives), (1, 0));
    assert_eq!(letter.subject.as_deref(), Some("letters_told.a"));
    assert_eq!(letter.message_id.as_deref(), Some("a"));
    assert_eq!(letter.event.as_deref(), Some(Job::FULL_NAME));
    assert_eq!(prost::Message::decode(letter.payload.clone()), Ok(Job::new("a")));
    assert_eq!(letters.get(letter.number).await.unwrap().reason, letter.reason);

    let narrow = DeadLetterFilter { durable: Some("second".to_owned()), ..from("letters_told") };
    assert_eq!(find(&connection, narrow).await.len(), 2);
    let by_code = DeadLetterFilter { code: Some(Code::Internal), ..from("letters_told") };
    assert!(find(&connection, by_code).await.iter().all(|one| one.durable == "second"));
    let none = DeadLetterFilter { code: Some(Code::DataLoss), ..from("letters_told") };
    assert_eq!(find(&connection, none).await.len(), 0);
}

#[tokio::test]
async fn what_is_driven_again_reaches_the_handler_that_failed_and_no_other() {
    job!(Job, "letters_again");
    let connection = shared().await;
    let spec = spec::<Job>("failed");
    fail(&connection, spec, &[Job::new("a")], Code::NotFound).await;
    let heard = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&heard);
    let other = run(&connection, HandlerSpec { durable: "other", ..spec }, move |_, _: Job| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok(()) }
    });
    eventually("the first ack", || async { other.stats.snapshot().acked == 1 }).await;

    let letter = find(&connection, from("letters_again")).await.remove(0);
    let published = connection.dead_letters().redrive(&letter, None).await.unwrap();
    assert!(!published.duplicate, "the first message is no reason to refuse the second");
    let fixed = run(&connection, spec, |delivery, job: Job| async move {
        assert_eq!(job, Job::new("a"));
        // A handler that remembers what it has done finds it under the first key.
        assert_eq!(delivery.message_id.as_deref(), Some("a"));
        assert_eq!(delivery.header(headers::REDRIVES), Some("1"));
        assert_eq!(delivery.header(headers::REASON), None);
        Ok(())
    });
    eventually("both acks", || async {
        fixed.stats.snapshot().acked == 1 && other.stats.snapshot().acked == 2
    })
    .await;
    assert_eq!(heard.load(Ordering::SeqCst), 1, "the other handler had done it before");
    let missing = connection.dead_letters().get(letter.number).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    fixed.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_redrive_that_was_interrupted_can_be_repeated() {
    job!(Job, "letters_repeat");
    let connection = shared().await;
    let (_, context) = raw().await;
    fail(&connection, spec::<Job>("c"), &[Job::new("a")], Code::NotFound).await;
    let letter = find(&connection, from("letters_repeat")).await.remove(0);
    let letters = connection.dead_letters();
    let first = letters.redrive(&letter, None).await.unwrap();
    // As if the first had died before it removed the letter.
    let repeated = letters.redrive(&letter, None).await.unwrap();
    assert!(repeated.duplicate);
    assert_eq!(repeated.stream_sequence, first.stream_sequence);

    // Later than the duplicate window it goes through: rather twice than not at all.
    let mut stream = context.get_stream("letters_repeat").await.unwrap();
    let mut config = stream.info().await.unwrap().config.clone();
    config.duplicate_window = Duration::from_millis(100);
    context.update_stream(config).await.unwrap();
    eventually("a redrive beyond the window", || async {
        !letters.redrive(&letter, None).await.unwrap().duplicate
    })
    .await;
}

#[tokio::test]
async fn what_fails_again_is_another_letter_of_the_same_message() {
    job!(Job, "letters_fail_again");
    let connection = shared().await;
    let spec = spec::<Job>("c");
    fail(&connection, spec, &[Job::new("a"), Job::new("b")], Code::NotFound).await;
    let failing = run(&connection, spec, |_, _: Job| async {
        Err(Error::new(Code::InvalidArgument, "still not"))
    });
    let letters = connection.dead_letters();
    // Read as it is driven: letters that are made meanwhile must not be driven for ever.
    let all = letters.find(from("letters_fail_again")).await.unwrap();
    let driven = Arc::new(AtomicU64::new(0));
    let seen: Vec<u64> = all
        .and_then(|letter| {
            let (letters, failing, driven) = (&letters, &failing, &driven);
            async move {
                letters.redrive(&letter, None).await?;
                let count = driven.fetch_add(1, Ordering::SeqCst) + 1;
                eventually("the new letter", || async {
                    failing.stats.snapshot().dead_lettered == count
                })
                .await;
                Ok(letter.number)
            }
        })
        .try_collect()
        .await
        .unwrap();
    assert_eq!(seen.len(), 2);
    let again = find(&connection, from("letters_fail_again")).await;
    let facts: Vec<_> =
        again.iter().map(|one| (one.message_id.as_deref(), one.redrives, one.code())).collect();
    let code = Some(Code::InvalidArgument);
    assert_eq!(facts, [(Some("a"), 1, code), (Some("b"), 1, code)]);
    assert!(again.iter().all(|one| !seen.contains(&one.number)));
    failing.stop().await;
}

#[tokio::test]
async fn what_nobody_would_handle_is_kept_or_goes_to_the_handlers_new_name() {
    job!(Job, "letters_renamed");
    let connection = shared().await;
    let (_, context) = raw().await;
    fail(&connection, spec::<Job>("old"), &[Job::new("a")], Code::NotFound).await;
    context.delete_consumer_from_stream("old", "letters_renamed").await.unwrap();
    let letters = connection.dead_letters();
    let letter = find(&connection, from("letters_renamed")).await.remove(0);
    let refused = letters.redrive(&letter, None).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("consumer old of stream letters_renamed"), "{refused}");
    letters.get(letter.number).await.unwrap();

    let config = pull::Config { durable_name: Some("new".to_owned()), ..pull::Config::default() };
    context.create_consumer_on_stream(config, "letters_renamed").await.unwrap();
    letters.redrive(&letter, Some("new")).await.unwrap();
    let renamed = run(&connection, spec::<Job>("new"), |_, _: Job| async { Ok(()) });
    eventually("the acks", || async { renamed.stats.snapshot().acked == 2 }).await;
    assert_eq!(find(&connection, from("letters_renamed")).await.len(), 0);
    renamed.stop().await;
}

#[tokio::test]
async fn a_discarded_letter_is_gone() {
    job!(Job, "letters_gone");
    let connection = shared().await;
    fail(&connection, spec::<Job>("c"), &[Job::new("a")], Code::NotFound).await;
    let letters = connection.dead_letters();
    let letter = find(&connection, from("letters_gone")).await.remove(0);
    assert!(letters.discard(letter.number).await.unwrap());
    assert!(!letters.discard(letter.number).await.unwrap(), "somebody was faster");
    assert_eq!(letters.depth(&from("letters_gone")).await.unwrap(), []);
    assert_eq!(letters.get(letter.number).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(letters.get(0).await.unwrap_err().code(), Code::NotFound);
}
