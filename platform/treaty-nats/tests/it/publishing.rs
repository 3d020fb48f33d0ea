//! Publishing one and many.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use treaty_error::{Code, Error};
use treaty_nats::{
    Event as _, Outgoing, Publish as _, PublishOptions, PublishOutgoing as _, Published, headers,
    paged,
};

use crate::support::{job, raw, shared};

#[tokio::test]
async fn a_message_id_is_stored_once() {
    job!(Job, "publish_once");
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = connection.publisher::<Job>();
    let first = publisher.publish(&Job::new("a")).await.unwrap();
    assert_eq!(first, Published { stream_sequence: 1, duplicate: false });
    let again = publisher.publish(&Job::new("a")).await.unwrap();
    assert_eq!(again, Published { stream_sequence: 1, duplicate: true });
    assert_eq!(connection.stream_info(Job::STREAM).await.unwrap().messages, 1);

    let (_, context) = raw().await;
    let stream = context.get_stream("publish_once").await.unwrap();
    let stored = stream.get_raw_message(1).await.unwrap();
    let header = |name| stored.headers.get_last(name).map(|value| value.as_str().to_owned());
    assert_eq!(stored.subject.as_str(), "publish_once.a");
    assert_eq!(header(headers::EVENT).as_deref(), Some(Job::FULL_NAME));
    assert_eq!(header(headers::MESSAGE_ID).as_deref(), Some("a"));
}

#[tokio::test]
async fn what_breaks_the_rules_is_refused_before_it_is_sent() {
    job!(Job, "publish_invalid");
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let error = connection.publisher::<Job>().publish(&Job::new("wrong")).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let violation = &error.violations()[0];
    assert_eq!((&*violation.field, &*violation.reason), ("id", "string.not_contains"));
    assert_eq!(connection.stream_info(Job::STREAM).await.unwrap().messages, 0);
}

#[tokio::test]
async fn a_stored_message_goes_out_through_its_own_publisher_alone() {
    job!(Job, "publish_outgoing");
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = connection.publisher::<Job>();
    // Two messages without an id are two messages.
    let outgoing = Outgoing { message_id: None, ..Outgoing::from_event(&Job::new("a")).unwrap() };
    publisher.publish_outgoing(&outgoing).await.unwrap();
    let second = publisher.publish_outgoing(&outgoing).await.unwrap();
    assert_eq!(second, Published { stream_sequence: 2, duplicate: false });

    let other = Outgoing { event: "test.Other".to_owned(), ..outgoing };
    let error = publisher.publish_outgoing(&other).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_missing_stream_and_a_full_one_are_told_apart() {
    job!(Job, "publish_full", max_bytes: Some(2_000));
    let connection = shared().await;
    let publisher = connection.publisher::<Job>().giving_up_after(Duration::from_millis(300));
    let error = publisher.publish(&Job::new("x")).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{}", error.chain());

    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let mut refused = None;
    for number in 0..100 {
        if let Err(error) = publisher.publish(&Job::new(number)).await {
            refused = Some(error);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{}", refused.chain());
    // What the stream had confirmed before it was full is still there.
    assert_eq!(connection.stream_info(Job::STREAM).await.unwrap().first_sequence, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_fed_arrives_with_bounded_memory() {
    job!(Job, "publish_all");
    const PAGES: u64 = 40;
    const PAGE: u64 = 250;
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = connection.publisher::<Job>();

    let most_ahead = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&most_ahead);
    let options = PublishOptions {
        publishers: 4,
        window: 50,
        on_progress: Some(Arc::new(move |progress| {
            let ahead = progress.fed - progress.published - progress.duplicates - progress.failed;
            let mut most = seen.lock().unwrap();
            *most = ahead.max(*most);
        })),
        ..PublishOptions::default()
    };
    let pages = || {
        paged(0, |page: u64| async move {
            let jobs = (0..PAGE).map(|n| Job::new(page * PAGE + n)).collect();
            Ok((jobs, (page + 1 < PAGES).then_some(page + 1)))
        })
    };
    let report = publisher.publish_all(&mut pages(), options.clone()).await.unwrap();
    assert_eq!((report.published, report.duplicates, report.failed), (PAGES * PAGE, 0, 0));
    let info = connection.stream_info(Job::STREAM).await.unwrap();
    assert_eq!(info.messages, PAGES * PAGE);
    // At most: one page just fed, one part waiting, one part and one window in
    // each publisher.
    let most = *most_ahead.lock().unwrap();
    assert!(most <= PAGE + 50 + 4 * 100, "{most} messages were in memory");

    // The same run again, as a retried activity would do it.
    let report = publisher.publish_all(&mut pages(), options).await.unwrap();
    assert_eq!((report.published, report.duplicates), (0, PAGES * PAGE));
    assert_eq!(connection.stream_info(Job::STREAM).await.unwrap().messages, PAGES * PAGE);
}

#[tokio::test]
async fn a_message_that_cannot_be_published_is_reported_and_the_rest_goes_out() {
    job!(Job, "publish_some");
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let publisher = connection.publisher::<Job>();
    let jobs = || vec![Job::new("a"), Job::new(""), Job::new("b")];
    let mut feeder = paged((), |()| async { Ok((jobs(), None)) });
    let report = publisher.publish_all(&mut feeder, PublishOptions::default()).await.unwrap();
    assert_eq!((report.published, report.failed), (2, 1));
    assert_eq!(report.failures[0].code, Code::InvalidArgument);
    let error = report.into_result().unwrap_err();
    assert!(error.message().starts_with("1 of 3 messages"), "{error}");

    // Without failures allowed, the run itself fails.
    let mut feeder = paged((), |()| async { Ok((jobs(), None)) });
    let strict = PublishOptions { max_failures: 0, ..PublishOptions::default() };
    let error = publisher.publish_all(&mut feeder, strict).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_feeder_that_fails_ends_the_run_after_what_it_had_fed() {
    job!(Job, "publish_feeder_fails");
    let connection = shared().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    let mut feeder = paged(0, |page| async move {
        match page {
            0 => Ok((vec![Job::new("a"), Job::new("b")], Some(1))),
            _ => Err(Error::new(Code::Unavailable, "the api is away")),
        }
    });
    let publisher = connection.publisher::<Job>();
    let error = publisher.publish_all(&mut feeder, PublishOptions::default()).await.unwrap_err();
    assert_eq!(error.message(), "the api is away");
    assert_eq!(connection.stream_info(Job::STREAM).await.unwrap().messages, 2);
}

#[tokio::test]
async fn the_recording_publisher_behaves_like_a_stream() {
    job!(Job, "publish_recorded");
    let publisher = treaty_nats::testing::RecordingPublisher::<Job>::new();
    publisher.fail_next(Error::new(Code::Unavailable, "away"));
    assert!(publisher.publish(&Job::new("a")).await.is_err());
    let jobs = || vec![Job::new("a"), Job::new("b"), Job::new("a")];
    let mut feeder = paged((), |()| async { Ok((jobs(), None)) });
    let report = publisher.publish_all(&mut feeder, PublishOptions::default()).await.unwrap();
    assert_eq!((report.published, report.duplicates), (2, 1));
    assert_eq!(publisher.events(), [Job::new("a"), Job::new("b")]);
}
