//! An api that knows athletes and nothing else: in this process, or over real gRPC for workers in
//! processes of their own.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error, Result};
use treaty_rpc::{AuthConfig, Authenticator, Context, GrpcServer, GrpcServerConfig};
use worker_port::Clients;
use worker_port::athletes_v1::athletes_service::AthletesServiceGrpc;
use worker_port::athletes_v1::{
    Athlete, AthletesService, ConnectionState, GetAthleteRequest, GetAthleteResponse,
    ListAthletesRequest, ListAthletesResponse, RegisterAthleteRequest, RegisterAthleteResponse,
};
use worker_port::sync_v1::{
    BeginSyncRequest, BeginSyncResponse, EndSyncRequest, EndSyncResponse, GetSyncStateRequest,
    GetSyncStateResponse, RenewSyncRequest, RenewSyncResponse, SyncService, SyncState,
};
use worker_port::well_known::Timestamp;

/// What workers call it with.
pub(crate) const TOKEN: &str = "the-workers-own-token";

/// The athletes and what was asked about them. Athletes are made when they are listed, so that a
/// million takes no room.
#[derive(Clone)]
pub(crate) struct Api {
    state: Arc<Mutex<State>>,
    pages: Arc<AtomicUsize>,
    /// Closed once nobody has to wait any more.
    gate: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    athletes: usize,
    asked: Vec<ListAthletesRequest>,
    /// What becomes of the next calls; they succeed when it is empty.
    script: VecDeque<Option<Error>>,
    /// When athletes were synced last, and which of them have to consent again.
    synced: BTreeMap<usize, Timestamp>,
    /// When walks through their whole lists began that have come to their ends.
    walked: BTreeMap<usize, Timestamp>,
    revoked: Vec<usize>,
}

impl Api {
    pub(crate) fn with_athletes(athletes: usize) -> Self {
        let api = Self::gated(athletes);
        api.open();
        api
    }

    /// Gives each page for a permit: see [`let_through`](Self::let_through).
    pub(crate) fn gated(athletes: usize) -> Self {
        let state = State { athletes, ..State::default() };
        let gate = Arc::new(Semaphore::new(0));
        Self { state: Arc::new(Mutex::new(state)), pages: Arc::default(), gate }
    }

    /// Gives so many pages more.
    pub(crate) fn let_through(&self, pages: usize) {
        self.gate.add_permits(pages);
    }

    /// Gives all pages from now on.
    pub(crate) fn open(&self) {
        self.gate.close();
    }

    /// Lets so many calls succeed and the one after them fail.
    pub(crate) fn fail_after(&self, calls: usize, error: Error) {
        let script = &mut self.state.lock().unwrap().script;
        script.extend(std::iter::repeat_with(|| None).take(calls));
        script.push_back(Some(error));
    }

    pub(crate) fn synced(&self, athlete: usize, time: Timestamp) {
        self.state.lock().unwrap().synced.insert(athlete, time);
    }

    pub(crate) fn walked(&self, athlete: usize, time: Timestamp) {
        self.state.lock().unwrap().walked.insert(athlete, time);
    }

    pub(crate) fn revoke(&self, athlete: usize) {
        self.state.lock().unwrap().revoked.push(athlete);
    }

    pub(crate) fn asked(&self) -> Vec<ListAthletesRequest> {
        self.state.lock().unwrap().asked.clone()
    }

    /// Pages that were asked for, also those that still wait.
    pub(crate) fn pages(&self) -> usize {
        self.pages.load(Ordering::SeqCst)
    }

    /// Tokens of the pages that were asked for.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.asked().into_iter().map(|request| request.page_token).collect()
    }

    /// The service as the worker sees it.
    pub(crate) fn service(&self) -> Arc<dyn AthletesService> {
        Arc::new(self.clone())
    }

    /// The clients of a worker in this process.
    pub(crate) fn clients(&self) -> Clients {
        Clients { athletes: self.service(), sync: self.sync_service() }
    }

    pub(crate) fn sync_service(&self) -> Arc<dyn SyncService> {
        Arc::new(self.clone())
    }

    /// Answers over gRPC until the token is cancelled.
    pub(crate) async fn serve(&self, shutdown: CancellationToken) -> SocketAddr {
        let deployables = BTreeMap::from([("worker".to_owned(), SecretString::from(TOKEN))]);
        let auth = AuthConfig { deployables, operator: None };
        let authenticator = Arc::new(Authenticator::new(&auth).unwrap());
        let server = GrpcServer::new(GrpcServerConfig::default(), authenticator);
        let server = AthletesServiceGrpc::register(server, self.service());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server.serve(listener, shutdown));
        address
    }
}

