//! The handshake, the events and their three attempts, against a real receiver.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::{Json, Router, routing};
use reqwest::Method;
use serde_json::{Value, json};
use strava::ATHLETE_ID_BASE;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::world::{MIDNIGHT, World, refusal};

/// A receiver that answers the handshake and then each event with the next status of its script.
struct Receiver {
    url: String,
    events: mpsc::UnboundedReceiver<Value>,
}

#[derive(Clone)]
struct Script {
    statuses: std::sync::Arc<std::sync::Mutex<Vec<u16>>>,
    events: mpsc::UnboundedSender<Value>,
}

/// A status that stands for never answering.
const SILENCE: u16 = 0;

impl Receiver {
    /// `statuses` in the order of the events; afterwards 200.
    async fn start(statuses: &[u16]) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let statuses = statuses.iter().rev().copied().collect();
        let script = Script {
            statuses: std::sync::Arc::new(std::sync::Mutex::new(statuses)),
            events: sender,
        };
        let app =
            Router::new().route("/hook", routing::get(challenge).post(receive)).with_state(script);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, events }
    }

    async fn event(&mut self) -> Value {
        tokio::time::timeout(Duration::from_secs(10), self.events.recv()).await.unwrap().unwrap()
    }
}

async fn challenge(Query(query): Query<HashMap<String, String>>) -> (StatusCode, Json<Value>) {
    if query["hub.mode"] != "subscribe" || query["hub.verify_token"] != "expected" {
        return (StatusCode::FORBIDDEN, Json(Value::Null));
    }
    (StatusCode::OK, Json(json!({ "hub.challenge": query["hub.challenge"] })))
}

async fn receive(State(script): State<Script>, Json(event): Json<Value>) -> StatusCode {
    let status = script.statuses.lock().unwrap().pop().unwrap_or(200);
    script.events.send(event).unwrap();
    if status == SILENCE {
        std::future::pending::<()>().await;
    }
    StatusCode::from_u16(status).unwrap()
}

