use std::sync::atomic::{AtomicUsize, Ordering};

use api_port::sync_v1::SyncAthlete;
use chrono::{DateTime, Utc};
use treaty_error::{Code, Error};
use treaty_secrets::SecretsError;

use super::*;
use crate::connections::Grant;
use crate::connections::repository::MockConnectionsRepository;
use crate::connections::strava::MockStravaOAuth;
use crate::connections::tokens::{MockLockedTokens, MockTokenStore};

const NOW: i64 = 1_800_000_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

fn pair(name: &str, seconds: i64) -> TokenPair {
    TokenPair {
        access_token: format!("{name}-access").into(),
        refresh_token: format!("{name}-refresh").into(),
        expires_at: now() + TimeDelta::seconds(seconds),
    }
}

fn stored(seconds: i64) -> StoredTokens {
    StoredTokens {
        tokens: pair("old", seconds),
        strava_athlete_id: 7,
        received_at: now() - TimeDelta::hours(1),
    }
}

fn service(
    repository: MockConnectionsRepository,
    tokens: MockTokenStore,
    strava: MockStravaOAuth,
) -> Connections {
    let settings = ConnectionsSettings {
        consent_lifetime: Duration::from_secs(600),
        least_lifetime: Duration::from_secs(300),
        concurrent_refreshes: 2,
    };
    let clock: Clock = Arc::new(now);
    Connections::new(Arc::new(repository), Arc::new(tokens), Arc::new(strava), settings, clock)
}

fn answer() -> ConsentAnswer {
    ConsentAnswer {
        state: "state".to_owned().into(),
        code: "code".to_owned().into(),
        scope: "read,activity:read".to_owned(),
        error: String::new(),
    }
}

fn code(error: ConnectionsError) -> Code {
    Error::from(error).code()
}

#[tokio::test]
async fn a_consent_keeps_a_digest_and_sends_the_state() {
    let mut repository = MockConnectionsRepository::new();
    repository
        .expect_begin_consent()
        .withf(|_, digest, at, until| {
            *digest != [0; 32] && *at == now() && *until == now() + TimeDelta::seconds(600)
        })
        .returning(|_, _, _, _| Ok(()));
    let mut strava = MockStravaOAuth::new();
    strava.expect_authorize_url().returning(|state| state.expose_secret().to_owned());
    let service = service(repository, MockTokenStore::new(), strava);
    let one = service.start_consent(Uuid::nil()).await.unwrap();
    let other = service.start_consent(Uuid::nil()).await.unwrap();
    assert_eq!(one.len(), 43, "256 bits in base64url");
    assert_ne!(one, other);
}

#[tokio::test]
async fn a_consent_connects_and_promises_the_first_sync() {
    let athlete = Uuid::now_v7();
    let mut repository = MockConnectionsRepository::new();
    repository.expect_take_consent().returning(move |_, _| Ok(Some(athlete)));
    repository
        .expect_connect()
        .withf(move |connection, FirstSync(job)| {
            connection.athlete_id == athlete
                && connection.grant.strava_athlete_id == 7
                && connection.scopes == ["read", "activity:read"]
                && job.subject == format!("athlete.sync.{athlete}")
                && job.event == <SyncAthlete as treaty_nats::Event>::FULL_NAME
        })
        .times(1)
        .returning(|_, _| Ok(()));
    let mut strava = MockStravaOAuth::new();
    strava
        .expect_exchange_code()
        .returning(|_| Ok(Grant { tokens: pair("new", 21_600), strava_athlete_id: 7 }));
    let service = service(repository, MockTokenStore::new(), strava);
    assert_eq!(service.complete_consent(answer()).await.unwrap(), athlete);
}

#[tokio::test]
async fn a_consent_that_went_wrong_never_reaches_strava() {
    let cases = [
        (ConsentAnswer { error: "access_denied".to_owned(), ..answer() }, Code::FailedPrecondition),
        (ConsentAnswer { code: String::new().into(), ..answer() }, Code::InvalidArgument),
        (ConsentAnswer { scope: "read".to_owned(), ..answer() }, Code::FailedPrecondition),
        (ConsentAnswer { scope: String::new(), ..answer() }, Code::FailedPrecondition),
    ];
    for (answer, expected) in cases {
        let mut repository = MockConnectionsRepository::new();
        repository.expect_take_consent().times(1).returning(|_, _| Ok(Some(Uuid::nil())));
        let service = service(repository, MockTokenStore::new(), MockStravaOAuth::new());
        assert_eq!(code(service.complete_consent(answer).await.unwrap_err()), expected);
    }
    let mut repository = MockConnectionsRepository::new();
    repository.expect_take_consent().returning(|_, _| Ok(None));
    let service = service(repository, MockTokenStore::new(), MockStravaOAuth::new());
    let error = Error::from(service.complete_consent(answer()).await.unwrap_err());
    assert_eq!(error.violations()[0].field, "state");
}

#[tokio::test]
async fn a_token_that_lasts_is_handed_out_as_it_is() {
    let mut tokens = MockTokenStore::new();
    tokens.expect_read().returning(|_| Ok(Some(stored(301))));
    let service = service(MockConnectionsRepository::new(), tokens, MockStravaOAuth::new());
    let token = service.access_token(Uuid::nil(), None).await.unwrap();
    assert_eq!(token.tokens.access_token.expose_secret(), "old-access");
    assert_eq!(token.strava_athlete_id, 7);
}

#[tokio::test]
async fn without_a_connection_the_athlete_must_consent() {
    for (known, expected) in [(false, Code::NotFound), (true, Code::FailedPrecondition)] {
        let mut tokens = MockTokenStore::new();
        tokens.expect_read().returning(|_| Ok(None));
        tokens.expect_athlete_exists().returning(move |_| Ok(known));
        let service = service(MockConnectionsRepository::new(), tokens, MockStravaOAuth::new());
        assert_eq!(code(service.access_token(Uuid::nil(), None).await.unwrap_err()), expected);
    }
}

