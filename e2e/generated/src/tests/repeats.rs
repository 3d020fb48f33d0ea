//! Repeated calls, keys and pages, against a server that fails as it is told.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tonic::metadata::MetadataMap;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};
use treaty_error::{Code, Error};
use treaty_rpc::{ClientConfig, Context, stream_of, to_status};

use super::support::{CALLER_TOKEN, Running, client, say};
use crate::echo_service::{EchoService, EchoServiceClient, EchoServicePages};
use crate::grpc::echo_service_server as tonic_server;
use crate::*;

/// What becomes of one attempt.
enum Fate {
    Fails(Error),
    Hangs,
}

fn unavailable() -> Fate {
    Fate::Fails(Error::new(Code::Unavailable, "the server restarts"))
}

#[derive(Default)]
struct State {
    fates: VecDeque<Fate>,
    /// What every attempt fails with once the fates are used up.
    always: Option<Code>,
    metadata: Vec<MetadataMap>,
    request_ids: Vec<String>,
}

/// Answers well unless it was told otherwise.
#[derive(Clone, Default)]
struct Moody(Arc<Mutex<State>>);

impl Moody {
    async fn attempt<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let fate = {
            let mut state = self.0.lock().unwrap();
            state.metadata.push(request.metadata().clone());
            let always = state.always.map(|code| Fate::Fails(Error::new(code, "always")));
            state.fates.pop_front().or(always)
        };
        match fate {
            None => Ok(()),
            Some(Fate::Fails(error)) => Err(to_status(&error)),
            Some(Fate::Hangs) => std::future::pending().await,
        }
    }

    fn attempts(&self) -> usize {
        self.0.lock().unwrap().metadata.len()
    }

    fn header(&self, attempt: usize, name: &str) -> Option<String> {
        let state = self.0.lock().unwrap();
        Some(state.metadata[attempt].get(name)?.to_str().unwrap().to_owned())
    }
}

type Responses = Pin<Box<dyn Stream<Item = Result<SayResponse, Status>> + Send>>;

fn heard() -> SayResponse {
    SayResponse::default()
}

#[tonic::async_trait]
impl tonic_server::EchoService for Moody {
    type RepeatStream = Responses;
    type ConverseStream = Responses;

    async fn say(&self, request: Request<SayRequest>) -> Result<Response<SayResponse>, Status> {
        self.attempt(&request).await?;
        Ok(Response::new(heard()))
    }

    async fn repeat(&self, request: Request<RepeatRequest>) -> Result<Response<Responses>, Status> {
        self.attempt(&request).await?;
        let end = Status::unavailable("in the middle");
        Ok(Response::new(Box::pin(stream::iter([Ok(heard()), Err(end)]))))
    }

    async fn collect(
        &self,
        request: Request<Streaming<SayRequest>>,
    ) -> Result<Response<SayResponse>, Status> {
        self.attempt(&request).await?;
        Ok(Response::new(heard()))
    }

    async fn converse(
        &self,
        request: Request<Streaming<SayRequest>>,
    ) -> Result<Response<Responses>, Status> {
        self.attempt(&request).await?;
        Ok(Response::new(Box::pin(stream::iter([]))))
    }

    async fn list_words(
        &self,
        request: Request<ListWordsRequest>,
    ) -> Result<Response<ListWordsResponse>, Status> {
        self.attempt(&request).await?;
        Ok(Response::new(ListWordsResponse::default()))
    }

    async fn keep(&self, request: Request<KeepRequest>) -> Result<Response<KeepResponse>, Status> {
        self.0.lock().unwrap().request_ids.push(request.get_ref().request_id.clone());
        self.attempt(&request).await?;
        Ok(Response::new(KeepResponse::default()))
    }

    async fn count(
        &self,
        request: Request<CountRequest>,
    ) -> Result<Response<CountResponse>, Status> {
        self.attempt(&request).await?;
        Ok(Response::new(CountResponse::default()))
    }
}

