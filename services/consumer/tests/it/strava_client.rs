//! The client against the simulator, which fails as the real one does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use consumer::config::StravaConfig;
use consumer::errand::Errand;
use consumer::strava::{ActivityPages as _, Page, PageQuery, Quota, StravaClient, StravaError};
use consumer_port::quota_v1::CallPriority;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use strava::{RateLimits, SimulatorConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Disposition, Error};
use url::Url;

use crate::quota::RoomyQuota;
use crate::simulator::{Strava, config, digest};

const SCOPE: &str = "read,activity:read_all";

/// A client, and what counts its calls.
struct Client {
    client: StravaClient,
    quota: Arc<RoomyQuota>,
}

impl Client {
    fn new(config: &StravaConfig) -> Self {
        let quota = Arc::new(RoomyQuota::default());
        let counted = Arc::new(Quota::new(quota.clone(), CancellationToken::new()));
        Self { client: StravaClient::new(config, counted).unwrap(), quota }
    }

    /// As [`new`](Self::new), but repeats nothing.
    fn once(config: StravaConfig) -> Self {
        Self::new(&StravaConfig { attempts: 1, ..config })
    }

    async fn page(&self, token: &SecretString, page: u32) -> Result<Page, StravaError> {
        self.list(token, PageQuery { page, ..PageQuery::default() }).await
    }

    async fn list(&self, token: &SecretString, query: PageQuery) -> Result<Page, StravaError> {
        let errand = Errand::new(CallPriority::Background, Duration::from_secs(60));
        self.client.page(&errand, token, query).await
    }
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
        let client = Client::new(&strava.client_config(page_size));
        let mut activities = Vec::new();
        let mut number = 1;
        loop {
            let page = client.page(&token, number).await.unwrap();
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
async fn every_trouble_that_may_pass_is_unavailable() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(0, SCOPE).await;
    let client = Client::once(strava.client_config(200));
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
        let error = outcome(client.page(&token, 1).await.unwrap_err(), &token);
        assert_eq!(error.code(), Code::Unavailable, "{plan}");
        assert_eq!(source(&error), has_source, "{plan}: {error:?}");
    }
    strava.faults(json!({})).await;
    assert_eq!(client.page(&token, 1).await.unwrap().activities.len(), 25);
}

#[tokio::test]
async fn a_call_that_fails_at_once_is_repeated_and_each_repeat_takes_quota() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(0, SCOPE).await;
    let client = Client::new(&strava.client_config(200));
    for fault in ["error_rate", "html_rate", "malformed_body_rate", "truncate_rate", "drop_rate"] {
        let before = client.quota.reserved();
        strava.faults(json!({ fault: 1.0, "times": 2 })).await;
        assert_eq!(client.page(&token, 1).await.unwrap().activities.len(), 25, "{fault}");
        assert_eq!(client.quota.reserved() - before, 3, "{fault}");
        // Successes pay for repeats.
        for _ in 0..20 {
            client.page(&token, 1).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_storm_of_failures_is_not_made_worse() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(0, SCOPE).await;
    let client = Client::new(&strava.client_config(200));
    strava.faults(json!({ "error_rate": 1.0, "error_status": 500 })).await;
    let before = strava.requests().await;
    for _ in 0..40 {
        assert!(client.page(&token, 1).await.is_err());
    }
    let asked = strava.requests().await - before;
    assert!((40..=45).contains(&asked), "{asked} requests for 40 pages");
}

#[tokio::test]
async fn a_slow_answer_ends_at_its_timeout_and_is_not_asked_for_again() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(0, SCOPE).await;
    for (plan, silence, whole) in [
        (json!({ "slow_first_byte_rate": 1.0, "slow_first_byte_ms": 60_000 }), 1, 30),
        // A byte a second is never silent for long.
        (json!({ "drip_rate": 1.0, "drip_ms": 1_000 }), 10, 2),
    ] {
        strava.faults(plan.clone()).await;
        let client = Client::new(&StravaConfig {
            read_timeout_seconds: silence,
            timeout_seconds: whole,
            ..strava.client_config(200)
        });
        let begun = Instant::now();
        let error = outcome(client.page(&token, 1).await.unwrap_err(), &token);
        let took = begun.elapsed().as_secs_f64();
        assert_eq!(error.code(), Code::Unavailable, "{plan}");
        let timeout = silence.min(whole) as f64;
        assert!((timeout..timeout + 1.5).contains(&took), "{plan}: {took} s");
        assert_eq!(client.quota.reserved(), 1);
    }
}

#[tokio::test]
async fn a_shuffled_page_has_all_its_activities() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(1, SCOPE).await;
    let client = Client::new(&strava.client_config(200));
    strava.faults(json!({ "shuffle_rate": 1.0 })).await;
    let page = client.page(&token, 1).await.unwrap();
    assert!(!page.activities.is_sorted_by_key(|a| std::cmp::Reverse(a.activity_id)));
    assert_eq!(digest(&page.activities), strava.digests().await[1]);
}

