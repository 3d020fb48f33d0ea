use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::clock;
use api::config::StravaConfig;
use api::connections::{
    Application, Connections, ConnectionsError, ConnectionsSettings, ConsentAnswer, Grant,
    PgConnections, StravaError, StravaOAuth, StravaOAuthClient, TokenMove, TokenPair,
    TokenStore as _,
};
use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::PgPool;
use strava::{RateLimits, Simulator, SimulatorConfig};
use stravasync_schema::ConnectionState;
use tokio_util::sync::CancellationToken;
use treaty_secrets::{SecretPath, SecretStore as _};
use url::Url;
use uuid::Uuid;

use crate::support::{athlete, athletes, database, eventually, file_store, keeper, secrets_of};

const SETTINGS: ConnectionsSettings = ConnectionsSettings {
    consent_lifetime: Duration::from_secs(600),
    least_lifetime: Duration::from_secs(300),
    concurrent_refreshes: 3,
};

pub(crate) async fn connections(pool: &PgPool, strava: Arc<dyn StravaOAuth>) -> Connections {
    let tokens = keeper(pool).await;
    let repository = Arc::new(PgConnections::new(pool.clone(), tokens.clone()));
    let tokens = Arc::new(tokens);
    Connections::new(repository, tokens, strava, SETTINGS, clock::system())
}

/// A Strava whose tokens last for so many seconds.
pub(crate) async fn simulator(access_token_lifetime: u64) -> (Simulator, Arc<dyn StravaOAuth>) {
    let config = SimulatorConfig {
        access_token_lifetime,
        limits: RateLimits::UNLIMITED,
        ..SimulatorConfig::default()
    };
    let (client_id, client_secret) = (config.client_id.to_string(), config.client_secret.clone());
    let simulator = Simulator::start(config).await.unwrap();
    let config = StravaConfig {
        oauth_base_url: simulator.url().parse().unwrap(),
        client_id,
        client_secret,
        credentials: "unused".to_owned(),
        redirect_url: "http://127.0.0.1:1/v1/strava/callback".parse().unwrap(),
        timeout_seconds: 10,
        consent_lifetime_seconds: 600,
        least_lifetime_seconds: 300,
    };
    let client = StravaOAuthClient::new(&config, Application::given(&config)).unwrap();
    (simulator, Arc::new(client))
}

/// What a browser brings back from the page, for an athlete who decides as `with` says.
pub(crate) async fn browse(authorize_url: &str, with: &str) -> ConsentAnswer {
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let response = client.get(format!("{authorize_url}&{with}")).send().await.unwrap();
    let location = response.headers()["location"].to_str().unwrap();
    let mut answer = ConsentAnswer {
        state: SecretString::default(),
        code: SecretString::default(),
        scope: String::new(),
        error: String::new(),
    };
    for (name, value) in Url::parse(location).unwrap().query_pairs() {
        match name.as_ref() {
            "state" => answer.state = value.into_owned().into(),
            "code" => answer.code = value.into_owned().into(),
            "scope" => answer.scope = value.into_owned(),
            "error" => answer.error = value.into_owned(),
            _ => {}
        }
    }
    answer
}

async fn promised(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(pool).await.unwrap()
}

async fn state(pool: &PgPool, athlete_id: Uuid) -> Option<ConnectionState> {
    athletes(pool).get(athlete_id).await.unwrap().connection_state
}

#[tokio::test]
async fn a_consent_connects_works_once_and_can_be_renewed() {
    let (pool, (_simulator, strava)) = (database().await, simulator(21_600).await);
    let service = connections(&pool, strava).await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let answer = browse(&service.start_consent(ada).await.unwrap(), "sim_athlete=3").await;
    assert_eq!(service.complete_consent(answer.clone()).await.unwrap(), ada);
    assert_eq!(state(&pool, ada).await, Some(ConnectionState::Connected));
    assert_eq!(promised(&pool).await, 1);
    let again = service.complete_consent(answer).await;
    assert!(matches!(again, Err(ConnectionsError::UnknownState)), "{again:?}");

    let token = service.access_token(ada, None).await.unwrap();
    assert!(!token.tokens.access_token.expose_secret().is_empty());
    let answer = browse(&service.start_consent(ada).await.unwrap(), "sim_athlete=3").await;
    service.complete_consent(answer).await.unwrap();
    assert_eq!(promised(&pool).await, 2);
}