async fn moody(fates: impl IntoIterator<Item = Fate>) -> (Moody, EchoServiceClient) {
    let moody = Moody::default();
    moody.0.lock().unwrap().fates.extend(fates);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tonic::transport::Server::builder()
        .add_service(tonic_server::EchoServiceServer::new(moody.clone()))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    (moody, client(&ClientConfig::new(address, SecretString::from(CALLER_TOKEN))))
}

#[tokio::test]
async fn what_may_be_repeated_is_until_it_succeeds() {
    let (server, echo) = moody([unavailable(), unavailable(), unavailable()]).await;
    echo.say(&Context::background(), say("x")).await.unwrap();
    assert_eq!(server.attempts(), 4);
    let previous = |attempt| server.header(attempt, "grpc-previous-rpc-attempts");
    assert_eq!(previous(0), None);
    assert_eq!(previous(3).as_deref(), Some("3"));
    assert_eq!(server.header(0, "x-request-id"), server.header(3, "x-request-id"));
}

#[tokio::test]
async fn attempts_are_counted() {
    let (server, echo) = moody([]).await;
    server.0.lock().unwrap().always = Some(Code::Unavailable);
    let error = echo.say(&Context::background(), say("x")).await.unwrap_err();
    assert_eq!((server.attempts(), error.code()), (4, Code::Unavailable));
}

#[tokio::test]
async fn nothing_else_is_repeated() {
    for code in [Code::InvalidArgument, Code::Internal, Code::ResourceExhausted, Code::Aborted] {
        let (server, echo) = moody([Fate::Fails(Error::new(code, "no"))]).await;
        let error = echo.say(&Context::background(), say("x")).await.unwrap_err();
        assert_eq!((server.attempts(), error.code()), (1, code));
    }
    let (server, echo) = moody([unavailable(), unavailable()]).await;
    let list = echo.list_words(&Context::background(), ListWordsRequest::default()).await;
    assert_eq!(list.unwrap_err().code(), Code::Unavailable, "its contract has no policy");
    let sent = echo.collect(&Context::background(), stream_of([say("x")])).await;
    assert_eq!(sent.unwrap_err().code(), Code::Unavailable, "requests cannot be sent again");
    assert_eq!(server.attempts(), 2);
}

#[tokio::test]
async fn the_servers_wait_is_kept_and_one_beyond_the_deadline_is_not_waited_for() {
    let full =
        |wait| Fate::Fails(Error::new(Code::ResourceExhausted, "full").with_retry_after(wait));
    let wait = Duration::from_millis(60);
    let (server, echo) = moody([full(wait)]).await;
    let started = Instant::now();
    echo.say(&Context::background(), say("x")).await.unwrap();
    assert!(started.elapsed() >= wait, "{:?}", started.elapsed());
    assert_eq!(server.attempts(), 2);

    let (server, echo) = moody([full(Duration::from_secs(3600))]).await;
    let started = Instant::now();
    let error = echo.say(&Context::background(), say("x")).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(server.attempts(), 1);
}

#[tokio::test]
async fn an_attempt_that_hangs_is_given_up_for_the_next() {
    let (server, echo) = moody([Fate::Hangs]).await;
    echo.say(&Context::background(), say("x")).await.unwrap();
    assert_eq!(server.attempts(), 2);
    // The deadline of the whole call, here before that of the attempt, is another matter. The
    // connection stands already, so that the call is at the server in time.
    let (server, echo) = moody([]).await;
    echo.say(&Context::background(), say("x")).await.unwrap();
    server.0.lock().unwrap().fates.push_back(Fate::Hangs);
    let soon = Context::background().with_deadline(Duration::from_millis(150));
    let error = echo.say(&soon, say("x")).await.unwrap_err();
    assert_eq!((server.attempts(), error.code()), (2, Code::DeadlineExceeded));
}

