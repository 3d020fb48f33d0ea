//! What a call carries there and back.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::net::TcpListener;
use treaty_error::{Code, Error};
use treaty_rpc::{Caller, ClientConfig, Context, GrpcServerConfig, connect_lazy};

use crate::echo::{
    CONSUMER_TOKEN, Echo, EchoService, EchoServiceClient, LocalEchoService, WORKER_TOKEN, echo,
    start,
};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Does what the text of the request says, and keeps the context that it saw.
#[derive(Default)]
struct Obedient {
    seen: Arc<Mutex<Option<Context>>>,
}

#[async_trait]
impl EchoService for Obedient {
    async fn echo(&self, context: &Context, request: Echo) -> Result<Echo, Error> {
        *self.seen.lock().unwrap() = Some(context.clone());
        match request.text.as_str() {
            "hang" => std::future::pending().await,
            "panic" => panic!("as told"),
            "fail" => Err(Error::internal(std::io::Error::other("the password is xyzzy"))),
            "refuse" => Err(Error::invalid_field("athlete.email", "is no address")
                .with_retry_after(Duration::from_millis(2500))),
            _ => Ok(request),
        }
    }
}

async fn code_of(client: &impl EchoService, text: &str) -> Code {
    client.echo(&Context::background(), echo(text)).await.unwrap_err().code()
}

#[tokio::test]
async fn the_handler_sees_who_calls_until_when_and_by_which_identifiers() {
    let service = Obedient::default();
    let seen = Arc::clone(&service.seen);
    let server = start(service, GrpcServerConfig::default()).await;
    let client = server.client(WORKER_TOKEN);
    let context = Context::incoming(Caller::Anonymous, "request-7")
        .with_traceparent(TRACEPARENT)
        .with_deadline(Duration::from_secs(9));
    assert_eq!(client.echo(&context, echo("hello")).await.unwrap().text, "hello");
    let seen = seen.lock().unwrap().clone().unwrap();
    assert_eq!(seen.caller(), &Caller::Deployable("worker".into()));
    assert_eq!(seen.request_id(), "request-7");
    assert_eq!(seen.traceparent(), Some(TRACEPARENT));
    let remaining = seen.remaining().unwrap();
    assert!(remaining <= Duration::from_secs(9) && remaining > Duration::from_secs(4));
}

#[tokio::test]
async fn callers_are_told_apart() {
    let server = start(Obedient::default(), GrpcServerConfig::default()).await;
    assert_eq!(code_of(&server.client(CONSUMER_TOKEN), "x").await, Code::PermissionDenied);
    assert_eq!(code_of(&server.client("some-other-token"), "x").await, Code::Unauthenticated);
    let local = LocalEchoService::new(Arc::new(Obedient::default()));
    assert_eq!(code_of(&local, "x").await, Code::Unauthenticated);
}

#[tokio::test]
async fn failures_cross_with_details_and_without_secrets() {
    let server = start(Obedient::default(), GrpcServerConfig::default()).await;
    let client = server.client(WORKER_TOKEN);
    let refused = client.echo(&Context::background(), echo("refuse")).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.violations()[0].field, "athlete.email");
    assert_eq!(refused.retry_after(), Some(Duration::from_millis(2500)));
    let failed = client.echo(&Context::background(), echo("fail")).await.unwrap_err();
    assert_eq!(failed.code(), Code::Internal);
    assert!(!failed.chain().contains("xyzzy"), "{}", failed.chain());
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_server_goes_on() {
    let server = start(Obedient::default(), GrpcServerConfig::default()).await;
    let client = server.client(WORKER_TOKEN);
    assert_eq!(code_of(&client, "panic").await, Code::Internal);
    assert!(client.echo(&Context::background(), echo("still here")).await.is_ok());
}

#[tokio::test]
async fn time_runs_out_over_the_wire_and_in_process() {
    let server = start(Obedient::default(), GrpcServerConfig::default()).await;
    let local = LocalEchoService::new(Arc::new(Obedient::default()));
    let remote = server.client(WORKER_TOKEN);
    let soon = || {
        Context::background().with_caller(Caller::Operator).with_deadline(Duration::from_millis(50))
    };
    let started = Instant::now();
    let error = remote.echo(&soon(), echo("hang")).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded, "{}", error.chain());
    let error = local.echo(&soon(), echo("hang")).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(started.elapsed() < Duration::from_secs(10));
    let late = Context::background().with_deadline(Duration::ZERO);
    let error = remote.echo(&late, echo("x")).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn the_server_ends_a_call_in_time_by_itself() {
    let server = start(Obedient::default(), GrpcServerConfig::default()).await;
    // A plain HTTP client does not watch the timeout, as gRPC clients do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let response = client
        .post(format!("http://{}/test.v1.EchoService/Echo", server.address))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", "80m")
        .header("authorization", format!("Bearer {WORKER_TOKEN}"))
        .header("x-request-id", "request-8")
        .body(b"\0\0\0\0\x06\x0a\x04hang".to_vec())
        .send()
        .await
        .unwrap();
    // DEADLINE_EXCEEDED, not the CANCELLED of the transport's own timer.
    assert_eq!(response.headers()["grpc-status"], "4");
    assert_eq!(response.headers()["x-request-id"], "request-8");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_the_log_says_why() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let config = ClientConfig::new(address, SecretString::from(WORKER_TOKEN));
    let client = EchoServiceClient::new(connect_lazy(&config).unwrap());
    let error = client.echo(&Context::background(), echo("x")).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("test.v1.EchoService"));
    assert!(error.chain().contains("refused"), "{}", error.chain());
}