#[tokio::test]
async fn one_strava_athlete_belongs_to_one_of_ours_and_the_other_way_round() {
    let (pool, (_simulator, strava)) = (database().await, simulator(21_600).await);
    let service = connections(&pool, strava).await;
    let (ada, bob) =
        (athlete(&pool, "ada").await.athlete_id, athlete(&pool, "bob").await.athlete_id);
    let consent = async |athlete_id, with| {
        let url = service.start_consent(athlete_id).await.unwrap();
        service.complete_consent(browse(&url, with).await).await
    };
    consent(ada, "sim_athlete=1").await.unwrap();
    let taken = consent(bob, "sim_athlete=1").await;
    assert!(matches!(taken, Err(ConnectionsError::StravaAthleteTaken)), "{taken:?}");
    let other = consent(ada, "sim_athlete=2").await;
    assert!(matches!(other, Err(ConnectionsError::OtherStravaAthlete)), "{other:?}");
    assert_eq!(promised(&pool).await, 1, "a refused connection promises nothing");
    assert_eq!(state(&pool, bob).await, None);
}

#[tokio::test]
async fn a_consent_that_was_declined_or_gives_too_little_connects_nobody() {
    let (pool, (_simulator, strava)) = (database().await, simulator(21_600).await);
    let service = connections(&pool, strava).await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let answer = browse(&service.start_consent(ada).await.unwrap(), "sim_deny=1").await;
    let declined = service.complete_consent(answer).await;
    assert!(matches!(declined, Err(ConnectionsError::Declined)), "{declined:?}");
    let answer = browse(&service.start_consent(ada).await.unwrap(), "sim_scope=read").await;
    let little = service.complete_consent(answer).await;
    assert!(matches!(little, Err(ConnectionsError::MissingScope)), "{little:?}");
    let mut answer = browse(&service.start_consent(ada).await.unwrap(), "sim_athlete=1").await;
    answer.code = "not a code".to_owned().into();
    let invalid = service.complete_consent(answer).await;
    assert!(
        matches!(invalid, Err(ConnectionsError::Strava(StravaError::InvalidGrant))),
        "{invalid:?}"
    );
    let nobody = service.start_consent(Uuid::now_v7()).await;
    assert!(matches!(nobody, Err(ConnectionsError::AthleteNotFound)), "{nobody:?}");
    assert_eq!(state(&pool, ada).await, None);
}

#[tokio::test]
async fn tokens_are_rotated_and_a_withdrawn_consent_ends_the_connection() {
    // They end so soon that every call refreshes.
    let (pool, (simulator, strava)) = (database().await, simulator(60).await);
    let service = connections(&pool, strava).await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let answer = browse(&service.start_consent(ada).await.unwrap(), "sim_athlete=1").await;
    service.complete_consent(answer).await.unwrap();
    let first = service.access_token(ada, None).await.unwrap();
    let second = service.access_token(ada, None).await.unwrap();
    let text = |token: &api::connections::AccessToken| {
        token.tokens.refresh_token.expose_secret().to_owned()
    };
    assert_ne!(text(&first), text(&second), "the simulator replaces it each time");

    let withdrawn = reqwest::Client::new()
        .post(format!("{}/oauth/deauthorize", simulator.url()))
        .bearer_auth(second.tokens.access_token.expose_secret())
        .send()
        .await
        .unwrap();
    assert!(withdrawn.status().is_success());
    let refused = service.access_token(ada, None).await;
    assert!(matches!(refused, Err(ConnectionsError::NotConnected)), "{refused:?}");
    assert_eq!(state(&pool, ada).await, Some(ConnectionState::Revoked));
}

/// A Strava that takes its time and accepts each refresh token once.
#[derive(Default)]
struct SlowStrava {
    refreshes: AtomicUsize,
}

#[async_trait]
impl StravaOAuth for SlowStrava {
    async fn authorize_url(&self, _state: &SecretString) -> String {
        String::new()
    }

