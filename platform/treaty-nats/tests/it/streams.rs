//! Streams as declared.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy};
use treaty_error::Code;
use treaty_nats::{Event as _, NatsConfig, StreamSpec, connect};

use crate::support::{job, raw, shared};

#[tokio::test]
async fn a_stream_is_created_once_and_follows_its_declaration() {
    job!(Job, "streams_follow");
    let connection = shared().await;
    let (_, context) = raw().await;
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();
    connection.ensure_streams(&[Job::STREAM]).await.unwrap();

    let config = context.get_stream("streams_follow").await.unwrap().cached_info().config.clone();
    assert_eq!(config.subjects, ["streams_follow.*"]);
    assert_eq!(config.discard, DiscardPolicy::New);
    assert!(context.get_stream("dead-letters").await.is_ok());

    // An operator describes it; a new version of the contract limits its age.
    context.update_stream(Config { description: Some("kept".to_owned()), ..config }).await.unwrap();
    let aged = StreamSpec { max_age: Some(Duration::from_secs(3600)), ..*Job::STREAM };
    connection.ensure_streams(&[&aged]).await.unwrap();
    let config = context.get_stream("streams_follow").await.unwrap().cached_info().config.clone();
    assert_eq!(config.max_age, Duration::from_secs(3600));
    assert_eq!(config.description.as_deref(), Some("kept"));
}

#[tokio::test]
async fn replicas_may_create_a_stream_at_the_same_time() {
    job!(Job, "streams_race");
    let connection = shared().await;
    let creating = (0..8).map(|_| connection.ensure_streams(&[Job::STREAM]));
    for created in futures::future::join_all(creating).await {
        created.unwrap();
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    job!(Job, "streams_missing");
    let connection = shared().await;
    let error = connection.stream_info(Job::STREAM).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound, "{}", error.chain());
}

#[tokio::test]
async fn an_unreachable_server_is_told_after_the_time_that_was_set() {
    let port = testbed::free_port().unwrap();
    let config = NatsConfig {
        connect_timeout_seconds: 1,
        ..NatsConfig::new(format!("nats://user:hunter2@127.0.0.1:{port}"))
    };
    let error = connect(&config).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains(&format!("127.0.0.1:{port}")), "{error}");
    assert!(!error.chain().contains("hunter2"), "{}", error.chain());
}
