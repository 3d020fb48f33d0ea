//! The client against the simulator, which fails as the real one does.

use std::time::Duration;

use consumer::config::StravaConfig;
use consumer::strava::{ActivityPages, PageQuery, StravaClient, StravaError};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use strava::{RateLimits, SimulatorConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use treaty_error::{Code, Disposition, Error};
use url::Url;

use crate::simulator::{Strava, config, digest};

const SCOPE: &str = "read,activity:read_all";

fn numbered(page: u32) -> PageQuery {
    PageQuery { page, ..PageQuery::default() }
}

/// The error as it leaves, after a look whether any form of it shows the token.
fn outcome(error: StravaError, token: &SecretString) -> Error {
    let mut shown = format!("{error} {error:?}");
    let error = Error::from(error);
    shown.push_str(&format!("{error} {error:?} {}", error.chain()));
    assert!(!shown.contains(token.expose_secret()), "{shown}");
    assert!(!shown.contains("per_page"), "{shown}");
    error
}

#[tokio::test]
async fn pages_lead_to_the_empty_one_and_nothing_is_lost() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(1, SCOPE).await;
    for (page_size, pages) in [(7, 4), (25, 1), (200, 1)] {
        let client = StravaClient::new(&strava.client_config(page_size)).unwrap();
        let mut activities = Vec::new();
        let mut number = 1;
        loop {
            let page = client.page(&token, numbered(number)).await.unwrap();
            assert!(page.skipped.is_empty());
            if page.is_empty() {
                break;
            }
            activities.extend(page.activities);
            number += 1;
        }
        assert_eq!((number - 1, activities.len()), (pages, 25));
        assert!(activities.is_sorted_by_key(|a| std::cmp::Reverse(a.activity_id)));
        assert_eq!(digest(&activities), strava.digests().await[1]);
    }
}

#[tokio::test]
async fn bounds_are_exclusive_and_a_lower_one_turns_the_order() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(1, SCOPE).await;
    let client = StravaClient::new(&strava.client_config(200)).unwrap();
    let all = client.page(&token, numbered(1)).await.unwrap().activities;
    let start = |place: usize| all[place].start_time.as_ref().unwrap().seconds;
    let (newer, older) = (start(5), start(15));
    let ids = async |query: PageQuery| -> Vec<i64> {
        let page = client.page(&token, query).await.unwrap();
        page.activities.iter().map(|activity| activity.activity_id).collect()
    };
    let expected = |places: std::ops::Range<usize>| -> Vec<i64> {
        all[places].iter().map(|activity| activity.activity_id).collect()
    };
    assert_eq!(ids(PageQuery { before: Some(newer), ..numbered(1) }).await, expected(6..25));
    let mut between = ids(PageQuery { before: Some(newer), after: Some(older), page: 1 }).await;
    between.reverse();
    assert_eq!(between, expected(6..15));
}

#[tokio::test]
async fn every_trouble_that_may_pass_is_unavailable() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(0, SCOPE).await;
    let client = StravaClient::new(&strava.client_config(200)).unwrap();
    let source = |error: &Error| std::error::Error::source(error).is_some();
    for (plan, has_source) in [
        (json!({ "error_rate": 1.0 }), false),
        (json!({ "error_rate": 1.0, "error_status": 500 }), false),
        (json!({ "html_rate": 1.0 }), true),
        (json!({ "malformed_body_rate": 1.0 }), true),
        (json!({ "truncate_rate": 1.0 }), true),
        (json!({ "drop_rate": 1.0 }), true),
    ] {
        strava.faults(plan.clone()).await;
        let error = outcome(client.page(&token, numbered(1)).await.unwrap_err(), &token);
        assert_eq!(error.code(), Code::Unavailable, "{plan}");
        assert_eq!(source(&error), has_source, "{plan}: {error:?}");
    }
    strava.faults(json!({})).await;
    assert_eq!(client.page(&token, numbered(1)).await.unwrap().activities.len(), 25);
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(0, SCOPE).await;
    strava.faults(json!({ "slow_first_byte_rate": 1.0, "slow_first_byte_ms": 60_000 })).await;
    let config = StravaConfig { read_timeout_seconds: 1, ..strava.client_config(200) };
    let client = StravaClient::new(&config).unwrap();
    let error = outcome(client.page(&token, numbered(1)).await.unwrap_err(), &token);
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_token_that_has_expired_and_one_that_does_not_suffice_differ() {
    let strava = Strava::start(config()).await;
    let client = StravaClient::new(&strava.client_config(200)).unwrap();
    let narrow = strava.consent(1, "read").await;
    let error = client.page(&narrow, numbered(1)).await.unwrap_err();
    assert!(matches!(error, StravaError::MissingPermission));
    assert_eq!(outcome(error, &narrow).code(), Code::FailedPrecondition);

    let token = strava.consent(0, SCOPE).await;
    assert!(client.page(&token, numbered(1)).await.is_ok());
    strava.expire_tokens().await;
    let error = client.page(&token, numbered(1)).await.unwrap_err();
    assert!(matches!(error, StravaError::TokenRefused));
    let error = outcome(error, &token);
    assert_eq!(error.code(), Code::Unauthenticated);
    assert_eq!(error.code().disposition(), Disposition::Retry);
}