async fn subscribe(world: &World, url: &str, verify_token: &str) -> (StatusCode, Value) {
    let form = world.client_form(&[("callback_url", url), ("verify_token", verify_token)]);
    let request = world.http.post(world.url("/api/v3/push_subscriptions")).form(&form);
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

/// The record of the latest delivery once it is finished.
async fn finished_delivery(world: &World) -> Value {
    let poll = async {
        loop {
            let deliveries = world.control(Method::GET, "/_sim/deliveries", None).await;
            let latest = deliveries.as_array().unwrap().last().cloned().unwrap();
            if latest["finished"] == true {
                return latest;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), poll).await.unwrap()
}

#[tokio::test]
async fn a_subscription_starts_with_a_handshake_and_there_is_one() {
    let world = World::new().await;
    let receiver = Receiver::start(&[]).await;
    let code = "GET to callback URL does not return 200";
    let unreturned = refusal("Bad Request", ["PushSubscription", "callback url", code]);
    let refused = (StatusCode::BAD_REQUEST, unreturned);
    assert_eq!(subscribe(&world, &receiver.url, "wrong").await, refused);
    assert_eq!(subscribe(&world, "http://127.0.0.1:1/hook", "expected").await, refused);
    let (status, body) = subscribe(&world, &receiver.url, "expected").await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    let id = body["id"].as_u64().unwrap();
    let (status, body) = subscribe(&world, &receiver.url, "expected").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["errors"][0]["code"], "already exists");

    let path = world.url("/api/v3/push_subscriptions");
    let client = world.client_form(&[]);
    let listed = world.http.get(&path).query(&client).send().await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    assert_eq!(listed[0]["id"], id);
    assert_eq!(listed[0]["callback_url"], receiver.url);
    let delete = |id: u64| world.http.delete(format!("{path}/{id}")).query(&client).send();
    assert_eq!(delete(id + 1).await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(delete(id).await.unwrap().status(), StatusCode::NO_CONTENT);
    let listed = world.http.get(&path).query(&client).send().await.unwrap();
    assert_eq!(listed.json::<Value>().await.unwrap(), json!([]));
}

#[tokio::test]
async fn changes_are_announced() {
    let world = World::new().await;
    world.connect(0).await;
    let mut receiver = Receiver::start(&[]).await;
    let (_, subscription) = subscribe(&world, &receiver.url, "expected").await;
    let changed = world.change(0, "create", Value::Null, json!({})).await;
    assert_eq!(changed["announced"], true);
    let id = changed["id"].clone();
    let event = |aspect: &str, updates: Value| {
        json!({
            "object_type": "activity", "object_id": id, "aspect_type": aspect,
            "updates": updates, "owner_id": ATHLETE_ID_BASE,
            "subscription_id": subscription["id"], "event_time": MIDNIGHT,
        })
    };
    assert_eq!(receiver.event().await, event("create", json!({})));
    let edit = json!({ "name": "x", "sport_type": "Ski", "private": true, "distance": 5.0 });
    world.change(0, "update", id.clone(), edit).await;
    let updates = json!({ "title": "x", "type": "Ski", "private": "true" });
    assert_eq!(receiver.event().await, event("update", updates));
    let silent = world.change(0, "update", id.clone(), json!({ "distance": 6.0 })).await;
    assert_eq!(silent["announced"], false);
    world.change(0, "delete", id.clone(), json!({})).await;
    assert_eq!(receiver.event().await, event("delete", json!({})));
    let unconnected = world.change(1, "create", Value::Null, json!({})).await;
    assert_eq!(unconnected["announced"], false);
}

#[tokio::test]
async fn privacy_hides_an_activity_from_an_application_without_the_scope() {
    let world = World::new().await;
    world.connect_with(0, "activity:read").await;
    let mut receiver = Receiver::start(&[]).await;
    subscribe(&world, &receiver.url, "expected").await;
    let id = world.change(0, "create", Value::Null, json!({})).await["id"].clone();
    world.change(0, "update", id.clone(), json!({ "private": true })).await;
    world.change(0, "update", id.clone(), json!({ "name": "unseen" })).await;
    world.change(0, "update", id, json!({ "private": false })).await;
    // Each delivery is a task of its own, so their order is not given.
    let mut aspects = Vec::new();
    for _ in 0..3 {
        aspects.push(receiver.event().await["aspect_type"].as_str().unwrap().to_owned());
    }
    aspects.sort();
    assert_eq!(aspects, ["create", "create", "delete"]);
}

#[tokio::test]
async fn deauthorization_is_announced() {
    let world = World::new().await;
    let tokens = world.connect(0).await;
    let mut receiver = Receiver::start(&[]).await;
    subscribe(&world, &receiver.url, "expected").await;
    let path = format!("/_sim/athletes/{ATHLETE_ID_BASE}/deauthorize");
    let answer = world.control(Method::POST, &path, None).await;
    assert_eq!(answer, json!({ "revoked": true }));
    let event = receiver.event().await;
    assert_eq!(event["object_type"], "athlete");
    assert_eq!(event["object_id"], ATHLETE_ID_BASE);
    assert_eq!(event["updates"], json!({ "authorized": "false" }));
    let response = world.get(&tokens, "/api/v3/athlete").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_event_is_tried_three_times_in_all() {
    let world = World::new().await;
    world.connect(0).await;
    let mut receiver = Receiver::start(&[500, SILENCE, 204, 503, 200]).await;
    subscribe(&world, &receiver.url, "expected").await;
    world.change(0, "create", Value::Null, json!({})).await;
    let delivery = finished_delivery(&world).await;
    assert_eq!(delivery["attempts"], json!(["500", "timeout", "204"]));
    assert_eq!(delivery["delivered"], false);
    world.change(0, "create", Value::Null, json!({})).await;
    let delivery = finished_delivery(&world).await;
    assert_eq!(delivery["attempts"], json!(["503", "200"]));
    assert_eq!(delivery["delivered"], true);
    for _ in 0..5 {
        receiver.event().await;
    }
    assert!(receiver.events.try_recv().is_err(), "there was no further attempt");
}