/// A store whose tokens end soon, and whose lock is prepared by the test.
fn ending_tokens(lock: impl Fn() -> MockLockedTokens + Send + Sync + 'static) -> MockTokenStore {
    let mut tokens = MockTokenStore::new();
    tokens.expect_read().returning(|_| Ok(Some(stored(300))));
    tokens.expect_lock().returning(move |_| Ok(Some(Box::new(lock()))));
    tokens
}

#[tokio::test]
async fn a_token_that_ends_soon_is_refreshed_and_kept_before_it_is_handed_out() {
    let kept = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&kept);
    let tokens = ending_tokens(move || {
        let count = Arc::clone(&count);
        let mut locked = MockLockedTokens::new();
        locked.expect_stored().return_const(stored(300));
        locked.expect_replace().returning(move |tokens| {
            assert_eq!(tokens.refresh_token.expose_secret(), "new-refresh");
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        locked
    });
    let mut strava = MockStravaOAuth::new();
    strava.expect_refresh().times(1).returning(|_| Ok(pair("new", 21_600)));
    let service = service(MockConnectionsRepository::new(), tokens, strava);
    let token = service.access_token(Uuid::nil(), None).await.unwrap();
    assert_eq!(token.tokens.access_token.expose_secret(), "new-access");
    assert_eq!(kept.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn who_waited_for_the_lock_does_not_refresh_again() {
    let tokens = ending_tokens(|| {
        let mut locked = MockLockedTokens::new();
        locked.expect_stored().return_const(stored(21_600));
        locked
    });
    let service = service(MockConnectionsRepository::new(), tokens, MockStravaOAuth::new());
    assert!(service.access_token(Uuid::nil(), None).await.is_ok());
}

#[tokio::test]
async fn only_an_invalid_grant_ends_the_connection() {
    for (failure, revoked, expected) in [
        (StravaError::InvalidGrant, 1, Code::FailedPrecondition),
        (StravaError::RateLimited, 0, Code::ResourceExhausted),
        (StravaError::Unavailable("down".into()), 0, Code::Unavailable),
        (StravaError::Unexpected("status 401".into()), 0, Code::Internal),
    ] {
        let tokens = ending_tokens(move || {
            let mut locked = MockLockedTokens::new();
            locked.expect_stored().return_const(stored(300));
            locked.expect_revoke().times(revoked).returning(|| Ok(()));
            locked
        });
        let mut strava = MockStravaOAuth::new();
        strava.expect_refresh().return_once(|_| Err(failure));
        let service = service(MockConnectionsRepository::new(), tokens, strava);
        assert_eq!(code(service.access_token(Uuid::nil(), None).await.unwrap_err()), expected);
    }
}

fn met(token: &str) -> Option<RejectedToken> {
    Some(RejectedToken(digest(&token.to_owned().into())))
}

#[tokio::test]
async fn a_rejected_token_is_refreshed_although_it_should_last() {
    let mut tokens = MockTokenStore::new();
    tokens.expect_read().returning(|_| Ok(Some(stored(9999))));
    tokens.expect_lock().times(1).returning(|_| {
        let mut locked = MockLockedTokens::new();
        locked.expect_stored().return_const(stored(9999));
        locked.expect_replace().times(1).returning(|_| Ok(()));
        Ok(Some(Box::new(locked)))
    });
    let mut strava = MockStravaOAuth::new();
    strava.expect_refresh().times(1).returning(|_| Ok(pair("new", 21_600)));
    let service = service(MockConnectionsRepository::new(), tokens, strava);
    let token = service.access_token(Uuid::nil(), met("old-access")).await.unwrap();
    assert_eq!(token.tokens.access_token.expose_secret(), "new-access");
}

#[tokio::test]
async fn a_token_that_was_replaced_since_or_just_received_is_not_refreshed() {
    let young = StoredTokens { received_at: now() - TimeDelta::seconds(59), ..stored(9999) };
    for (found, rejected) in [(stored(9999), met("one before")), (young, met("old-access"))] {
        let mut tokens = MockTokenStore::new();
        tokens.expect_read().returning(move |_| Ok(Some(found.clone())));
        let service = service(MockConnectionsRepository::new(), tokens, MockStravaOAuth::new());
        let token = service.access_token(Uuid::nil(), rejected).await.unwrap();
        assert_eq!(token.tokens.access_token.expose_secret(), "old-access");
    }
}

#[tokio::test]
async fn while_the_secret_store_is_away_a_token_is_used_until_it_ends() {
    for (seconds, rejected, failure, usable) in [
        (299, None, SecretsError::Sealed, true),
        (11, met("one before"), SecretsError::Unavailable("down".to_owned()), true),
        (10, None, SecretsError::Sealed, false),
        (299, met("old-access"), SecretsError::Sealed, false),
        (299, None, SecretsError::RootToken, false),
    ] {
        let failure = std::sync::Mutex::new(Some(failure));
        let mut tokens = MockTokenStore::new();
        tokens.expect_read().returning(move |_| Ok(Some(stored(seconds))));
        tokens.expect_lock().returning(move |_| {
            Err(ConnectionsError::Secrets(failure.lock().unwrap().take().unwrap()))
        });
        let service = service(MockConnectionsRepository::new(), tokens, MockStravaOAuth::new());
        let outcome = service.access_token(Uuid::nil(), rejected).await;
        assert_eq!(outcome.is_ok(), usable, "{seconds} s: {outcome:?}");
    }
}
