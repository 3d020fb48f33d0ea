//! A handler that does as it is told, and a server around it.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error, Result};
use treaty_rpc::{
    AuthConfig, Authenticator, Caller, ClientConfig, Context, GrpcServer, GrpcServerConfig,
    MessageStream,
};

use crate::echo_service::{EchoService, EchoServiceClient, EchoServiceGrpc, LocalEchoService};
use crate::*;

pub(super) const CALLER_TOKEN: &str = "caller-token-0001";
pub(super) const STRANGER_TOKEN: &str = "stranger-token-01";

pub(super) fn say(text: &str) -> SayRequest {
    SayRequest { text: text.to_owned(), secret: String::new() }
}

fn heard(text: String) -> SayResponse {
    SayResponse { text, secret: String::new() }
}

/// What the handler has seen.
#[derive(Default)]
pub(super) struct Seen {
    /// Streams and calls that were given up before they ended.
    pub(super) dropped: AtomicUsize,
    /// Streams that were begun.
    pub(super) begun: AtomicUsize,
    /// Streams of requests that came to a good end.
    pub(super) collected: AtomicUsize,
    pub(super) keys: Mutex<Vec<Option<String>>>,
}

/// Counts itself when it is dropped before it was told that all is done.
struct Unfinished(Option<Arc<Seen>>);