#[tokio::test]
async fn bounds_in_time_are_strava_s_own() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(1, SCOPE).await;
    let client = Client::new(&strava.client_config(200));
    let all = client.page(&token, 1).await.unwrap().activities;
    let start = |place: usize| all[place].start_time.as_ref().unwrap().seconds;
    let ids = |page: Page| page.activities.iter().map(|a| a.activity_id).collect::<Vec<_>>();
    // Both bounds are exclusive, and with `after` the oldest comes first.
    let after = PageQuery { after: Some(start(10)), page: 1, ..PageQuery::default() };
    let mut newer: Vec<_> = all[..10].iter().map(|a| a.activity_id).collect();
    newer.reverse();
    assert_eq!(ids(client.list(&token, after).await.unwrap()), newer);
    let before = PageQuery { before: Some(start(20)), page: 1, ..PageQuery::default() };
    let older: Vec<_> = all[21..].iter().map(|a| a.activity_id).collect();
    assert_eq!(ids(client.list(&token, before).await.unwrap()), older);
}

#[tokio::test]
async fn a_token_that_has_expired_and_one_that_does_not_suffice_differ() {
    let strava = Strava::start(config()).await;
    let client = Client::new(&strava.client_config(200));
    let narrow = strava.consent(1, "read").await;
    let error = client.page(&narrow, 1).await.unwrap_err();
    assert!(matches!(error, StravaError::MissingPermission));
    assert_eq!(outcome(error, &narrow).code(), Code::FailedPrecondition);

    let token = strava.consent(0, SCOPE).await;
    assert!(client.page(&token, 1).await.is_ok());
    strava.expire_tokens().await;
    let error = client.page(&token, 1).await.unwrap_err();
    assert!(matches!(error, StravaError::TokenRefused));
    let error = outcome(error, &token);
    assert_eq!(error.code(), Code::Unauthenticated);
    assert_eq!(error.code().disposition(), Disposition::Retry);
}

#[tokio::test]
async fn what_the_headers_say_is_learnt_and_a_429_waits_and_asks_again() {
    let limits = RateLimits { read_quarter_hour: 2, ..RateLimits::UNLIMITED };
    let strava = Strava::start(SimulatorConfig { limits, ..config() }).await;
    let token = strava.consent(0, SCOPE).await;
    let client = Client::new(&strava.client_config(200));
    assert!(client.page(&token, 1).await.is_ok());
    assert!(client.page(&token, 2).await.is_ok());
    assert!(client.quota.reports().is_empty(), "nobody waits for these");

    // Somebody else has used the quota up: the refusal is told, and the call waits in place.
    let refused = async {
        while client.quota.reports().is_empty() {
            client.quota.spend(true);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        strava.clock.advance(900);
        client.quota.spend(false);
    };
    let errand = Errand::new(CallPriority::Background, Duration::from_secs(60));
    let query = PageQuery { page: 1, ..PageQuery::default() };
    client.quota.spend(false);
    let (page, ()) = tokio::join!(client.client.page(&errand, &token, query), refused);
    assert_eq!(page.unwrap().activities.len(), 25);
    let report = client.quota.reports()[0];
    assert!(report.refused);
    assert_eq!(report.window_start_time.unwrap().seconds, 900, "the window that was reserved");
    let reads = report.read_window.unwrap();
    assert_eq!((reads.limit, reads.used), (2, 3), "a refused call counts");
}

#[tokio::test]
async fn a_call_waits_while_the_quota_is_spent_and_its_time_stands_still() {
    let strava = Strava::start(config()).await;
    let token = strava.consent(0, SCOPE).await;
    let client = Client::new(&strava.client_config(200));
    client.quota.spend(true);
    let asked = strava.requests().await;
    // Far less than the wait.
    let errand = Errand::new(CallPriority::Background, Duration::from_millis(400));
    let open = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert!(client.quota.asked() > 10);
        assert_eq!(strava.requests().await, asked, "nobody asks Strava meanwhile");
        client.quota.spend(false);
    };
    let query = PageQuery { page: 1, ..PageQuery::default() };
    let work = async {
        let page = client.client.page(&errand, &token, query).await;
        page.map_err(Error::from)
    };
    let (page, ()) = tokio::join!(errand.bound(work), open);
    assert_eq!(page.unwrap().activities.len(), 25);
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
    let client = Client::once(serve_once(answer.into()).await);
    outcome(client.page(&token, 1).await.unwrap_err(), &token)
}

#[tokio::test]
async fn statuses_decide() {
    for (status, code) in [
        (302, Code::Unavailable),
        (400, Code::FailedPrecondition),
        (403, Code::FailedPrecondition),
        (404, Code::FailedPrecondition),
        (408, Code::Unavailable),
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
    let client = Client::once(StravaConfig { api_base_url, ..StravaConfig::default() });
    let token = SecretString::from("a-token-nobody-may-see");
    let error = outcome(client.page(&token, 1).await.unwrap_err(), &token);
    assert_eq!(error.code(), Code::Unavailable);
}
