//! rest_over_grpc over prost and pbjson, on hyper without a framework.

use std::convert::Infallible;

use anyhow::Result;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rest_over_grpc::handling::{Context, Status};
use rest_over_grpc::serving::serve_http;
use tokio::net::TcpListener;

#[allow(warnings, clippy::all)]
pub mod bench {
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/theirs/bench.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/theirs/bench.v1.serde.rs"));
        include!(concat!(env!("OUT_DIR"), "/theirs/bench.v1.rest.rs"));
    }
}

#[allow(warnings, clippy::all)]
mod transcoder {
    use super::bench;
    include!(concat!(env!("OUT_DIR"), "/theirs/transcoder.rest.rs"));
}

use bench::v1::{
    Activity, ListActivitiesRequest, ListActivitiesResponse, StoreActivitiesRequest,
    StoreActivitiesResponse,
};

struct Handler;

impl bench::v1::Activities for Handler {
    async fn list_activities(
        &self,
        request: ListActivitiesRequest,
        _: &mut Context,
    ) -> Result<ListActivitiesResponse, Status> {
        let athlete_id = request.athlete_id;
        let activities =
            vec![activity!(Activity, athlete_id.clone()), activity!(Activity, athlete_id)];
        Ok(ListActivitiesResponse { activities })
    }

    async fn store_activities(
        &self,
        request: StoreActivitiesRequest,
        _: &mut Context,
    ) -> Result<StoreActivitiesResponse, Status> {
        Ok(StoreActivitiesResponse {
            stored: i32::try_from(request.activities.len()).unwrap_or(i32::MAX),
            distance: request.activities.iter().map(|activity| activity.distance).sum(),
        })
    }
}

pub async fn serve(listener: TcpListener) -> Result<()> {
    let transcoder = std::sync::Arc::new(transcoder::Transcoder::new(Handler));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let transcoder = std::sync::Arc::clone(&transcoder);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let transcoder = std::sync::Arc::clone(&transcoder);
                async move { Ok::<_, Infallible>(serve_http(request, &*transcoder).await) }
            });
            let builder = hyper::server::conn::http1::Builder::new();
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
