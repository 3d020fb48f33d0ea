//! An api that keeps what it is given, over real gRPC.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use consumer_port::Peers;
use consumer_port::activities_v1 as activities;
use consumer_port::connections_v1 as connections;
use consumer_port::quota_v1::quota_service::QuotaServiceGrpc;
use consumer_port::sync_v1::{self as sync, ListPosition, SyncAdmission, SyncOutcome};
use consumer_port::well_known::Duration;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use treaty_error::{Code, Error, Result};
use treaty_rpc::{
    AuthConfig, Authenticator, Caller, ClientConfig, Context, GrpcServer, GrpcServerConfig,
};

use crate::quota::RoomyQuota;

const TOKEN: &str = "the-consumers-own-token";

#[derive(Default)]
struct State {
    tokens: BTreeMap<String, SecretString>,
    kept: Mutex<BTreeMap<(String, i64), activities::Activity>>,
    /// Who syncs each athlete; locked before `kept`.
    syncs: Mutex<BTreeMap<String, Sync>>,
    /// Sessions that were given, batches that came, and those of them that were refused as stale.
    begun: AtomicUsize,
    batches: AtomicUsize,
    refused: AtomicUsize,
    holds: Mutex<BTreeMap<Moment, Arc<Hold>>>,
    /// When each athlete's batches came.
    arrivals: Mutex<BTreeMap<String, Vec<Instant>>>,
    /// Calls for a token that have come, and the permits by which they are answered.
    waiting: AtomicUsize,
    gate: Option<Semaphore>,
    quota: Arc<RoomyQuota>,
}

/// A moment in the work of this api, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// A batch has come, and is not written yet.
    BeforeBatch(usize),
    /// A batch is written, and the consumer does not know.
    AfterBatch(usize),
    /// The end of a sync is recorded, and the consumer does not know.
    AfterEnd,
}

/// Holds up the first call that comes to its moment, until it is released.
pub(crate) struct Hold {
    come: AtomicBool,
    gate: Semaphore,
}

impl Hold {
    /// Whether a call waits, or has waited.
    pub(crate) fn has_come(&self) -> bool {
        self.come.load(Ordering::SeqCst)
    }

    pub(crate) fn release(&self) {
        self.gate.close();
    }
}

/// Who syncs an athlete, and how far it has come.
#[derive(Default)]
struct Sync {
    lease: i64,
    holder: Option<String>,
    attempt: i64,
    position: Option<ListPosition>,
    activities: i32,
    inserted: i32,
    ended: Vec<End>,
}

/// A sync that has ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    pub(crate) athlete_id: String,
    pub(crate) request_id: String,
    pub(crate) outcome: SyncOutcome,
    pub(crate) activities: i32,
    pub(crate) inserted: i32,
}

impl Sync {
    fn admit(&self, lease: i64) -> Result<()> {
        if self.holder.is_some() && self.lease == lease {
            return Ok(());
        }
        Err(taken_over())
    }
}

fn taken_over() -> Error {
    let retry_after = std::time::Duration::from_secs(60);
    Error::new(Code::Aborted, "taken over").with_retry_after(retry_after)
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
        let server = sync::sync_service::SyncServiceGrpc::register(
            server,
            Arc::new(Keeper(Arc::clone(&state))),
        );
        let quota = Arc::clone(&state.quota);
        let server = QuotaServiceGrpc::register(server, quota);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server.serve(listener, shutdown.clone()));
        Self { state, address, shutdown }
    }

    pub(crate) fn peers(&self) -> Peers {
        peers(&self.address.to_string())
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Calls that have come.
    pub(crate) fn waiting(&self) -> usize {
        self.state.waiting.load(Ordering::SeqCst)
    }

    /// Answers everybody from now on.
    pub(crate) fn open(&self) {
        self.state.gate.as_ref().unwrap().close();
    }

    /// Holds up the call that comes to this moment.
    pub(crate) fn hold(&self, moment: Moment) -> Arc<Hold> {
        let hold = Arc::new(Hold { come: AtomicBool::new(false), gate: Semaphore::new(0) });
        self.state.holds.lock().unwrap().insert(moment, Arc::clone(&hold));
        hold
    }

    /// Sessions that were given.
    pub(crate) fn begun(&self) -> usize {
        self.state.begun.load(Ordering::SeqCst)
    }

    /// Batches that were refused because their lease was stale.
    pub(crate) fn refused(&self) -> usize {
        self.state.refused.load(Ordering::SeqCst)
    }

    /// The syncs that have ended.
    pub(crate) fn ended(&self) -> Vec<End> {
        let syncs = self.state.syncs.lock().unwrap();
        syncs.values().flat_map(|sync| sync.ended.clone()).collect()
    }

    /// When the first batch of an athlete's activities came since then.
    pub(crate) fn first_batch(&self, athlete_id: &str, since: Instant) -> Option<Instant> {
        let arrivals = self.state.arrivals.lock().unwrap();
        arrivals.get(athlete_id)?.iter().copied().find(|batch| *batch > since)
    }

    /// What an athlete has.
    pub(crate) fn kept(&self, athlete_id: &str) -> Vec<activities::Activity> {
        let kept = self.state.kept.lock().unwrap();
        let own = kept.iter().filter(|((owner, _), _)| owner == athlete_id);
        own.map(|(_, activity)| activity.clone()).collect()
    }
}

