//! The four kinds of RPC through generated client and server, over a connection and in
//! process: what is said of one holds for the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use treaty_error::{Code, Error};
use treaty_rpc::{Context, GrpcServerConfig, MessageStream, stream_of};

use super::support::{
    Echo, Running, STRANGER_TOKEN, both, client, code, context, end, eventually, say,
};
use crate::echo_service::{EchoService, LocalEchoService};
use crate::*;

fn repeat(text: &str, times: u32) -> RepeatRequest {
    RepeatRequest { text: text.to_owned(), times }
}

fn texts(requests: &[&str]) -> MessageStream<SayRequest> {
    stream_of(requests.iter().map(|text| say(text)).collect::<Vec<_>>())
}

#[tokio::test]
async fn messages_arrive_in_order_whichever_way_they_go() {
    let (_server, doors) = both().await;
    for (door, echo, seen) in doors {
        assert_eq!(echo.say(&context(), say("hello")).await.unwrap().text, "hello", "{door}");
        let repeated = echo.repeat(&context(), repeat("again", 3)).await.unwrap();
        let repeated: Vec<_> = repeated.map_ok(|said| said.text).try_collect().await.unwrap();
        assert_eq!(repeated, ["first", "again", "again"], "{door}");
        let collected = echo.collect(&context(), texts(&["a", "b", "c"])).await.unwrap();
        assert_eq!(collected.text, "a b c", "{door}");
        assert_eq!(echo.collect(&context(), texts(&[])).await.unwrap().text, "", "{door}");
        assert_eq!(seen.collected.load(Ordering::SeqCst), 2, "{door}");
        let conversed = echo.converse(&context(), texts(&["x", "y"])).await.unwrap();
        let conversed: Vec<_> = conversed.map_ok(|said| said.text).try_collect().await.unwrap();
        assert_eq!(conversed, ["x", "y"], "{door}");
        assert_eq!(seen.dropped.load(Ordering::SeqCst), 0, "{door}");
    }
}

#[tokio::test]
async fn both_sides_of_a_conversation_speak_in_turn() {
    let (_server, doors) = both().await;
    for (door, echo, _) in doors {
        let (sender, receiver) = mpsc::channel(1);
        let requests = Box::pin(ReceiverStream::new(receiver));
        let mut answers = echo.converse(&context(), requests).await.unwrap();
        for text in ["one", "two", "three"] {
            sender.send(Ok(say(text))).await.unwrap();
            assert_eq!(answers.next().await.unwrap().unwrap().text, text, "{door}");
        }
        drop(sender);
        assert!(answers.next().await.is_none(), "{door}");
    }
}

#[tokio::test]
async fn failures_come_before_the_stream_or_end_it_with_all_details() {
    let (_server, doors) = both().await;
    for (door, echo, _) in doors {
        let at_once = echo.repeat(&context(), repeat("refuse at once", 3)).await.err().unwrap();
        let later = end(echo.repeat(&context(), repeat("refuse", 3)).await.unwrap()).await;
        assert_eq!(later.0, 1, "{door}");
        let conversed = echo.converse(&context(), texts(&["x", "refuse", "y"])).await.unwrap();
        let conversed = end(conversed).await;
        assert_eq!(conversed.0, 1, "{door}");
        let collected = echo.collect(&context(), texts(&["x", "refuse"])).await.unwrap_err();
        for error in [at_once, later.1.unwrap(), conversed.1.unwrap(), collected] {
            assert_eq!(error.code(), Code::InvalidArgument, "{door}: {}", error.chain());
            assert_eq!(error.violations()[0].field, "text", "{door}");
            assert_eq!(error.retry_after(), Some(Duration::from_millis(1500)), "{door}");
        }
    }
}

#[tokio::test]
async fn the_deadline_covers_the_whole_stream() {
    let (_server, doors) = both().await;
    for (door, echo, seen) in doors {
        let soon = || context().with_deadline(Duration::from_millis(150));
        let repeated = end(echo.repeat(&soon(), repeat("hang", 3)).await.unwrap()).await;
        assert_eq!((repeated.0, code(&repeated)), (1, Some(Code::DeadlineExceeded)), "{door}");
        let collected = echo.collect(&soon(), texts(&["hang"])).await.unwrap_err();
        assert_eq!(collected.code(), Code::DeadlineExceeded, "{door}");
        let conversed = end(echo.converse(&soon(), texts(&["x", "hang"])).await.unwrap()).await;
        assert_eq!((conversed.0, code(&conversed)), (1, Some(Code::DeadlineExceeded)), "{door}");
        eventually("no handler works on", || seen.dropped.load(Ordering::SeqCst) == 3).await;
    }
}

#[tokio::test]
async fn a_panic_ends_its_call_alone() {
    let (_server, doors) = both().await;
    for (door, echo, _) in doors {
        let repeated = end(echo.repeat(&context(), repeat("panic", 3)).await.unwrap()).await;
        assert_eq!((repeated.0, code(&repeated)), (1, Some(Code::Internal)), "{door}");
        let collected = echo.collect(&context(), texts(&["panic"])).await.unwrap_err();
        assert_eq!(collected.code(), Code::Internal, "{door}");
        let conversed = end(echo.converse(&context(), texts(&["x", "panic"])).await.unwrap()).await;
        assert_eq!((conversed.0, code(&conversed)), (1, Some(Code::Internal)), "{door}");
        assert!(echo.say(&context(), say("still here")).await.is_ok(), "{door}");
    }
}

