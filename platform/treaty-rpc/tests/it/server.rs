//! How the server protects itself, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio_stream::StreamExt;
use tonic::transport::Endpoint;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use treaty_error::{Code, Error};
use treaty_rpc::{Context, GrpcServerConfig};

use crate::echo::{Echo, EchoService, Running, WORKER_TOKEN, echo, start, without_notice};

/// Says when a call has begun, and answers it when told to.
#[derive(Clone)]
struct Gated {
    begun: Arc<Semaphore>,
    released: Arc<Semaphore>,
}

impl Gated {
    fn new() -> Self {
        Self { begun: Arc::new(Semaphore::new(0)), released: Arc::new(Semaphore::new(0)) }
    }

    async fn has_begun(&self) {
        self.begun.acquire().await.unwrap().forget();
    }
}

#[async_trait]
impl EchoService for Gated {
    async fn echo(&self, _: &Context, request: Echo) -> Result<Echo, Error> {
        self.begun.add_permits(1);
        self.released.acquire().await.unwrap().forget();
        Ok(request)
    }
}

fn transport(server: &Running) -> tonic::transport::Channel {
    Endpoint::from_shared(format!("http://{}", server.address)).unwrap().connect_lazy()
}

async fn health(server: &Running, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.to_owned() };
    HealthClient::new(transport(server)).check(request).await.unwrap().into_inner().status()
}

#[tokio::test]
async fn calls_above_the_limit_are_shed_while_health_answers() {
    let service = Gated::new();
    let config = GrpcServerConfig { max_concurrent_calls: 1, ..Default::default() };
    let server = start(service.clone(), config).await;
    let client = Arc::new(server.client(WORKER_TOKEN));
    let first = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.echo(&Context::background(), echo("first")).await }
    });
    service.has_begun().await;
    let shed = client.echo(&Context::background(), echo("second")).await.unwrap_err();
    assert_eq!(shed.code(), Code::ResourceExhausted);
    assert_eq!(shed.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(health(&server, "").await, ServingStatus::Serving);
    service.released.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap().text, "first");
    assert!(client.echo(&Context::background(), echo("third")).await.is_ok());
}

#[tokio::test]
async fn health_follows_what_the_process_says() {
    let server = start(Gated::new(), GrpcServerConfig::default()).await;
    assert_eq!(health(&server, "test.v1.EchoService").await, ServingStatus::Serving);
    server.health.set_serving(false).await;
    assert_eq!(health(&server, "test.v1.EchoService").await, ServingStatus::NotServing);
    assert_eq!(health(&server, "").await, ServingStatus::NotServing);
}

#[tokio::test]
async fn reflection_lists_the_contracts() {
    let server = start(Gated::new(), GrpcServerConfig::default()).await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = ServerReflectionClient::new(transport(&server))
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.next().await.unwrap().unwrap();
    let ServerReflectionResponse {
        message_response: Some(MessageResponse::ListServicesResponse(list)),
        ..
    } = answer
    else {
        panic!("{answer:?}");
    };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused() {
    let service = Gated::new();
    service.released.add_permits(1);
    let config = GrpcServerConfig { max_message_bytes: 1000, ..Default::default() };
    let server = start(service, config).await;
    let client = server.client(WORKER_TOKEN);
    let large = "x".repeat(2000);
    let error = client.echo(&Context::background(), echo(&large)).await.unwrap_err();
    assert_eq!(error.code(), Code::OutOfRange, "{}", error.chain());
    assert!(client.echo(&Context::background(), echo("small")).await.is_ok());
}

#[tokio::test]
async fn a_call_under_way_is_answered_after_shutdown() {
    let service = Gated::new();
    let server = start(service.clone(), without_notice()).await;
    let client = server.client(WORKER_TOKEN);
    let call = tokio::spawn(async move { client.echo(&Context::background(), echo("last")).await });
    service.has_begun().await;
    server.shutdown.cancel();
    service.released.add_permits(1);
    assert_eq!(call.await.unwrap().unwrap().text, "last");
    server.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_time_to_drain_ends() {
    let service = Gated::new();
    let config = GrpcServerConfig { drain_seconds: 0, ..without_notice() };
    let server = start(service.clone(), config).await;
    let client = server.client(WORKER_TOKEN);
    let call = tokio::spawn(async move { client.echo(&Context::background(), echo("x")).await });
    service.has_begun().await;
    server.shutdown.cancel();
    server.task.await.unwrap().unwrap();
    call.abort();
}