fn not_asked<T>() -> Result<T> {
    Err(Error::new(Code::Unimplemented, "no worker asks for this"))
}

/// The number that an id was made of.
fn number(athlete_id: &str) -> usize {
    athlete_id.rsplit('-').next().unwrap().parse().unwrap()
}

impl State {
    fn athlete(&self, number: usize) -> Athlete {
        let revoked = self.revoked.contains(&number);
        let state = if revoked { ConnectionState::Revoked } else { ConnectionState::Connected };
        Athlete {
            connection_state: state.into(),
            last_sync_time: self.synced.get(&number).copied(),
            ..athlete(number)
        }
    }

    fn is_listed(&self, number: usize, request: &ListAthletesRequest) -> bool {
        let athlete = self.athlete(number);
        let since = |bound: &Timestamp| {
            let synced = athlete.last_sync_time.as_ref();
            synced.is_none_or(|time| (time.seconds, time.nanos) < (bound.seconds, bound.nanos))
        };
        athlete.connection_state == request.connection_state
            && request.not_synced_since.as_ref().is_none_or(since)
    }
}

#[async_trait]
impl AthletesService for Api {
    async fn register_athlete(
        &self,
        _: &Context,
        _: RegisterAthleteRequest,
    ) -> Result<RegisterAthleteResponse> {
        not_asked()
    }

    async fn get_athlete(
        &self,
        _: &Context,
        request: GetAthleteRequest,
    ) -> Result<GetAthleteResponse> {
        let state = self.state.lock().unwrap();
        let number = number(&request.athlete_id);
        if number >= state.athletes {
            return Err(Error::new(Code::NotFound, "no such athlete"));
        }
        Ok(GetAthleteResponse { athlete: Some(state.athlete(number)) })
    }

    async fn list_athletes(
        &self,
        _: &Context,
        request: ListAthletesRequest,
    ) -> Result<ListAthletesResponse> {
        self.pages.fetch_add(1, Ordering::SeqCst);
        // A closed gate is an open one.
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        let mut state = self.state.lock().unwrap();
        state.asked.push(request.clone());
        if let Some(Some(error)) = state.script.pop_front() {
            return Err(error);
        }
        let first: usize = match request.page_token.as_str() {
            "" => 0,
            token => token.parse().unwrap(),
        };
        let end = (first + usize::try_from(request.page_size).unwrap()).min(state.athletes);
        let next_page_token =
            if end < state.athletes { end.to_string() } else { String::default() };
        let listed = (first..end).filter(|number| state.is_listed(*number, &request));
        let athletes = listed.map(|number| state.athlete(number)).collect();
        Ok(ListAthletesResponse { athletes, next_page_token })
    }
}

#[async_trait]
impl SyncService for Api {
    async fn begin_sync(&self, _: &Context, _: BeginSyncRequest) -> Result<BeginSyncResponse> {
        not_asked()
    }

    async fn renew_sync(&self, _: &Context, _: RenewSyncRequest) -> Result<RenewSyncResponse> {
        not_asked()
    }

    async fn end_sync(&self, _: &Context, _: EndSyncRequest) -> Result<EndSyncResponse> {
        not_asked()
    }

    async fn get_sync_state(
        &self,
        _: &Context,
        request: GetSyncStateRequest,
    ) -> Result<GetSyncStateResponse> {
        let walked = &self.state.lock().unwrap().walked;
        let last_full_walk_time = walked.get(&number(&request.athlete_id)).copied();
        let state = SyncState {
            athlete_id: request.athlete_id,
            last_full_walk_time,
            ..SyncState::default()
        };
        Ok(GetSyncStateResponse { state: Some(state) })
    }
}

pub(crate) fn athlete(number: usize) -> Athlete {
    Athlete {
        athlete_id: athlete_id(number),
        display_name: format!("Athlete {number}"),
        email: format!("athlete-{number}@example.org"),
        connection_state: ConnectionState::Connected.into(),
        ..Athlete::default()
    }
}

pub(crate) fn athlete_id(number: usize) -> String {
    format!("00000000-0000-7000-8000-{number:012}")
}