#[tokio::test]
async fn a_spent_quota_closes_the_gate_before_more_is_wasted() {
    let limits = RateLimits { read_quarter_hour: 2, ..RateLimits::UNLIMITED };
    let strava = Strava::start(SimulatorConfig { limits, ..config() }).await;
    let token = strava.consent(0, SCOPE).await;
    let client = StravaClient::new(&strava.client_config(200)).unwrap();
    assert!(client.page(&token, numbered(1)).await.is_ok());
    assert!(client.page(&token, numbered(2)).await.is_ok());
    let asked = strava.requests().await;
    for _ in 0..3 {
        let error = outcome(client.page(&token, numbered(3)).await.unwrap_err(), &token);
        assert_eq!(error.code(), Code::ResourceExhausted);
        assert!(error.retry_after().unwrap() <= Duration::from_secs(902));
    }
    assert_eq!(strava.requests().await, asked, "a refused call would count too");
}

#[tokio::test]
async fn a_429_waits_for_the_window_that_is_spent() {
    let pinned = json!({ "rate_limited_until": 4_000_000_000_i64 });
    for (limits, plan, least, most) in [
        // Headers that tell nothing mean the shorter window.
        (RateLimits::UNLIMITED, pinned, 1, 902),
        // A daily quota of nothing is spent by the first call.
        (RateLimits { daily: 0, ..RateLimits::UNLIMITED }, json!({}), 1, 86_402),
    ] {
        let strava = Strava::start(SimulatorConfig { limits, ..config() }).await;
        let token = strava.consent(0, SCOPE).await;
        strava.faults(plan).await;
        let client = StravaClient::new(&strava.client_config(200)).unwrap();
        let error = client.page(&token, numbered(1)).await.unwrap_err();
        assert!(matches!(error, StravaError::RateLimited { .. }));
        let wait = outcome(error, &token).retry_after().unwrap().as_secs();
        assert!((least..=most).contains(&wait), "{wait}");
    }
}

/// Answers one request with these bytes.
async fn serve_once(answer: Vec<u8>) -> StravaConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        // The client may hang up when it has read enough.
        let _ = stream.write_all(&answer).await;
    });
    let api_base_url = Url::parse(&format!("http://{address}")).unwrap();
    StravaConfig { api_base_url, ..StravaConfig::default() }
}

async fn asked_of(answer: impl Into<Vec<u8>>) -> Error {
    treaty_service::crypto::install();
    let token = SecretString::from("a-token-nobody-may-see");
    let client = StravaClient::new(&serve_once(answer.into()).await).unwrap();
    outcome(client.page(&token, numbered(1)).await.unwrap_err(), &token)
}

#[tokio::test]
async fn statuses_decide() {
    for (status, code) in [
        (302, Code::Unavailable),
        (400, Code::FailedPrecondition),
        (403, Code::FailedPrecondition),
        (404, Code::FailedPrecondition),
        (408, Code::Unavailable),
        (429, Code::ResourceExhausted),
        (599, Code::Unavailable),
    ] {
        let elsewhere = "location: http://192.0.2.1/\r\n";
        let answer = format!("HTTP/1.1 {status} X\r\n{elsewhere}content-length: 2\r\n\r\n[]");
        assert_eq!(asked_of(answer).await.code(), code, "{status}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let body = vec![b' '; 9 * 1024 * 1024];
    let mut answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    answer.extend(body);
    let error = asked_of(answer).await;
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("longer"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    treaty_service::crypto::install();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api_base_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let client =
        StravaClient::new(&StravaConfig { api_base_url, ..StravaConfig::default() }).unwrap();
    let token = SecretString::from("a-token-nobody-may-see");
    let error = outcome(client.page(&token, numbered(1)).await.unwrap_err(), &token);
    assert_eq!(error.code(), Code::Unavailable);
}