/// How a consumer calls the api at this address.
pub(crate) fn peers(address: &str) -> Peers {
    Peers { api: ClientConfig::new(address.to_owned(), SecretString::from(TOKEN)) }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl State {
    fn arrives(&self, athlete_id: &str) {
        let mut arrivals = self.arrivals.lock().unwrap();
        arrivals.entry(athlete_id.to_owned()).or_default().push(Instant::now());
    }

    async fn pass(&self, moment: Moment) {
        let hold = self.holds.lock().unwrap().remove(&moment);
        if let Some(hold) = hold {
            hold.come.store(true, Ordering::SeqCst);
            // An error says that the gate is open for good.
            let _ = hold.gate.acquire().await;
        }
    }

    /// Writes a batch as the api does: all of it with the newest lease, or nothing.
    fn write(
        &self,
        request: activities::UpsertActivitiesRequest,
    ) -> Result<activities::UpsertActivitiesResponse> {
        let mut syncs = self.syncs.lock().unwrap();
        let sync = syncs.entry(request.athlete_id.clone()).or_default();
        if let Err(stale) = sync.admit(request.lease) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(stale);
        }
        let mut kept = self.kept.lock().unwrap();
        let mut counts = activities::UpsertActivitiesResponse::default();
        for activity in request.activities {
            let key = (request.athlete_id.clone(), activity.activity_id);
            match kept.insert(key, activity.clone()) {
                None => counts.inserted += 1,
                Some(before) if before == activity => counts.unchanged += 1,
                Some(_) => counts.updated += 1,
            }
        }
        sync.inserted += counts.inserted;
        // What a page has in common with the one before is there already.
        sync.activities += counts.inserted + counts.updated + request.unusable;
        if request.next_position.is_some() {
            sync.position = request.next_position;
        }
        Ok(counts)
    }

    fn end(&self, request: sync::EndSyncRequest) -> Result<End> {
        let mut syncs = self.syncs.lock().unwrap();
        let sync = syncs.entry(request.athlete_id.clone()).or_default();
        let recorded = sync.ended.iter().find(|end| end.request_id == request.request_id);
        if let Some(end) = recorded {
            return Ok(end.clone());
        }
        sync.admit(request.lease)?;
        let end = End {
            outcome: request.outcome(),
            athlete_id: request.athlete_id,
            request_id: request.request_id,
            activities: std::mem::take(&mut sync.activities),
            inserted: std::mem::take(&mut sync.inserted),
        };
        sync.ended.push(end.clone());
        (sync.holder, sync.position) = (None, None);
        Ok(end)
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
        self.0.arrives(&request.athlete_id);
        let number = self.0.batches.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.pass(Moment::BeforeBatch(number)).await;
        let counts = self.0.write(request)?;
        self.0.pass(Moment::AfterBatch(number)).await;
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

/// As the api does it, but that leases do not expire and nothing is folded: a message takes over
/// from whatever attempt was before it.
#[async_trait]
impl sync::SyncService for Keeper {
    async fn begin_sync(
        &self,
        _: &Context,
        request: sync::BeginSyncRequest,
    ) -> Result<sync::BeginSyncResponse> {
        let mut syncs = self.0.syncs.lock().unwrap();
        let sync = syncs.entry(request.athlete_id).or_default();
        if sync.ended.iter().any(|end| end.request_id == request.request_id) {
            let admission = SyncAdmission::Done.into();
            return Ok(sync::BeginSyncResponse { admission, session: None });
        }
        if sync.holder.as_ref() == Some(&request.holder) && request.attempt < sync.attempt {
            return Err(taken_over());
        }
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        sync.attempt = request.attempt;
        sync.lease += 1;
        sync.holder = Some(request.holder);
        let begin = ListPosition { after: None, before: None, page: 1 };
        let session = sync::SyncSession {
            lease: sync.lease,
            lease_time: Some(Duration { seconds: 60, nanos: 0 }),
            position: Some(sync.position.unwrap_or(begin)),
        };
        let admission = SyncAdmission::Admitted.into();
        Ok(sync::BeginSyncResponse { admission, session: Some(session) })
    }

    async fn renew_sync(
        &self,
        _: &Context,
        request: sync::RenewSyncRequest,
    ) -> Result<sync::RenewSyncResponse> {
        let mut syncs = self.0.syncs.lock().unwrap();
        syncs.entry(request.athlete_id).or_default().admit(request.lease)?;
        Ok(sync::RenewSyncResponse {})
    }

    async fn end_sync(
        &self,
        _: &Context,
        request: sync::EndSyncRequest,
    ) -> Result<sync::EndSyncResponse> {
        let end = self.0.end(request)?;
        self.0.pass(Moment::AfterEnd).await;
        let (activities, inserted) = (end.activities, end.inserted);
        Ok(sync::EndSyncResponse { activities, inserted, ..Default::default() })
    }

    async fn get_sync_state(
        &self,
        _: &Context,
        _: sync::GetSyncStateRequest,
    ) -> Result<sync::GetSyncStateResponse> {
        not_asked()
    }
}
