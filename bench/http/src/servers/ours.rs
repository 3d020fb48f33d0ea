//! Treaty's gateway.

use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use treaty_http::{Gateway, GatewayConfig, HttpServerConfig};
use treaty_rpc::{AuthConfig, Authenticator, Context};

use bench_http::activities::{Activities, proxy_routes, routes};
use bench_http::{
    Activity, ListActivitiesRequest, ListActivitiesResponse, StoreActivitiesRequest,
    StoreActivitiesResponse,
};

struct Handler;

#[async_trait]
impl Activities for Handler {
    async fn list_activities(
        &self,
        _: &Context,
        request: ListActivitiesRequest,
    ) -> treaty_error::Result<ListActivitiesResponse> {
        let athlete_id = request.athlete_id;
        let activities =
            vec![activity!(Activity, athlete_id.clone()), activity!(Activity, athlete_id)];
        Ok(ListActivitiesResponse { activities })
    }

    async fn store_activities(
        &self,
        _: &Context,
        request: StoreActivitiesRequest,
    ) -> treaty_error::Result<StoreActivitiesResponse> {
        Ok(StoreActivitiesResponse {
            stored: i32::try_from(request.activities.len()).unwrap_or(i32::MAX),
            distance: request.activities.iter().map(|activity| activity.distance).sum(),
        })
    }
}

pub async fn serve(listener: TcpListener, whole: bool) -> Result<()> {
    let config = GatewayConfig::default();
    let routes = if whole {
        let tokens = AuthConfig {
            operator: Some(SecretString::from("operator-token-01")),
            deployables: [("worker".to_owned(), SecretString::from("worker-token-0001"))].into(),
        };
        let gateway = Gateway::new(&config, Arc::new(Authenticator::new(&tokens)?));
        routes(Arc::new(Handler), &gateway)
    } else {
        proxy_routes(Arc::new(Handler), &Gateway::forwarding(&config))
    };
    // The peers wait for ever for the head of a request; a timer for it is not the
    // gateway's price.
    let server = HttpServerConfig { header_seconds: 0, ..HttpServerConfig::default() };
    Ok(treaty_http::serve(listener, routes.site(), &server, CancellationToken::new()).await?)
}