#[tokio::test]
async fn dropping_a_call_stops_the_handler() {
    let (_server, doors) = both().await;
    for (_, echo, seen) in doors {
        let begun = |number| {
            let seen = Arc::clone(&seen);
            move || seen.begun.load(Ordering::SeqCst) == number
        };
        let dropped = |number| {
            let seen = Arc::clone(&seen);
            move || seen.dropped.load(Ordering::SeqCst) == number
        };
        let mut endless = echo.repeat(&context(), repeat("on and on", 0)).await.unwrap();
        endless.next().await.unwrap().unwrap();
        drop(endless);
        eventually("the endless answer stops", dropped(1)).await;

        // Here the requests would go on for ever.
        let requests = || Box::pin(stream::iter([Ok(say("x"))]).chain(stream::pending()));
        let mut answers = echo.converse(&context(), requests()).await.unwrap();
        answers.next().await.unwrap().unwrap();
        drop(answers);
        eventually("the conversation stops", dropped(2)).await;

        let calling = Arc::clone(&echo);
        let call = tokio::spawn(async move { calling.collect(&context(), requests()).await });
        eventually("the handler begins", begun(3)).await;
        call.abort();
        eventually("the collection stops", dropped(3)).await;
    }
}

#[tokio::test]
async fn requests_that_fail_are_never_taken_for_all_of_them() {
    let (_server, doors) = both().await;
    for (door, echo, seen) in doors {
        let failing = |calls: usize| -> MessageStream<SayRequest> {
            let seen = Arc::clone(&seen);
            let failure = async move {
                eventually("the handler begins", || seen.begun.load(Ordering::SeqCst) == calls)
                    .await;
                Err(Error::new(Code::DataLoss, "the file ends in the middle"))
            };
            Box::pin(stream::iter([Ok(say("x"))]).chain(stream::once(failure)))
        };
        let collected = echo.collect(&context(), failing(1)).await.unwrap_err();
        assert_eq!(collected.code(), Code::DataLoss, "{door}");
        let conversed = match echo.converse(&context(), failing(2)).await {
            Ok(answers) => end(answers).await.1.unwrap(),
            Err(error) => error,
        };
        assert_eq!(conversed.code(), Code::DataLoss, "{door}");
        eventually("both handlers stop", || seen.dropped.load(Ordering::SeqCst) == 2).await;
        assert_eq!(seen.collected.load(Ordering::SeqCst), 0, "{door}");
    }
}

#[tokio::test]
async fn requests_that_panic_do_not_take_the_connection_with_them() {
    let server = Running::start().await;
    let echo = server.client();
    let (sender, receiver) = mpsc::channel(1);
    let other = echo.converse(&context(), Box::pin(ReceiverStream::new(receiver))).await;
    let mut other = other.unwrap();
    let panicking = Box::pin(stream::poll_fn(|_| panic!("as told")));
    let error = echo.collect(&context(), panicking).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    sender.send(Ok(say("still here"))).await.unwrap();
    assert_eq!(other.next().await.unwrap().unwrap().text, "still here");
}

#[tokio::test]
async fn the_access_rule_stands_before_streams_too() {
    let server = Running::start().await;
    let stranger = client(&server.config(STRANGER_TOKEN));
    let refused = stranger.repeat(&Context::background(), repeat("x", 1)).await.err().unwrap();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = stranger.collect(&Context::background(), texts(&["x"])).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = stranger.converse(&Context::background(), texts(&["x"])).await.err().unwrap();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let local = LocalEchoService::new(Arc::new(Echo::default()));
    let refused = local.repeat(&Context::background(), repeat("x", 1)).await.err().unwrap();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn the_limit_of_a_message_holds_for_each_of_a_stream() {
    let server = Running::start().await;
    let mut config = server.config(super::support::CALLER_TOKEN);
    config.max_message_bytes = Some(50_000);
    let repeated = end(client(&config).repeat(&context(), repeat("huge", 2)).await.unwrap()).await;
    assert_eq!((repeated.0, code(&repeated)), (1, Some(Code::OutOfRange)));
    let small = GrpcServerConfig { max_message_bytes: 50_000, ..Default::default() };
    let server = Running::with(small).await;
    let large = "x".repeat(60_000);
    let collected = server.client().collect(&context(), texts(&["small", &large])).await;
    assert_eq!(collected.unwrap_err().code(), Code::OutOfRange);
}

#[tokio::test]
async fn a_stream_is_a_call_in_flight_for_as_long_as_it_flows() {
    let server =
        Running::with(GrpcServerConfig { max_concurrent_calls: 1, ..Default::default() }).await;
    let echo = server.client();
    let mut endless = echo.repeat(&context(), repeat("on and on", 0)).await.unwrap();
    endless.next().await.unwrap().unwrap();
    let once = context().with_deadline(Duration::from_millis(500));
    let shed = echo.say(&once, say("me too")).await.unwrap_err();
    assert_eq!(shed.code(), Code::ResourceExhausted, "{}", shed.chain());
    drop(endless);
    let waiting = async {
        while echo.say(&context(), say("me too")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap();
}
