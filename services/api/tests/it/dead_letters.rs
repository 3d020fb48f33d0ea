//! Dead letters by HTTP and JSON, of a real broker.

use std::sync::Arc;
use std::time::Duration;

use api_port::sync_v1::{SyncAthlete, SyncReason};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error};
use treaty_nats::{
    Ack, Connection, Delivery, Event as _, Handle, HandlerSpec, HandlerStats, Outgoing,
    Publish as _, PublishOutgoing as _, run_handler,
};

use crate::app::{Running, start_with};
use crate::process::CONSUMER_TOKEN;
use crate::stream::Broker;
use crate::support::eventually;

const DURABLE: &str = "consumer-stravasync-sync-v1-SyncAthlete";

const SPEC: HandlerSpec = HandlerSpec {
    durable: DURABLE,
    stream: SyncAthlete::STREAM,
    event: SyncAthlete::FULL_NAME,
    filter: SyncAthlete::SUBJECTS,
    // One after the other, so that letters stand in the order of their messages.
    concurrency: 1,
    ack_wait: Duration::from_secs(30),
    max_deliver: 3,
    backoff: const { &[Duration::from_millis(20)] },
    ack: Ack::Confirmed,
    ordered_by: &[],
};

/// Knows no athlete until it is mended.
struct Consumer {
    mended: bool,
}

#[async_trait]
impl Handle<SyncAthlete> for Consumer {
    async fn handle(&self, _: &Delivery, _: SyncAthlete) -> Result<(), Error> {
        if self.mended {
            Ok(())
        } else {
            Err(Error::new(Code::NotFound, "there is no such athlete"))
        }
    }
}

fn athlete(number: u32) -> String {
    format!("0198c1a5-0000-7000-8000-{number:012}")
}

async fn publish(connection: &Connection, number: u32) {
    let job = SyncAthlete {
        athlete_id: athlete(number),
        request_id: "r1".to_owned(),
        reason: SyncReason::User.into(),
        ..SyncAthlete::default()
    };
    connection.publisher::<SyncAthlete>().publish(&job).await.unwrap();
}

/// A job that no version of the consumer can read.
async fn publish_garbage(connection: &Connection) {
    let garbage = Outgoing {
        subject: "athlete.sync.nobody".to_owned(),
        message_id: None,
        event: SyncAthlete::FULL_NAME.to_owned(),
        payload: b"\xff\xff!".as_slice().into(),
        traceparent: None,
    };
    connection.publisher::<SyncAthlete>().publish_outgoing(&garbage).await.unwrap();
}

/// Runs the consumer until it has answered so many messages, done and set aside.
async fn consume(connection: &Connection, mended: bool, done: u64, dead: u64) {
    let (stop, stats) = (CancellationToken::new(), Arc::new(HandlerStats::default()));
    let running = tokio::spawn(run_handler::<SyncAthlete, _>(
        connection.clone(),
        &SPEC,
        Arc::new(Consumer { mended }),
        stop.clone(),
        Arc::clone(&stats),
    ));
    let counts = || (stats.snapshot().acked, stats.snapshot().dead_lettered);
    eventually("the consumer is through", async || counts() == (done, dead)).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(counts(), (done, dead));
}

async fn numbers(api: &Running, filter: &str) -> Vec<String> {
    let (status, listed) = api.get(&format!("/v1/dead-letters?{filter}")).await;
    assert_eq!(status, 200, "{listed}");
    let letters = listed["deadLetters"].as_array().cloned().unwrap_or_default();
    letters.iter().map(|letter| letter["number"].as_str().unwrap().to_owned()).collect()
}

