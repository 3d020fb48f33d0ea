//! A service written by hand in the shape that is otherwise generated.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;
use treaty_error::Error;
use treaty_rpc::{
    Access, AuthConfig, Authenticator, Channel, ClientConfig, Context, GrpcServer,
    GrpcServerConfig, Health, MessageLimits, MethodSpec, ServeError, Transport,
};

pub(crate) const WORKER_TOKEN: &str = "worker-token-0001";
pub(crate) const CONSUMER_TOKEN: &str = "consumer-token-01";
const OPERATOR_TOKEN: &str = "operator-token-01";

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Echo {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

pub(crate) fn echo(text: &str) -> Echo {
    Echo { text: text.to_owned() }
}

pub(crate) const ECHO: MethodSpec = MethodSpec {
    service: "test.v1.EchoService",
    method: "Echo",
    path: "/test.v1.EchoService/Echo",
    access: &[Access::Callers(&["worker"]), Access::Operators],
    deadline: Duration::from_secs(20),
    retry: None,
};

#[async_trait]
pub(crate) trait EchoService: Send + Sync + 'static {
    async fn echo(&self, context: &Context, request: Echo) -> Result<Echo, Error>;
}

pub(crate) struct LocalEchoService {
    inner: Arc<dyn EchoService>,
}

impl LocalEchoService {
    pub(crate) fn new(inner: Arc<dyn EchoService>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl EchoService for LocalEchoService {
    async fn echo(&self, context: &Context, request: Echo) -> Result<Echo, Error> {
        treaty_rpc::admit_and_run(&ECHO, context, |context| async move {
            self.inner.echo(&context, request).await
        })
        .await
    }
}

/// What tonic generates, and the adapter to it.
#[derive(Clone)]
pub(crate) struct GrpcEchoService {
    local: Arc<LocalEchoService>,
    authenticator: Arc<Authenticator>,
    limits: MessageLimits,
}

impl NamedService for GrpcEchoService {
    const NAME: &'static str = "test.v1.EchoService";
}

impl tonic::server::UnaryService<Echo> for GrpcEchoService {
    type Response = Echo;
    type Future = BoxFuture<'static, Result<Response<Echo>, Status>>;

    fn call(&mut self, request: Request<Echo>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            treaty_rpc::unary(&this.authenticator, request, |context, message| async move {
                this.local.echo(&context, message).await
            })
            .await
        })
    }
}

impl Service<http::Request<Body>> for GrpcEchoService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        let limits = self.limits;
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::default())
                .apply_max_message_size_config(Some(limits.decode), Some(limits.encode));
            Ok(grpc.unary(service, request).await)
        })
    }
}

/// The client in the generated shape.
pub(crate) struct EchoServiceClient {
    channel: Channel,
    inner: tonic::client::Grpc<Transport>,
}

impl EchoServiceClient {
    pub(crate) fn new(channel: Channel) -> Self {
        let limits = channel.limits();
        let inner = tonic::client::Grpc::new(channel.transport())
            .max_decoding_message_size(limits.decode)
            .max_encoding_message_size(limits.encode);
        Self { channel, inner }
    }
}

#[async_trait]
impl EchoService for EchoServiceClient {
    async fn echo(&self, context: &Context, request: Echo) -> Result<Echo, Error> {
        treaty_rpc::call(&ECHO, &self.channel, context, request, |request| {
            let mut inner = self.inner.clone();
            async move {
                inner.ready().await.map_err(|error| Status::from_error(error.into()))?;
                let path = http::uri::PathAndQuery::from_static(ECHO.path);
                inner.unary(request, path, ProstCodec::default()).await
            }
        })
        .await
    }
}

/// A server on a free port of the loopback interface.
pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) shutdown: CancellationToken,
    pub(crate) health: Health,
    pub(crate) task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    pub(crate) fn client(&self, token: &str) -> EchoServiceClient {
        let config = ClientConfig::new(&*self.address, SecretString::from(token));
        EchoServiceClient::new(treaty_rpc::connect_lazy(&config).unwrap())
    }
}

pub(crate) fn authenticator() -> Arc<Authenticator> {
    let config = AuthConfig {
        deployables: [("worker", WORKER_TOKEN), ("consumer", CONSUMER_TOKEN)]
            .map(|(name, token)| (name.to_owned(), SecretString::from(token)))
            .into(),
        operator: Some(SecretString::from(OPERATOR_TOKEN)),
    };
    Arc::new(Authenticator::new(&config).unwrap())
}

/// A server that gives no notice of its end: nobody watches whether it serves.
pub(crate) fn without_notice() -> GrpcServerConfig {
    GrpcServerConfig { notice_milliseconds: 0, ..GrpcServerConfig::default() }
}

pub(crate) async fn start(service: impl EchoService, config: GrpcServerConfig) -> Running {
    start_at("127.0.0.1:0", service, config).await
}

pub(crate) async fn start_at(
    address: &str,
    service: impl EchoService,
    config: GrpcServerConfig,
) -> Running {
    let server = GrpcServer::new(config, authenticator());
    let adapter = GrpcEchoService {
        local: Arc::new(LocalEchoService::new(Arc::new(service))),
        authenticator: server.authenticator(),
        limits: server.limits(),
    };
    let server = server.add(adapter).with_reflection(tonic_health::pb::FILE_DESCRIPTOR_SET);
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let shutdown = CancellationToken::new();
    let health = server.health();
    let task = tokio::spawn(server.serve(listener, shutdown.clone()));
    Running { address, shutdown, health, task }
}
