//! How often which route was called and how it was answered.

use std::collections::BTreeMap;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;

use crate::faults::Dropped;
use crate::state::Shared;

/// Requests by method, route and outcome.
#[derive(Debug, Default)]
pub(crate) struct Counters(BTreeMap<(String, String, String), u64>);

/// One line of the counters.
#[derive(Debug, Serialize)]
pub(crate) struct RouteCount {
    method: String,
    route: String,
    /// The status, or `dropped` when the connection was cut instead.
    outcome: String,
    count: u64,
}

impl Counters {
    fn add(&mut self, method: String, route: String, outcome: String) {
        *self.0.entry((method, route, outcome)).or_default() += 1;
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    pub(crate) fn lines(&self) -> Vec<RouteCount> {
        let line =
            |((method, route, outcome), count): (&(String, String, String), &u64)| RouteCount {
                method: method.clone(),
                route: route.clone(),
                outcome: outcome.clone(),
                count: *count,
            };
        self.0.iter().map(line).collect()
    }
}

/// Counts every request to the simulated Strava, whatever becomes of it.
pub(crate) async fn record(State(sim): State<Shared>, request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    let dropped = response.extensions().get::<Dropped>().is_some();
    let outcome =
        if dropped { "dropped".to_owned() } else { response.status().as_u16().to_string() };
    sim.lock().counters.add(method, route.unwrap_or_else(|| "unmatched".to_owned()), outcome);
    response
}