impl Unfinished {
    fn begin(seen: &Arc<Seen>) -> Self {
        seen.begun.fetch_add(1, Ordering::SeqCst);
        Self(Some(Arc::clone(seen)))
    }

    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(seen) = &self.0 {
            seen.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Does what the text says.
#[derive(Default)]
pub(super) struct Echo(pub(super) Arc<Seen>);

fn refused() -> Error {
    Error::invalid_field("text", "is not to be said").with_retry_after(Duration::from_millis(1500))
}

async fn obey(text: &str) -> Result<SayResponse> {
    match text {
        "refuse" => Err(refused()),
        "panic" => panic!("as told"),
        "hang" => std::future::pending().await,
        "huge" => Ok(heard("x".repeat(100_000))),
        text => Ok(heard(text.to_owned())),
    }
}

#[async_trait]
impl EchoService for Echo {
    async fn say(&self, _: &Context, request: SayRequest) -> Result<SayResponse> {
        let answer = obey(&request.text).await?;
        Ok(SayResponse { secret: request.secret, ..answer })
    }

    async fn repeat(
        &self,
        _: &Context,
        request: RepeatRequest,
    ) -> Result<MessageStream<SayResponse>> {
        if request.text == "refuse at once" {
            return Err(refused());
        }
        let endless = request.times == 0;
        let times = usize::try_from(request.times).unwrap();
        let state = (request.text, Unfinished::begin(&self.0), 0);
        Ok(Box::pin(stream::unfold(state, move |(text, unfinished, number)| async move {
            if !endless && number == times {
                unfinished.done();
                return None;
            }
            // The first answer comes in any case, so that the stream has begun.
            let answer = if number == 0 { obey("first").await } else { obey(&text).await };
            Some((answer, (text, unfinished, number + 1)))
        })))
    }

    async fn collect(
        &self,
        _: &Context,
        mut requests: MessageStream<SayRequest>,
    ) -> Result<SayResponse> {
        let unfinished = Unfinished::begin(&self.0);
        let mut texts = Vec::new();
        while let Some(request) = requests.next().await {
            texts.push(obey(&request?.text).await?.text);
        }
        unfinished.done();
        self.0.collected.fetch_add(1, Ordering::SeqCst);
        Ok(heard(texts.join(" ")))
    }

    async fn converse(
        &self,
        _: &Context,
        requests: MessageStream<SayRequest>,
    ) -> Result<MessageStream<SayResponse>> {
        let unfinished = Unfinished::begin(&self.0);
        let answers =
            stream::unfold((requests, unfinished), |(mut requests, unfinished)| async move {
                match requests.next().await {
                    Some(Ok(request)) => Some((obey(&request.text).await, (requests, unfinished))),
                    Some(Err(error)) => Some((Err(error), (requests, unfinished))),
                    None => {
                        unfinished.done();
                        None
                    }
                }
            });
        Ok(Box::pin(answers))
    }

    async fn list_words(
        &self,
        _: &Context,
        request: ListWordsRequest,
    ) -> Result<ListWordsResponse> {
        const WORDS: [&str; 5] = ["one", "two", "three", "four", "five"];
        let start: usize = request.page_token.parse().unwrap_or(0);
        let end = WORDS.len().min(start + usize::try_from(request.page_size.max(1)).unwrap());
        let words = WORDS[start..end].iter().map(|text| Word { text: (*text).to_owned() });
        let next = if end < WORDS.len() { end.to_string() } else { String::new() };
        Ok(ListWordsResponse { words: words.collect(), next_page_token: next })
    }

    async fn keep(&self, context: &Context, _: KeepRequest) -> Result<KeepResponse> {
        self.0.keys.lock().unwrap().push(context.idempotency_key().map(str::to_owned));
        Ok(KeepResponse { kept: 1 })
    }

    async fn count(&self, context: &Context, _: CountRequest) -> Result<CountResponse> {
        self.0.keys.lock().unwrap().push(context.idempotency_key().map(str::to_owned));
        Ok(CountResponse { count: 1 })
    }
}

/// A server on a free port of the loopback interface, until it is dropped.
pub(super) struct Running {
    pub(super) address: String,
    pub(super) seen: Arc<Seen>,
    shutdown: CancellationToken,
}

impl Running {
    pub(super) async fn start() -> Self {
        Self::with(GrpcServerConfig::default()).await
    }

    pub(super) async fn with(config: GrpcServerConfig) -> Self {
        let tokens = [("caller", CALLER_TOKEN), ("stranger", STRANGER_TOKEN)];
        let tokens = tokens.map(|(name, token)| (name.to_owned(), SecretString::from(token)));
        let auth = AuthConfig { deployables: tokens.into(), operator: None };
        let server = GrpcServer::new(config, Arc::new(Authenticator::new(&auth).unwrap()));
        let echo = Echo::default();
        let seen = Arc::clone(&echo.0);
        let server = EchoServiceGrpc::register(server, Arc::new(echo));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shutdown = CancellationToken::new();
        tokio::spawn(server.serve(listener, shutdown.clone()));
        Self { address, seen, shutdown }
    }

    pub(super) fn config(&self, token: &str) -> ClientConfig {
        ClientConfig::new(&*self.address, SecretString::from(token))
    }

    pub(super) fn client(&self) -> EchoServiceClient {
        client(&self.config(CALLER_TOKEN))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub(super) fn context() -> Context {
    Context::background().with_caller(Caller::Deployable("caller".into()))
}

/// The same service behind both doors, each with what its handler sees.
pub(super) async fn both() -> (Running, Vec<(&'static str, Arc<dyn EchoService>, Arc<Seen>)>) {
    let server = Running::start().await;
    let echo = Echo::default();
    let seen = Arc::clone(&echo.0);
    let doors: Vec<(_, Arc<dyn EchoService>, _)> = vec![
        ("over gRPC", Arc::new(server.client()), Arc::clone(&server.seen)),
        ("in process", Arc::new(LocalEchoService::new(Arc::new(echo))), seen),
    ];
    (server, doors)
}

pub(super) fn client(config: &ClientConfig) -> EchoServiceClient {
    EchoServiceClient::new(treaty_rpc::connect_lazy(config).unwrap())
}

/// What a stream ends with, and how many messages came before.
pub(super) async fn end<T>(mut stream: MessageStream<T>) -> (usize, Option<Error>) {
    let mut messages = 0;
    while let Some(item) = stream.next().await {
        match item {
            Ok(_) => messages += 1,
            Err(error) => {
                assert!(stream.next().await.is_none(), "nothing comes after a failure");
                return (messages, Some(error));
            }
        }
    }
    (messages, None)
}

pub(super) fn code(end: &(usize, Option<Error>)) -> Option<Code> {
    end.1.as_ref().map(Error::code)
}

/// Waits until the condition holds.
pub(super) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(in_time.is_ok(), "waited in vain until {what}");
}