/// Outcomes as pairs of number and result.
fn results(answer: &Value) -> Vec<(&str, &str)> {
    let outcomes = answer["outcomes"].as_array().unwrap();
    outcomes
        .iter()
        .map(|one| (one["number"].as_str().unwrap(), one["result"].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_look_at_letters_drive_them_again_and_discard_them() {
    let broker = Broker::start().await;
    let connection = broker.connect().await;
    let api = start_with(broker.url(), json!({"nats": {"url": broker.url()}})).await;
    assert_eq!(numbers(&api, "").await, Vec::<String>::new(), "no handler has failed yet");
    for number in 0..5 {
        publish(&connection, number).await;
    }
    publish_garbage(&connection).await;
    consume(&connection, false, 0, 6).await;

    look(&api, &connection).await;
    drive_again(&api, &connection).await;
    discard(&api, &connection).await;
    api.judge_answers().await;
    api.stop().await;
}

async fn look(api: &Running, connection: &Connection) {
    // Page by page, while another letter comes: the pages are those of the beginning.
    let (_, first) = api.get("/v1/dead-letters?pageSize=4").await;
    publish(connection, 5).await;
    consume(connection, false, 0, 1).await;
    let token = first["nextPageToken"].as_str().unwrap();
    let (_, second) = api.get(&format!("/v1/dead-letters?pageSize=4&pageToken={token}")).await;
    let sizes = [&first, &second].map(|page| page["deadLetters"].as_array().unwrap().len());
    assert_eq!((sizes, second["nextPageToken"].as_str().unwrap_or_default()), ([4, 2], ""));
    let letter = &first["deadLetters"][0];
    assert_eq!(letter["handler"], DURABLE, "{letter}");
    assert_eq!(letter["reason"], "NOT_FOUND: there is no such athlete");
    assert_eq!(letter["subject"], format!("athlete.sync.{}", athlete(0)));
    assert_eq!(
        (&letter["attempts"], &letter["event"]),
        (&json!("1"), &json!(SyncAthlete::FULL_NAME))
    );
    assert!(letter["payloadBytes"].as_str().unwrap().parse::<u64>().unwrap() > 36, "{letter}");

    assert_eq!(numbers(api, "").await.len(), 7);
    assert_eq!(numbers(api, "filter.reason=NOT_FOUND").await.len(), 6);
    assert_eq!(
        numbers(api, &format!("filter.handler={DURABLE}&filter.stream=athlete")).await.len(),
        7
    );
    assert_eq!(numbers(api, "filter.handler=another").await.len(), 0);

    let number = letter["number"].as_str().unwrap();
    let (status, shown) = api.get(&format!("/v1/dead-letters/{number}")).await;
    assert_eq!((status, &shown["json"]["athleteId"]), (200, &json!(athlete(0))), "{shown}");
    let event = json!({"name": "Treaty-Event", "value": SyncAthlete::FULL_NAME});
    assert!(shown["headers"].as_array().unwrap().contains(&event), "{shown}");
    let garbage = numbers(api, "filter.reason=INVALID_ARGUMENT").await.remove(0);
    let (_, shown) = api.get(&format!("/v1/dead-letters/{garbage}")).await;
    assert_eq!(shown["undecoded"], "//8h", "{shown}");
}

async fn drive_again(api: &Running, connection: &Connection) {
    let path = "/v1/dead-letters:redrive";
    let early = json!({"reason": "NOT_FOUND"});
    let (status, would) = api.operate(path, json!({"filter": early, "dryRun": true})).await;
    assert_eq!(status, 200, "{would}");
    let would: Vec<_> = results(&would).iter().map(|(_, result)| result.to_string()).collect();
    assert_eq!(would, vec!["REDRIVE_RESULT_WOULD_BE_DRIVEN"; 6]);
    assert_eq!(numbers(api, "").await.len(), 7, "a dry run changes nothing");

    // What nobody would handle is kept, and said to be.
    let all = numbers(api, "filter.reason=NOT_FOUND").await;
    let lost = json!({"numbers": [all[0], "999"], "toHandler": "nobody"});
    let (_, kept) = api.operate(path, lost).await;
    let expected = [(all[0].as_str(), "REDRIVE_RESULT_KEPT"), ("999", "REDRIVE_RESULT_MISSING")];
    assert_eq!(results(&kept), expected);
    let problem = kept["outcomes"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("consumer nobody of stream athlete does not exist"), "{problem}");

    // By number, then the rest by pages, as long as there is a token.
    let (_, one) = api.operate(path, json!({"numbers": [all[0]]})).await;
    assert_eq!(results(&one), [(all[0].as_str(), "REDRIVE_RESULT_DRIVEN")]);
    let mut driven = Vec::new();
    let mut token = String::new();
    loop {
        let page = json!({"filter": early, "limit": 2, "token": token});
        let (status, answer) = api.operate(path, page).await;
        assert_eq!(status, 200, "{answer}");
        driven.extend(results(&answer).iter().map(|(number, _)| (*number).to_owned()));
        token = answer["nextToken"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(driven, all[1..]);
    consume(connection, true, 6, 0).await;
    assert_eq!(numbers(api, "filter.reason=NOT_FOUND").await.len(), 0);
}

async fn discard(api: &Running, connection: &Connection) {
    let path = "/v1/dead-letters:discard";
    publish(connection, 9).await;
    consume(connection, false, 0, 1).await;
    let all = numbers(api, "").await;
    assert_eq!(all.len(), 2);
    let (_, would) = api.operate(path, json!({"filter": {}, "dryRun": true})).await;
    assert_eq!(would["numbers"], json!(all));
    let (_, gone) = api.operate(path, json!({"numbers": [all[0], "999"]})).await;
    assert_eq!(gone["numbers"], json!([all[0]]));
    let (_, gone) = api.operate(path, json!({"filter": {"reason": "NOT_FOUND"}})).await;
    assert_eq!(gone["numbers"], json!([all[1]]));
    assert_eq!(numbers(api, "").await.len(), 0);
    assert_eq!(api.get(&format!("/v1/dead-letters/{}", all[1])).await.0, 404);
}

#[tokio::test]
async fn what_is_not_granted_or_makes_no_sense_is_refused_by_name() {
    let broker = Broker::start().await;
    let api = start_with(broker.url(), json!({})).await;
    // A deployable is known and not admitted, whatever it may do at the broker.
    assert_eq!(api.get_as(CONSUMER_TOKEN, "/v1/dead-letters").await.0, 403);
    assert_eq!(api.get_as("not-a-known-token", "/v1/dead-letters").await.0, 401);
    for path in ["/v1/dead-letters", "/v1/dead-letters/1"] {
        let (status, body) = api.get(path).await;
        let message = body["message"].as_str().unwrap();
        assert_eq!((status, &body["code"]), (400, &json!(9)), "{body}");
        assert!(message.contains("operations.nats.user"), "{body}");
    }
    for (body, field) in [
        (json!({"filter": {"reason": "NOTFOUND"}}), "filter.reason"),
        (json!({"filter": {}, "token": "x"}), "token"),
        (json!({"numbers": ["1"], "limit": 5}), "limit"),
        (json!({"numbers": ["0"]}), "numbers[0]"),
    ] {
        for verb in ["redrive", "discard"] {
            let (status, answer) =
                api.operate(&format!("/v1/dead-letters:{verb}"), body.clone()).await;
            assert_eq!(status, 400, "{answer}");
            assert_eq!(answer["details"][0]["fieldViolations"][0]["field"], field, "{answer}");
        }
    }
    for body in [json!({}), json!({"filter": {}, "numbers": ["1"]})] {
        let (status, answer) = api.operate("/v1/dead-letters:discard", body).await;
        assert_eq!((status, &answer["code"]), (400, &json!(3)), "{answer}");
        assert!(answer.to_string().contains("either numbers or a filter"), "{answer}");
    }
    api.stop().await;
}
