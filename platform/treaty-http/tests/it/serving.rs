//! The server on a real connection, and how it ends.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use treaty_error::Error;
use treaty_http::{HttpServerConfig, serve};
use treaty_rpc::Context;

use crate::orders::{OPERATOR, Order, OrdersService, gateway, routes};

/// Says when a call has begun, and answers it when told to.
#[derive(Clone)]
struct Gated {
    begun: Arc<Semaphore>,
    released: Arc<Semaphore>,
}

#[async_trait]
impl OrdersService for Gated {
    async fn get_order(&self, _: &Context, request: Order) -> Result<Order, Error> {
        self.begun.add_permits(1);
        self.released.acquire().await.unwrap().forget();
        Ok(request)
    }

    async fn put_order(&self, _: &Context, request: Order) -> Result<Order, Error> {
        Ok(request)
    }
}

#[tokio::test]
async fn a_request_under_way_is_answered_after_shutdown() {
    let service =
        Gated { begun: Arc::new(Semaphore::new(0)), released: Arc::new(Semaphore::new(0)) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/orders/last", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let router = routes(Arc::new(service.clone()), &gateway()).site();
    let config = HttpServerConfig { notice_milliseconds: 0, ..HttpServerConfig::default() };
    let server = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { serve(listener, router, &config, shutdown).await }
    });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let request = tokio::spawn(client.get(&url).header("authorization", OPERATOR).send());
    service.begun.acquire().await.unwrap().forget();
    shutdown.cancel();
    service.released.add_permits(1);
    let response = request.await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.json::<serde_json::Value>().await.unwrap()["orderId"], "last");
    server.await.unwrap().unwrap();
    #[allow(clippy::disallowed_methods, reason = "one refused call needs no client of its own")]
    let refused = reqwest::get(&url).await;
    assert!(refused.is_err());
}
