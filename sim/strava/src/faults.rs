//! Faults that can be switched on: each is something that the real service has done to its clients.

mod spoil;

use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::grants::Session;
use crate::listener::Connection;
use crate::random::Random;
use crate::state::Shared;

const FAULT_STREAM: u64 = 6;
const OUTAGE_PAGE: &str = "<!DOCTYPE html><html><head><title>Strava</title></head><body>We'll be right back.</body></html>";

/// The faults that are on. Rates are shares of the requests, from 0 to 1; a request meets at most one
/// of the faults that have a rate, so together they must not exceed 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultPlan {
    /// Which routes have faults.
    pub routes: FaultRoutes,
    /// Whose requests to the API have faults, by the athletes' positions from 0; everybody's when
    /// empty. Requests without an athlete then have none.
    pub athletes: Vec<u64>,
    /// After so many faults the service is well again; latency does not count. `null` for no end.
    pub times: Option<u64>,
    /// Starts the random choice of faults anew from this seed; `null` lets it run on.
    pub seed: Option<u64>,
    /// Every request waits this long before it is handled.
    pub latency_ms: u64,
    /// Every request waits up to this long in addition.
    pub latency_jitter_ms: u64,
    /// Requests that are refused, unhandled, with `error_status`.
    pub error_rate: f64,
    /// The status of refused requests, 500 to 599.
    pub error_status: u16,
    /// Answers with a whole body that ends in the middle of its JSON.
    pub malformed_body_rate: f64,
    /// Answers that are a web page with status 200.
    pub html_rate: f64,
    /// Requests that are handled, but whose connection is closed without a byte of the answer.
    pub drop_rate: f64,
    /// Answers whose connection is closed in the middle of the body.
    pub truncate_rate: f64,
    /// Answers whose first byte comes `slow_first_byte_ms` late, after the request was handled.
    pub slow_first_byte_rate: f64,
    /// How late a slow first byte is.
    pub slow_first_byte_ms: u64,
    /// Answers whose body comes byte by byte, `drip_ms` apart.
    pub drip_rate: f64,
    /// The pause between two bytes that drip.
    pub drip_ms: u64,
    /// Answers whose list is in another order than promised.
    pub shuffle_rate: f64,
    /// Answers 429 to every request until this second since the Unix epoch, whatever the quota.
    pub rate_limited_until: Option<i64>,
}

/// A group of routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultRoutes {
    /// Everything under `/api/v3`.
    #[default]
    Api,
    /// Everything under `/oauth`.
    Oauth,
    /// Both.
    All,
}

impl Default for FaultPlan {
    fn default() -> Self {
        Self {
            routes: FaultRoutes::default(),
            athletes: Vec::new(),
            times: None,
            seed: None,
            latency_ms: 0,
            latency_jitter_ms: 0,
            error_rate: 0.0,
            error_status: 503,
            malformed_body_rate: 0.0,
            html_rate: 0.0,
            drop_rate: 0.0,
            truncate_rate: 0.0,
            slow_first_byte_rate: 0.0,
            slow_first_byte_ms: 0,
            drip_rate: 0.0,
            drip_ms: 1_000,
            shuffle_rate: 0.0,
            rate_limited_until: None,
        }
    }
}

/// Why a plan makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultPlanError {
    /// A rate is no share.
    #[error("{0} must be from 0 to 1")]
    Rate(&'static str),
    /// A request can meet only one of the faults.
    #[error("the rates add up to more than 1")]
    Sum,
    /// The error would not be one of the server's.
    #[error("error_status must be from 500 to 599")]
    Status,
}

