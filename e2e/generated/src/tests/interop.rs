//! Our server with tonic's own client, our client with tonic's own server.

use std::pin::Pin;

use futures::{Stream, StreamExt, TryStreamExt, stream};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};
use treaty_error::Code;
use treaty_rpc::{ClientConfig, Context, stream_of};

use super::support::{CALLER_TOKEN, Running, client, say};
use crate::echo_service::EchoService;
use crate::grpc::echo_service_client::EchoServiceClient as TonicClient;
use crate::grpc::echo_service_server as tonic_server;
use crate::*;

fn tonics_client(server: &Running) -> TonicClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    TonicClient::new(endpoint.connect_lazy())
}

fn authorized<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = AsciiMetadataValue::try_from(format!("Bearer {CALLER_TOKEN}")).unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request.metadata_mut().insert("x-request-id", AsciiMetadataValue::from_static("request-9"));
    request
}

fn repeat(text: &str, times: u32) -> RepeatRequest {
    RepeatRequest { text: text.to_owned(), times }
}

#[tokio::test]
async fn tonics_client_is_answered_by_our_server() {
    let server = Running::start().await;
    let mut client = tonics_client(&server);

    let said = client.say(authorized(say("hello"))).await.unwrap();
    assert_eq!(said.metadata().get("x-request-id").unwrap(), "request-9");
    assert_eq!(said.into_inner().text, "hello");

    let repeated = client.repeat(authorized(repeat("again", 2))).await.unwrap();
    assert_eq!(repeated.metadata().get("x-request-id").unwrap(), "request-9");
    let repeated: Vec<_> = repeated.into_inner().try_collect().await.unwrap();
    assert_eq!(repeated.len(), 2);

    let texts = || stream::iter([say("a"), say("b")]);
    let collected = client.collect(authorized(texts())).await.unwrap();
    assert_eq!(collected.into_inner().text, "a b");
    let conversed = client.converse(authorized(texts())).await.unwrap().into_inner();
    let conversed: Vec<_> = conversed.map_ok(|said| said.text).try_collect().await.unwrap();
    assert_eq!(conversed, ["a", "b"]);
}

#[tokio::test]
async fn a_failure_after_the_headers_is_in_the_trailers() {
    let server = Running::start().await;
    let mut client = tonics_client(&server);
    let mut repeated = client.repeat(authorized(repeat("refuse", 3))).await.unwrap().into_inner();
    assert_eq!(repeated.message().await.unwrap().unwrap().text, "first");
    let status = repeated.message().await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert_eq!(status.message(), "text: is not to be said");
    assert!(!status.details().is_empty(), "the details are there too");
    let status = client.repeat(repeat("x", 1)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unauthenticated);
}

/// A server that knows nothing of this platform.
struct Plain;

type Responses = Pin<Box<dyn Stream<Item = Result<SayResponse, Status>> + Send>>;

fn heard(text: impl Into<String>) -> SayResponse {
    SayResponse { text: text.into(), secret: String::new() }
}

#[tonic::async_trait]
impl tonic_server::EchoService for Plain {
    type RepeatStream = Responses;
    type ConverseStream = Responses;

    async fn say(&self, request: Request<SayRequest>) -> Result<Response<SayResponse>, Status> {
        let timeout = request.metadata().get("grpc-timeout").unwrap().to_str().unwrap();
        Ok(Response::new(heard(timeout)))
    }

    async fn repeat(&self, request: Request<RepeatRequest>) -> Result<Response<Responses>, Status> {
        let RepeatRequest { text, times } = request.into_inner();
        let answers = (0..times).map(move |_| Ok(heard(&*text)));
        let end = Status::failed_precondition("that was all");
        Ok(Response::new(Box::pin(stream::iter(answers).chain(stream::iter([Err(end)])))))
    }

    async fn collect(
        &self,
        request: Request<Streaming<SayRequest>>,
    ) -> Result<Response<SayResponse>, Status> {
        let said: Vec<_> = request.into_inner().map_ok(|said| said.text).try_collect().await?;
        Ok(Response::new(heard(said.join("+"))))
    }

    async fn converse(
        &self,
        request: Request<Streaming<SayRequest>>,
    ) -> Result<Response<Responses>, Status> {
        Ok(Response::new(Box::pin(request.into_inner().map_ok(|said| heard(said.text)))))
    }

    async fn list_words(
        &self,
        _: Request<ListWordsRequest>,
    ) -> Result<Response<ListWordsResponse>, Status> {
        Err(Status::unimplemented("no list"))
    }

    async fn keep(&self, _: Request<KeepRequest>) -> Result<Response<KeepResponse>, Status> {
        Err(Status::unimplemented("no memory"))
    }

    async fn count(&self, _: Request<CountRequest>) -> Result<Response<CountResponse>, Status> {
        Err(Status::unimplemented("no numbers"))
    }
}

#[tokio::test]
async fn our_client_is_answered_by_tonics_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tonic::transport::Server::builder()
        .add_service(tonic_server::EchoServiceServer::new(Plain))
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    let echo = client(&ClientConfig::new(address, SecretString::from(CALLER_TOKEN)));
    let context = Context::background();

    let timeout = echo.say(&context, say("how long?")).await.unwrap().text;
    assert!(timeout.ends_with(['n', 'u', 'm']), "{timeout}");

    let mut repeated = echo.repeat(&context, repeat("again", 2)).await.unwrap();
    assert_eq!(repeated.next().await.unwrap().unwrap().text, "again");
    assert_eq!(repeated.next().await.unwrap().unwrap().text, "again");
    let error = repeated.next().await.unwrap().unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::FailedPrecondition, "that was all"));
    assert!(repeated.next().await.is_none());

    let texts = || stream_of([say("a"), say("b")]);
    assert_eq!(echo.collect(&context, texts()).await.unwrap().text, "a+b");
    let conversed = echo.converse(&context, texts()).await.unwrap();
    assert_eq!(conversed.try_collect::<Vec<_>>().await.unwrap().len(), 2);
}
