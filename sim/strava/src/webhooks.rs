//! Push subscriptions: the handshake, and events in three attempts.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, routing};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::generate::{ATHLETE_ID_BASE, Activity};
use crate::oauth::check_client;
use crate::params::Params;
use crate::random::Random;
use crate::reply::Refusal;
use crate::state::{Shared, Simulation};
use crate::summary::rfc3339;

/// How often an event is sent before Strava gives up.
const ATTEMPTS: usize = 3;
/// How many deliveries are remembered.
const REMEMBERED: usize = 1_000;
const CHALLENGE_STREAM: u64 = 7;

pub(crate) fn routes() -> axum::Router<Shared> {
    let path = "/api/v3/push_subscriptions";
    axum::Router::new()
        .route(path, routing::post(subscribe).get(view))
        .route("/api/v3/push_subscriptions/{id}", routing::delete(unsubscribe))
}

/// The application's one subscription.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    id: u64,
    callback: Url,
    created_at: i64,
}

#[derive(Debug, Serialize)]
pub(crate) struct SubscriptionView {
    id: u64,
    resource_state: u8,
    application_id: u64,
    callback_url: String,
    created_at: String,
    updated_at: String,
}

#[derive(Debug, Serialize)]
struct Subscribed {
    id: u64,
}

async fn subscribe(
    State(sim): State<Shared>,
    params: Params,
) -> Result<(StatusCode, Json<impl Serialize>), Refusal> {
    check_client(&sim, &params)?;
    let required = |name: &'static str| {
        params.get(name).filter(|value| !value.is_empty()).ok_or(Refusal::bad_request(
            "PushSubscription",
            name,
            "invalid",
        ))
    };
    let verify_token = required("verify_token")?;
    let callback = Url::parse(required("callback_url")?)
        .map_err(|_| Refusal::bad_request("PushSubscription", "callback url", "invalid"))?;
    let exists = Refusal::bad_request("PushSubscription", "subscription", "already exists");
    if sim.lock().subscription.is_some() {
        return Err(exists);
    }
    if let Err(reason) = shake_hands(&sim, &callback, verify_token).await {
        tracing::info!(reason, "the callback failed the handshake");
        let code = "GET to callback URL does not return 200";
        return Err(Refusal::bad_request("PushSubscription", "callback url", code));
    }
    let mut state = sim.lock();
    // Another request may have subscribed during the handshake.
    if state.subscription.is_some() {
        return Err(exists);
    }
    state.subscriptions_made += 1;
    let id = 100_000 + state.subscriptions_made;
    state.subscription = Some(Subscription { id, callback, created_at: sim.now() });
    Ok((StatusCode::CREATED, Json(Subscribed { id })))
}

#[derive(Deserialize)]
struct Challenge {
    #[serde(rename = "hub.challenge")]
    challenge: String,
}

/// Asks the callback whether it wants the events; it must repeat the challenge.
async fn shake_hands(
    sim: &Simulation,
    callback: &Url,
    verify_token: &str,
) -> Result<(), &'static str> {
    let keys = [CHALLENGE_STREAM, sim.lock().subscriptions_made];
    let challenge = Random::new(sim.config.seed, &keys).token()[..16].to_owned();
    let mut url = callback.clone();
    url.query_pairs_mut()
        .append_pair("hub.verify_token", verify_token)
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.mode", "subscribe");
    let request = sim.http.get(url).timeout(sim.config.webhook_timeout);
    let response = request.send().await.map_err(|_| "no answer in time")?;
    if response.status() != StatusCode::OK {
        return Err("a status other than 200");
    }
    let answer: Challenge = response.json().await.map_err(|_| "no hub.challenge in the answer")?;
    (answer.challenge == challenge).then_some(()).ok_or("another challenge")
}

async fn view(
    State(sim): State<Shared>,
    params: Params,
) -> Result<Json<Vec<SubscriptionView>>, Refusal> {
    check_client(&sim, &params)?;
    let subscription = sim.lock().subscription.clone();
    let view = |subscription: Subscription| SubscriptionView {
        id: subscription.id,
        resource_state: 2,
        application_id: sim.config.client_id,
        callback_url: subscription.callback.into(),
        created_at: rfc3339(subscription.created_at),
        updated_at: rfc3339(subscription.created_at),
    };
    Ok(Json(subscription.into_iter().map(view).collect()))
}

async fn unsubscribe(
    State(sim): State<Shared>,
    Path(id): Path<String>,
    params: Params,
) -> Result<StatusCode, Refusal> {
    check_client(&sim, &params)?;
    let mut state = sim.lock();
    let known = state.subscription.as_ref().is_some_and(|s| s.id.to_string() == id);
    if !known {
        return Err(Refusal::not_found("PushSubscription"));
    }
    state.subscription = None;
    Ok(StatusCode::NO_CONTENT)
}

