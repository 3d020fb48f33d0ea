//! An api that keeps what it is given, over real gRPC.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use consumer_port::Peers;
use consumer_port::activities_v1 as activities;
use consumer_port::connections_v1 as connections;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error, Result};
use treaty_rpc::{
    AuthConfig, Authenticator, Caller, ClientConfig, Context, GrpcServer, GrpcServerConfig,
};

const TOKEN: &str = "the-consumers-own-token";

#[derive(Default)]
struct State {
    tokens: BTreeMap<String, SecretString>,
    kept: Mutex<BTreeMap<(String, i64), activities::Activity>>,
    /// Calls for a token that have come, and the permits by which they are answered.
    waiting: AtomicUsize,
    gate: Option<Semaphore>,
}

/// Answers the calls of consumers until dropped.
pub(crate) struct Api {
    state: Arc<State>,
    address: SocketAddr,
    shutdown: CancellationToken,
}

impl Api {
    /// Knows these athletes by their access tokens for Strava.
    pub(crate) async fn start(tokens: BTreeMap<String, SecretString>) -> Self {
        Self::with(State { tokens, ..State::default() }).await
    }

    /// As [`start`](Self::start), but answers nobody before [`open`](Self::open).
    pub(crate) async fn start_closed(tokens: BTreeMap<String, SecretString>) -> Self {
        Self::with(State { tokens, gate: Some(Semaphore::new(0)), ..State::default() }).await
    }

    async fn with(state: State) -> Self {
        let state = Arc::new(state);
        let shutdown = CancellationToken::new();
        let deployables = BTreeMap::from([("consumer".to_owned(), SecretString::from(TOKEN))]);
        let auth = AuthConfig { deployables, operator: None };
        let authenticator = Arc::new(Authenticator::new(&auth).unwrap());
        let server = GrpcServer::new(GrpcServerConfig::default(), authenticator);
        let server = activities::activities_service::ActivitiesServiceGrpc::register(
            server,
            Arc::new(Keeper(Arc::clone(&state))),
        );
        let server = connections::connections_service::ConnectionsServiceGrpc::register(
            server,
            Arc::new(Keeper(Arc::clone(&state))),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server.serve(listener, shutdown.clone()));
        Self { state, address, shutdown }
    }

    pub(crate) fn peers(&self) -> Peers {
        Peers { api: ClientConfig::new(self.address.to_string(), SecretString::from(TOKEN)) }
    }

    /// Calls that have come.
    pub(crate) fn waiting(&self) -> usize {
        self.state.waiting.load(Ordering::SeqCst)
    }

    /// Answers everybody from now on.
    pub(crate) fn open(&self) {
        self.state.gate.as_ref().unwrap().close();
    }

    /// What an athlete has.
    pub(crate) fn kept(&self, athlete_id: &str) -> Vec<activities::Activity> {
        let kept = self.state.kept.lock().unwrap();
        let own = kept.iter().filter(|((owner, _), _)| owner == athlete_id);
        own.map(|(_, activity)| activity.clone()).collect()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

struct Keeper(Arc<State>);

fn not_asked<T>() -> Result<T> {
    Err(Error::new(Code::Unimplemented, "no consumer asks for this"))
}

#[async_trait]
impl activities::ActivitiesService for Keeper {
    async fn upsert_activities(
        &self,
        context: &Context,
        request: activities::UpsertActivitiesRequest,
    ) -> Result<activities::UpsertActivitiesResponse> {
        assert_eq!(*context.caller(), Caller::Deployable("consumer".into()));
        let mut kept = self.0.kept.lock().unwrap();
        let mut counts = activities::UpsertActivitiesResponse::default();
        for activity in request.activities {
            let key = (request.athlete_id.clone(), activity.activity_id);
            match kept.insert(key, activity.clone()) {
                None => counts.inserted += 1,
                Some(before) if before == activity => counts.unchanged += 1,
                Some(_) => counts.updated += 1,
            }
        }
        Ok(counts)
    }

    async fn list_activities(
        &self,
        _: &Context,
        _: activities::ListActivitiesRequest,
    ) -> Result<activities::ListActivitiesResponse> {
        not_asked()
    }

    async fn get_activity(
        &self,
        _: &Context,
        _: activities::GetActivityRequest,
    ) -> Result<activities::GetActivityResponse> {
        not_asked()
    }

    async fn get_totals(
        &self,
        _: &Context,
        _: activities::GetTotalsRequest,
    ) -> Result<activities::GetTotalsResponse> {
        not_asked()
    }
}

#[async_trait]
impl connections::ConnectionsService for Keeper {
    async fn start_consent(
        &self,
        _: &Context,
        _: connections::StartConsentRequest,
    ) -> Result<connections::StartConsentResponse> {
        not_asked()
    }

    async fn complete_consent(
        &self,
        _: &Context,
        _: connections::CompleteConsentRequest,
    ) -> Result<connections::CompleteConsentResponse> {
        not_asked()
    }

    async fn get_access_token(
        &self,
        _: &Context,
        request: connections::GetAccessTokenRequest,
    ) -> Result<connections::GetAccessTokenResponse> {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.0.gate {
            // An error says that the gate is open for good.
            let _ = gate.acquire().await;
        }
        let token = self.0.tokens.get(&request.athlete_id);
        let token =
            token.ok_or_else(|| Error::new(Code::FailedPrecondition, "has to consent first"))?;
        let access_token = token.expose_secret().to_owned();
        Ok(connections::GetAccessTokenResponse { access_token, ..Default::default() })
    }
}
