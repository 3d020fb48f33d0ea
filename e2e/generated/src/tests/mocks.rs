//! What stands in for a service in tests of those who call it.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use treaty_error::{Code, Error};
use treaty_rpc::{Context, stream_of};

use super::library::Library;
use super::support::{Echo, say};
use crate::caller_port::testing::{MockClients, in_process_clients};
use crate::*;

fn repeat() -> RepeatRequest {
    RepeatRequest { text: "x".to_owned(), times: 2 }
}

fn heard(text: impl Into<String>) -> SayResponse {
    SayResponse { text: text.into(), ..Default::default() }
}

#[tokio::test]
async fn mocks_expect_calls_and_answer_with_streams() {
    let mut mocks = MockClients::default();
    mocks.echo.expect_say().times(1).returning(|_, request| Ok(heard(request.text)));
    mocks
        .echo
        .expect_repeat()
        .withf(|_, request| request.times == 2)
        .returning(|_, _| Ok(stream_of(["a", "b"].map(heard))));
    mocks.echo.expect_collect().return_once(|_, mut requests| {
        // The stream of requests is there to be looked at.
        let first = futures::executor::block_on(requests.next()).unwrap().unwrap();
        Ok(heard(first.text))
    });
    mocks
        .echo
        .expect_converse()
        .returning(|_, _| Err(Error::new(Code::Unavailable, "as scripted")));
    let echo = mocks.into_clients().echo;
    let context = Context::background();

    assert_eq!(echo.say(&context, say("hello")).await.unwrap().text, "hello");
    let repeated = echo.repeat(&context, repeat()).await.unwrap();
    let repeated: Vec<_> = repeated.map_ok(|said| said.text).try_collect().await.unwrap();
    assert_eq!(repeated, ["a", "b"]);
    let collected = echo.collect(&context, stream_of([say("first"), say("second")])).await;
    assert_eq!(collected.unwrap().text, "first");
    let refused = echo.converse(&context, stream_of([])).await.err().unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_fake_in_this_process_is_called_under_the_contracts_rules() {
    let fake = Echo::default();
    let seen = Arc::clone(&fake.0);
    let echo = in_process_clients(Arc::new(fake), Arc::new(Library)).echo;
    // Whatever the context says, the call comes from the port's own deployable.
    let context = Context::background();
    assert_eq!(echo.say(&context, say("hello")).await.unwrap().text, "hello");
    let request = KeepRequest { request_id: "r1".to_owned(), ..Default::default() };
    echo.keep(&context, request).await.unwrap();
    assert_eq!(*seen.keys.lock().unwrap(), [Some("r1".to_owned())]);
    assert_eq!(echo.say(&context, say("panic")).await.unwrap_err().code(), Code::Internal);
}