    async fn exchange_code(&self, _code: &SecretString) -> Result<Grant, StravaError> {
        Err(StravaError::InvalidGrant)
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenPair, StravaError> {
        let number = self.refreshes.fetch_add(1, Ordering::SeqCst);
        // Long enough for the others to come to the lock.
        tokio::time::sleep(Duration::from_millis(200)).await;
        if refresh_token.expose_secret() != format!("refresh{number}") {
            return Err(StravaError::InvalidGrant);
        }
        let next = number + 1;
        Ok(TokenPair {
            access_token: format!("access{next}").into(),
            refresh_token: format!("refresh{next}").into(),
            expires_at: Utc::now() + TimeDelta::hours(6),
        })
    }
}

/// An athlete whose access token has ended, and whose tokens a former version has left in Postgres.
async fn with_ended_token(pool: &PgPool) -> Uuid {
    let ada = athlete(pool, "ada").await.athlete_id;
    sqlx::query(
        "WITH connection AS (INSERT INTO strava_connections \
             (athlete_id, strava_athlete_id, state, scopes) VALUES ($1, 7, 'connected', '{}') \
             RETURNING athlete_id) \
         INSERT INTO strava_tokens (athlete_id, access_token, refresh_token, expires_at) \
         SELECT athlete_id, 'access0', 'refresh0', now() FROM connection",
    )
    .bind(ada)
    .execute(pool)
    .await
    .unwrap();
    ada
}

#[tokio::test]
async fn callers_at_the_same_time_refresh_once() {
    let pool = database().await;
    let ada = with_ended_token(&pool).await;
    let strava = Arc::new(SlowStrava::default());
    // Two services stand for two processes: they share the database and the store alone.
    let services =
        [connections(&pool, strava.clone()).await, connections(&pool, strava.clone()).await];
    let calls = (0..20).map(|number| {
        let service = services[number % 2].clone();
        tokio::spawn(async move { service.access_token(ada, None).await.unwrap() })
    });
    for call in calls.collect::<Vec<_>>() {
        let token = call.await.unwrap();
        assert_eq!(token.tokens.access_token.expose_secret(), "access1");
    }
    assert_eq!(strava.refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_lose_the_new_tokens() {
    let pool = database().await;
    let ada = with_ended_token(&pool).await;
    let strava = Arc::new(SlowStrava::default());
    let service = connections(&pool, strava.clone()).await;
    let impatient =
        tokio::time::timeout(Duration::from_millis(50), service.access_token(ada, None)).await;
    assert!(impatient.is_err(), "Strava takes longer than that");
    let token = service.access_token(ada, None).await.unwrap();
    assert_eq!(token.tokens.access_token.expose_secret(), "access1");
    assert_eq!(strava.refreshes.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn tokens_of_a_former_version_move_to_the_store() {
    let pool = database().await;
    let ada = with_ended_token(&pool).await;
    let left = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM strava_tokens").fetch_one(&pool).await.unwrap()
    };
    // As a start does, and as a second process does at the same time.
    let stop = CancellationToken::new();
    let moves = [keeper(&pool).await, keeper(&pool).await]
        .map(|keeper| tokio::spawn(TokenMove::new(keeper).run(stop.clone())));
    eventually("nothing is left in Postgres", async || left().await == 0).await;
    stop.cancel();
    for moving in moves {
        moving.await.unwrap();
    }
    let moved = keeper(&pool).await.read(ada).await.unwrap().unwrap();
    assert_eq!(moved.tokens.refresh_token.expose_secret(), "refresh0");
    assert_eq!(moved.strava_athlete_id, 7);
}

#[tokio::test]
async fn a_move_that_could_not_commit_is_finished_with_what_the_store_has() {
    let pool = database().await;
    let ada = with_ended_token(&pool).await;
    keeper(&pool).await.read(ada).await.unwrap().unwrap();
    // As if a process had died before its commit, and another token been kept in between.
    let strava = Arc::new(SlowStrava::default());
    connections(&pool, strava).await.access_token(ada, None).await.unwrap();
    sqlx::raw_sql(
        "UPDATE strava_connections SET tokens_id = NULL; \
         INSERT INTO strava_tokens (athlete_id, access_token, refresh_token, expires_at) \
         SELECT athlete_id, 'access0', 'refresh0', now() FROM strava_connections",
    )
    .execute(&pool)
    .await
    .unwrap();
    let kept = keeper(&pool).await.read(ada).await.unwrap().unwrap();
    assert_eq!(kept.tokens.refresh_token.expose_secret(), "refresh1", "the store is right");
}

#[tokio::test]
async fn what_ended_or_was_deleted_is_in_the_store_no_more() {
    let (pool, (simulator, strava)) = (database().await, simulator(60).await);
    let service = connections(&pool, strava).await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let consent = async || {
        let answer = browse(&service.start_consent(ada).await.unwrap(), "sim_athlete=1").await;
        service.complete_consent(answer).await.unwrap();
        service.access_token(ada, None).await.unwrap()
    };
    let store = file_store(secrets_of(&pool)).await;
    let at = SecretPath::new(format!("stravasync/athletes/{ada}")).unwrap();
    let token = consent().await;
    assert!(store.read(&at).await.unwrap().is_some());
    reqwest::Client::new()
        .post(format!("{}/oauth/deauthorize", simulator.url()))
        .bearer_auth(token.tokens.access_token.expose_secret())
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    assert!(matches!(service.access_token(ada, None).await, Err(ConnectionsError::NotConnected)));
    assert!(store.read(&at).await.unwrap().is_none());

    // What a deletion of all that is the athlete's does.
    consent().await;
    let keeper = keeper(&pool).await;
    for _ in 0..2 {
        let mut transaction = pool.begin().await.unwrap();
        sqlx::query("SELECT 1 FROM strava_connections WHERE athlete_id = $1 FOR UPDATE")
            .bind(ada)
            .execute(&mut *transaction)
            .await
            .unwrap();
        keeper.delete(&mut transaction, ada).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(store.read(&at).await.unwrap().is_none());
    }
    let lost = service.access_token(ada, None).await;
    assert!(matches!(lost, Err(ConnectionsError::TokensLost)), "{lost:?}");
}