impl FaultPlan {
    fn rates(&self) -> [(&'static str, f64, Fault); 8] {
        let slow = Fault::SlowFirstByte(Duration::from_millis(self.slow_first_byte_ms));
        let drip = Fault::Drip(Duration::from_millis(self.drip_ms));
        [
            ("error_rate", self.error_rate, Fault::Error(self.error_status)),
            ("malformed_body_rate", self.malformed_body_rate, Fault::MalformedBody),
            ("html_rate", self.html_rate, Fault::Html),
            ("drop_rate", self.drop_rate, Fault::Drop),
            ("truncate_rate", self.truncate_rate, Fault::Truncate),
            ("slow_first_byte_rate", self.slow_first_byte_rate, slow),
            ("drip_rate", self.drip_rate, drip),
            ("shuffle_rate", self.shuffle_rate, Fault::Shuffle),
        ]
    }

    /// Checks what types cannot.
    pub fn validate(&self) -> Result<(), FaultPlanError> {
        let rates = self.rates();
        if let Some((name, ..)) = rates.iter().find(|(_, rate, _)| !(0.0..=1.0).contains(rate)) {
            return Err(FaultPlanError::Rate(name));
        }
        // Ten times 0.1 is a little more than 1 in binary.
        if rates.iter().map(|(_, rate, _)| rate).sum::<f64>() > 1.0 + 1e-9 {
            return Err(FaultPlanError::Sum);
        }
        if !(500..600).contains(&self.error_status) {
            return Err(FaultPlanError::Status);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Error(u16),
    MalformedBody,
    Html,
    Drop,
    Truncate,
    SlowFirstByte(Duration),
    Drip(Duration),
    Shuffle,
}

/// The plan and the stream of chance that carries it out.
#[derive(Debug)]
pub(crate) struct Faults {
    plan: FaultPlan,
    random: Random,
}

impl Faults {
    pub(crate) fn new(seed: u64, plan: FaultPlan) -> Self {
        let mut faults = Self { plan: FaultPlan::default(), random: chance(seed) };
        faults.replace(plan);
        faults
    }

    pub(crate) fn plan(&self) -> &FaultPlan {
        &self.plan
    }

    pub(crate) fn replace(&mut self, plan: FaultPlan) {
        if let Some(seed) = plan.seed {
            self.random = chance(seed);
        }
        self.plan = plan;
    }

    /// Whether everything is answered with 429 at this time.
    pub(crate) fn rate_limited(&self, now: i64) -> bool {
        self.plan.rate_limited_until.is_some_and(|until| now < until)
    }

    /// How long a request on these routes waits, and which fault it then meets.
    fn decide(&mut self, group: FaultRoutes, athlete: Option<u64>) -> (Duration, Option<Fault>) {
        let elsewhere = self.plan.routes != FaultRoutes::All && self.plan.routes != group;
        let meant = |athlete| self.plan.athletes.contains(&athlete);
        if elsewhere || !(self.plan.athletes.is_empty() || athlete.is_some_and(meant)) {
            return (Duration::ZERO, None);
        }
        let jitter = self.random.below(self.plan.latency_jitter_ms.saturating_add(1));
        let latency = Duration::from_millis(self.plan.latency_ms.saturating_add(jitter));
        let mut roll = self.random.fraction();
        if self.plan.times == Some(0) {
            return (latency, None);
        }
        let fault = self.plan.rates().into_iter().find_map(|(_, rate, fault)| {
            roll -= rate;
            (roll < 0.0).then_some(fault)
        });
        if fault.is_some() {
            self.plan.times = self.plan.times.map(|times| times - 1);
        }
        (latency, fault)
    }

    /// Brings a list into another order.
    fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = self.random.below(last as u64 + 1);
            list.swap(last, usize::try_from(other).unwrap_or(last));
        }
    }
}

fn chance(seed: u64) -> Random {
    Random::new(seed, &[FAULT_STREAM])
}

/// Marks an answer that never reached the client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropped;

/// Lets a request on the given routes meet its fault.
pub(crate) async fn inject(
    State((sim, group)): State<(Shared, FaultRoutes)>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let athlete = request.extensions().get::<Session>().map(|session| session.athlete);
    let (latency, fault) = sim.lock().faults.decide(group, athlete);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if let Some(Fault::Error(status)) = fault {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        return (status, Html(OUTAGE_PAGE)).into_response();
    }
    let mut response = next.run(request).await;
    match fault {
        None | Some(Fault::Error(_)) => response,
        Some(Fault::Html) => Html(OUTAGE_PAGE).into_response(),
        Some(Fault::MalformedBody) => spoil::malform(response).await,
        Some(Fault::Truncate) => spoil::truncate(response).await,
        Some(Fault::Drop) => {
            connection.cut();
            response.extensions_mut().insert(Dropped);
            response
        }
        Some(Fault::Drip(pause)) => spoil::drip(response, pause).await,
        Some(Fault::Shuffle) => {
            spoil::reorder(response, |list| sim.lock().faults.shuffle(list)).await
        }
        Some(Fault::SlowFirstByte(delay)) => {
            tokio::time::sleep(delay).await;
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_checked() {
        let plan = FaultPlan::default();
        assert_eq!(plan.validate(), Ok(()));
        let wrong = FaultPlan { html_rate: 1.5, ..plan.clone() };
        assert_eq!(wrong.validate(), Err(FaultPlanError::Rate("html_rate")));
        let wrong = FaultPlan { html_rate: f64::NAN, ..plan.clone() };
        assert_eq!(wrong.validate(), Err(FaultPlanError::Rate("html_rate")));
        let wrong = FaultPlan { html_rate: 0.6, drop_rate: 0.6, ..plan.clone() };
        assert_eq!(wrong.validate(), Err(FaultPlanError::Sum));
        let wrong = FaultPlan { error_status: 404, ..plan };
        assert_eq!(wrong.validate(), Err(FaultPlanError::Status));
    }

    #[test]
    fn chance_repeats_by_seed_and_keeps_to_the_rate() {
        let plan = FaultPlan { error_rate: 0.25, ..FaultPlan::default() };
        let draw = |seed| {
            let mut faults = Faults::new(seed, plan.clone());
            (0..1_000)
                .map(|_| faults.decide(FaultRoutes::Api, None).1.is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!((200..300).contains(&draw(1).iter().filter(|faulty| **faulty).count()));
    }

    #[test]
    fn faults_keep_to_their_routes_and_number() {
        let plan = FaultPlan { html_rate: 1.0, times: Some(2), ..FaultPlan::default() };
        let mut faults = Faults::new(1, plan);
        assert_eq!(faults.decide(FaultRoutes::Oauth, None).1, None);
        let drawn: Vec<_> = (0..4).map(|_| faults.decide(FaultRoutes::Api, None).1).collect();
        assert_eq!(drawn, [Some(Fault::Html), Some(Fault::Html), None, None]);
    }
    #[test]
    fn faults_keep_to_their_athletes() {
        let plan = FaultPlan { html_rate: 1.0, athletes: vec![3], ..FaultPlan::default() };
        let mut faults = Faults::new(1, plan);
        let mut meets = |athlete| faults.decide(FaultRoutes::Api, athlete).1.is_some();
        assert!(meets(Some(3)));
        assert!(!meets(Some(2)) && !meets(None));
    }

    #[test]
    fn a_shuffled_list_has_all_that_was_in_it() {
        let mut faults = Faults::new(1, FaultPlan::default());
        let mut list: Vec<u32> = (0..50).collect();
        faults.shuffle(&mut list);
        assert!(!list.is_sorted());
        list.sort_unstable();
        assert_eq!(list, (0..50).collect::<Vec<_>>());
    }
}