#[tokio::test]
async fn repeats_do_not_make_an_outage_worse() {
    let (server, echo) = moody([]).await;
    server.0.lock().unwrap().always = Some(Code::Unavailable);
    for _ in 0..100 {
        echo.say(&Context::background(), say("x")).await.unwrap_err();
    }
    // Without the budget it would be 400.
    assert!(server.attempts() <= 105, "{}", server.attempts());
    server.0.lock().unwrap().always = None;
    for _ in 0..100 {
        echo.say(&Context::background(), say("x")).await.unwrap();
    }
    server.0.lock().unwrap().fates.push_back(unavailable());
    echo.say(&Context::background(), say("x")).await.unwrap();
}

#[tokio::test]
async fn a_stream_is_asked_for_again_only_until_it_has_begun() {
    let (server, echo) = moody([unavailable(), unavailable()]).await;
    let request = RepeatRequest { text: "x".to_owned(), times: 1 };
    let mut answers = echo.repeat(&Context::background(), request).await.unwrap();
    assert_eq!(server.attempts(), 3);
    answers.next().await.unwrap().unwrap();
    let error = answers.next().await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(server.attempts(), 3);
}

#[tokio::test]
async fn a_key_is_made_once_for_all_attempts() {
    let (server, echo) = moody([unavailable(), unavailable()]).await;
    let request = KeepRequest { text: "x".to_owned(), ..Default::default() };
    echo.keep(&Context::background(), request.clone()).await.unwrap();
    echo.keep(&Context::background(), request.clone()).await.unwrap();
    let chosen = KeepRequest { request_id: "mine".to_owned(), ..request };
    echo.keep(&Context::background(), chosen).await.unwrap();
    let ids = server.0.lock().unwrap().request_ids.clone();
    let [first, second, third, next, mine] = ids.as_slice() else { panic!("{ids:?}") };
    assert!(first == second && second == third && third != next, "{ids:?}");
    assert_eq!(first.len(), 36, "a UUID");
    assert_eq!(mine, "mine");
}

#[tokio::test]
async fn a_key_in_a_header_is_too() {
    let (server, echo) = moody([unavailable()]).await;
    echo.count(&Context::background(), CountRequest {}).await.unwrap();
    let chosen = Context::background().with_idempotency_key("mine");
    echo.count(&chosen, CountRequest {}).await.unwrap();
    let key = |attempt| server.header(attempt, "idempotency-key").unwrap();
    assert_eq!(key(0), key(1));
    assert_eq!(key(0).len(), 36, "a UUID");
    assert_eq!(key(2), "mine");
}

#[tokio::test]
async fn handlers_see_the_key_wherever_it_travels() {
    let server = Running::start().await;
    let echo = server.client();
    let request = KeepRequest { request_id: "one".to_owned(), ..Default::default() };
    echo.keep(&Context::background(), request).await.unwrap();
    let chosen = Context::background().with_idempotency_key("two");
    echo.count(&chosen, CountRequest {}).await.unwrap();
    let keys = server.seen.keys.lock().unwrap().clone();
    assert_eq!(keys, [Some("one".to_owned()), Some("two".to_owned())]);
}

#[tokio::test]
async fn lists_are_walked_page_by_page() {
    let server = Running::start().await;
    let echo = server.client();
    let context = Context::background();
    let request = ListWordsRequest { page_size: 2, ..Default::default() };
    let words = echo.list_words_pages(&context, request.clone()).items();
    let words: Vec<_> = words.map_ok(|word| word.text).try_collect().await.unwrap();
    assert_eq!(words, ["one", "two", "three", "four", "five"]);
    let mut pages = echo.list_words_pages(&context, request);
    assert_eq!(pages.next().await.unwrap().unwrap().words.len(), 2);
    assert_eq!(pages.next_page_token(), Some("2"));
    assert_eq!(pages.count().await, 2);
}