/// What a subscriber is sent.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Event {
    object_type: &'static str,
    object_id: u64,
    aspect_type: &'static str,
    /// All values are text, even where they say true or false.
    updates: BTreeMap<&'static str, String>,
    owner_id: u64,
    subscription_id: u64,
    event_time: i64,
}

/// An event and how its delivery went.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    number: u64,
    event: Event,
    /// What came of each attempt: a status, `timeout` or `unreachable`.
    attempts: Vec<String>,
    delivered: bool,
    /// Whether there will be no further attempt.
    finished: bool,
}

/// Announces what an athlete did to an activity, as far as the application may see it.
///
/// An activity that goes out of the application's sight is announced as deleted, and one that comes
/// into it as created. A change of anything but title, type and privacy is not announced.
pub(crate) fn announce_activity(
    sim: &Shared,
    before: Option<&Activity>,
    after: Option<&Activity>,
) -> bool {
    let Some(activity) = after.or(before) else { return false };
    let Some(scopes) = sim.lock().grants.scopes(activity.athlete).cloned() else { return false };
    let in_sight = |activity: &&Activity| {
        scopes.reads_private_activities() || (scopes.reads_activities() && !activity.is_private())
    };
    let (aspect_type, updates) = match (before.filter(in_sight), after.filter(in_sight)) {
        (None, None) => return false,
        (None, Some(_)) => ("create", BTreeMap::new()),
        (Some(_), None) => ("delete", BTreeMap::new()),
        (Some(before), Some(after)) => ("update", updates(before, after)),
    };
    if aspect_type == "update" && updates.is_empty() {
        return false;
    }
    announce(sim, "activity", activity.id, aspect_type, updates, activity.athlete)
}

fn updates(before: &Activity, after: &Activity) -> BTreeMap<&'static str, String> {
    let mut updates = BTreeMap::new();
    if before.name != after.name {
        updates.insert("title", after.name.clone().into_owned());
    }
    if before.sport_type != after.sport_type {
        updates.insert("type", after.sport_type.clone().into_owned());
    }
    if before.is_private() != after.is_private() {
        updates.insert("private", after.is_private().to_string());
    }
    updates
}

/// Announces that an athlete no longer lets the application in.
pub(crate) fn announce_deauthorization(sim: &Shared, athlete: u64) -> bool {
    let updates = BTreeMap::from([("authorized", "false".to_owned())]);
    announce(sim, "athlete", ATHLETE_ID_BASE + athlete, "update", updates, athlete)
}

/// Starts a delivery if there is a subscription; says whether there is.
fn announce(
    sim: &Shared,
    object_type: &'static str,
    object_id: u64,
    aspect_type: &'static str,
    updates: BTreeMap<&'static str, String>,
    owner: u64,
) -> bool {
    let mut state = sim.lock();
    let Some(Subscription { id, callback, .. }) = state.subscription.clone() else { return false };
    let owner_id = ATHLETE_ID_BASE + owner;
    let event_time = sim.now();
    let subscription_id = id;
    let event = Event {
        object_type,
        object_id,
        aspect_type,
        updates,
        owner_id,
        subscription_id,
        event_time,
    };
    state.deliveries_made += 1;
    let number = state.deliveries_made;
    if state.deliveries.len() == REMEMBERED {
        state.deliveries.pop_front();
    }
    let attempts = Vec::new();
    let delivery =
        Delivery { number, event: event.clone(), attempts, delivered: false, finished: false };
    state.deliveries.push_back(delivery);
    drop(state);
    sim.tasks.spawn(deliver(sim.clone(), callback, number, event));
    true
}

async fn deliver(sim: Shared, callback: Url, number: u64, event: Event) {
    for attempt in 1..=ATTEMPTS {
        let outcome = tokio::select! {
            outcome = send(&sim, &callback, &event) => outcome,
            () = sim.shutdown.cancelled() => return,
        };
        let delivered = outcome == "200";
        let finished = delivered || attempt == ATTEMPTS;
        if let Some(delivery) = sim.lock().deliveries.iter_mut().find(|d| d.number == number) {
            delivery.attempts.push(outcome);
            (delivery.delivered, delivery.finished) = (delivered, finished);
        }
        if delivered {
            return;
        }
        if !finished {
            tokio::select! {
                () = tokio::time::sleep(sim.config.webhook_retry_delay) => {}
                () = sim.shutdown.cancelled() => return,
            }
        }
    }
    tracing::warn!(number, object_id = event.object_id, "gave up on delivering an event");
}

async fn send(sim: &Simulation, callback: &Url, event: &Event) -> String {
    let request = sim.http.post(callback.clone()).json(event).timeout(sim.config.webhook_timeout);
    match request.send().await {
        Ok(response) => response.status().as_u16().to_string(),
        Err(error) if error.is_timeout() => "timeout".to_owned(),
        Err(_) => "unreachable".to_owned(),
    }
}
