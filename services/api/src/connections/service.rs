//! The rules about consents and tokens.

use std::sync::Arc;
use std::time::Duration;

use api_port::sync_v1::{SyncAthlete, SyncReason};
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use treaty_nats::Outgoing;
use uuid::Uuid;

use super::secret::{digest, new_state};
use super::{ConnectionsError, ConnectionsRepository, ConsentAnswer, FirstSync, NewConnection};
use super::{LockedTokens, StoredTokens, StravaError, StravaOAuth, TokenPair, TokenStore};
use crate::clock::Clock;
use crate::convert;

/// Any of these lets us read activities.
const READING: [&str; 2] = ["activity:read", "activity:read_all"];

/// A token that was received less than this long ago is not refreshed for having been rejected.
const LEAST_AGE_OF_REJECTED: Duration = Duration::from_secs(60);

/// Time that a token must still last to be handed out although it should be replaced and cannot be.
const LEAST_OF_THE_LAST: Duration = Duration::from_secs(10);

/// SHA-256 of an access token that Strava has rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RejectedToken(pub [u8; 32]);

/// What can be set about consents and tokens.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionsSettings {
    /// How long an athlete may take to consent.
    pub consent_lifetime: Duration,
    /// Time that an access token which is handed out still lasts at least.
    pub least_lifetime: Duration,
    /// Refreshes at the same time. Each holds a connection to Postgres while Strava answers, so
    /// this must be less than there are.
    pub concurrent_refreshes: usize,
}

/// A token for the consumer.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The tokens.
    pub tokens: TokenPair,
    /// Whose they are at Strava.
    pub strava_athlete_id: i64,
}

/// Walks athletes through the consent and keeps the tokens fresh.
#[derive(Clone)]
pub struct Connections {
    inner: Arc<Inner>,
}

struct Inner {
    repository: Arc<dyn ConnectionsRepository>,
    tokens: Arc<dyn TokenStore>,
    strava: Arc<dyn StravaOAuth>,
    settings: ConnectionsSettings,
    refreshes: Semaphore,
    clock: Clock,
}

impl Connections {
    /// The rules over their keepers.
    pub fn new(
        repository: Arc<dyn ConnectionsRepository>,
        tokens: Arc<dyn TokenStore>,
        strava: Arc<dyn StravaOAuth>,
        settings: ConnectionsSettings,
        clock: Clock,
    ) -> Self {
        let refreshes = Semaphore::new(settings.concurrent_refreshes.max(1));
        let inner = Inner { repository, tokens, strava, settings, refreshes, clock };
        Self { inner: Arc::new(inner) }
    }

    /// Begins a consent: the page to send the athlete's browser to.
    ///
    /// # Errors
    /// When there is no such athlete.
    pub async fn start_consent(&self, athlete_id: Uuid) -> Result<String, ConnectionsError> {
        let inner = &self.inner;
        let state = new_state();
        let now = (inner.clock)();
        let expires_at = now + delta(inner.settings.consent_lifetime);
        inner.repository.begin_consent(athlete_id, &digest(&state), now, expires_at).await?;
        Ok(inner.strava.authorize_url(&state).await)
    }

    /// Ends a consent: connects the athlete and promises the first sync.
    ///
    /// # Errors
    /// When the state does not work, the athlete declined or granted too little, Strava does not
    /// accept the code, or its athlete is connected elsewhere.
    pub async fn complete_consent(&self, answer: ConsentAnswer) -> Result<Uuid, ConnectionsError> {
        // In a task of its own: a browser that goes away must not interrupt us between the code,
        // which works once, and the tokens that it gave.
        let inner = Arc::clone(&self.inner);
        let work = async move { inner.complete_consent(answer).await };
        tokio::spawn(work.in_current_span()).await?
    }

    /// A token that lasts for a while, refreshed when needed, or when it is the one that Strava has
    /// rejected.
    ///
    /// # Errors
    /// When there is no such athlete, the athlete must consent (again), or Strava fails.
    pub async fn access_token(
        &self,
        athlete_id: Uuid,
        rejected: Option<RejectedToken>,
    ) -> Result<AccessToken, ConnectionsError> {
        let stored = self.inner.tokens.read(athlete_id).await?;
        match self.inner.usable(athlete_id, stored.clone(), rejected).await? {
            Usable::Now(token) => Ok(token),
            Usable::AfterRefresh => {
                // In a task of its own: a caller that gives up must not interrupt us between
                // Strava's answer, which kills the old tokens, and their being kept.
                let inner = Arc::clone(&self.inner);
                let work = async move { inner.refresh(athlete_id, rejected).await };
                let refreshed = tokio::spawn(work.in_current_span()).await?;
                self.inner.or_what_still_lasts(refreshed, stored, rejected)
            }
        }
    }

    /// Asks Strava whether an athlete's consent still holds, and takes it down when it does not.
    /// Costs the athlete's refresh token, and no call of the quota.
    ///
    /// # Errors
    /// When Strava or the database fails, so that it is not known.
    pub async fn consent_holds(&self, athlete_id: Uuid) -> Result<bool, ConnectionsError> {
        let inner = Arc::clone(&self.inner);
        // In a task of its own, as in `access_token`.
        let work = async move { inner.consent_holds(athlete_id).await };
        tokio::spawn(work.in_current_span()).await?
    }
}

enum Usable {
    Now(AccessToken),
    AfterRefresh,
}

impl Inner {
    async fn complete_consent(&self, answer: ConsentAnswer) -> Result<Uuid, ConnectionsError> {
        // Used up first, whatever happens then: a state works once.
        let taken = self.repository.take_consent(&digest(&answer.state), (self.clock)()).await?;
        let athlete_id = taken.ok_or(ConnectionsError::UnknownState)?;
        if !answer.error.is_empty() {
            return Err(ConnectionsError::Declined);
        }
        if answer.code.expose_secret().is_empty() {
            return Err(ConnectionsError::MissingCode);
        }
        let scopes: Vec<String> = answer.scope.split([',', ' ']).map(str::to_owned).collect();
        if !scopes.iter().any(|scope| READING.contains(&scope.as_str())) {
            return Err(ConnectionsError::MissingScope);
        }
        let grant = self.strava.exchange_code(&answer.code).await?;
        let connection = NewConnection { athlete_id, scopes, grant };
        self.repository.connect(&connection, &self.first_sync(athlete_id)?).await?;
        Ok(athlete_id)
    }

    fn first_sync(&self, athlete_id: Uuid) -> Result<FirstSync, ConnectionsError> {
        let job = SyncAthlete {
            athlete_id: athlete_id.to_string(),
            request_id: Uuid::now_v7().to_string(),
            reason: SyncReason::Consent.into(),
            request_time: Some(convert::timestamp((self.clock)())),
            full: false,
        };
        Outgoing::from_event(&job).map(FirstSync).map_err(ConnectionsError::FirstSync)
    }

    /// Whether what is kept can be handed out.
    async fn usable(
        &self,
        athlete_id: Uuid,
        stored: Option<StoredTokens>,
        rejected: Option<RejectedToken>,
    ) -> Result<Usable, ConnectionsError> {
        let Some(stored) = stored else {
            let known = self.tokens.athlete_exists(athlete_id).await?;
            let error = ConnectionsError::AthleteNotFound;
            return Err(if known { ConnectionsError::NotConnected } else { error });
        };
        let now = (self.clock)();
        let ends_soon = stored.tokens.expires_at <= now + delta(self.settings.least_lifetime);
        // Others may have met the same token and had it refreshed; and Strava may reject one that
        // it has just given, for which another would be no better.
        let is_rejected = || {
            rejected == Some(RejectedToken(digest(&stored.tokens.access_token)))
                && stored.received_at + delta(LEAST_AGE_OF_REJECTED) <= now
        };
        if ends_soon || is_rejected() {
            return Ok(Usable::AfterRefresh);
        }
        let StoredTokens { tokens, strava_athlete_id, .. } = stored;
        Ok(Usable::Now(AccessToken { tokens, strava_athlete_id }))
    }

    /// While the secret store is sealed or away, tokens are used until they end, also those that we
    /// would replace before.
    fn or_what_still_lasts(
        &self,
        refreshed: Result<AccessToken, ConnectionsError>,
        stored: Option<StoredTokens>,
        rejected: Option<RejectedToken>,
    ) -> Result<AccessToken, ConnectionsError> {
        match (refreshed, stored) {
            (
                Err(ConnectionsError::Secrets(error)),
                Some(StoredTokens { tokens, strava_athlete_id, .. }),
            ) if error.is_transient()
                && tokens.expires_at > (self.clock)() + delta(LEAST_OF_THE_LAST)
                && rejected != Some(RejectedToken(digest(&tokens.access_token))) =>
            {
                tracing::warn!(%error, "a token that ends soon cannot be replaced yet");
                Ok(AccessToken { tokens, strava_athlete_id })
            }
            (refreshed, _) => refreshed,
        }
    }

    async fn refresh(
        &self,
        athlete_id: Uuid,
        rejected: Option<RejectedToken>,
    ) -> Result<AccessToken, ConnectionsError> {
        // The semaphore is never closed.
        let _permit = self.refreshes.acquire().await;
        let locked = self.tokens.lock(athlete_id).await?;
        let stored = locked.as_ref().map(|locked| locked.stored().clone());
        // Whoever held the lock before us may have refreshed, or learnt of the end.
        if let Usable::Now(token) = self.usable(athlete_id, stored, rejected).await? {
            return Ok(token);
        }
        let locked = locked.ok_or(ConnectionsError::NotConnected)?;
        self.exchange(locked).await
    }

    async fn consent_holds(&self, athlete_id: Uuid) -> Result<bool, ConnectionsError> {
        let _permit = self.refreshes.acquire().await;
        let Some(locked) = self.tokens.lock(athlete_id).await? else { return Ok(false) };
        match self.exchange(locked).await {
            Ok(_) => Ok(true),
            Err(ConnectionsError::NotConnected) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn exchange(
        &self,
        locked: Box<dyn LockedTokens>,
    ) -> Result<AccessToken, ConnectionsError> {
        let StoredTokens { tokens, strava_athlete_id, .. } = locked.stored().clone();
        let refresh_token: SecretString = tokens.refresh_token;
        match self.strava.refresh(&refresh_token).await {
            Ok(tokens) => {
                // Nobody sees the new tokens before they are kept: Strava has forgotten the old.
                locked.replace(&tokens).await?;
                Ok(AccessToken { tokens, strava_athlete_id })
            }
            Err(StravaError::InvalidGrant) => {
                locked.revoke().await?;
                Err(ConnectionsError::NotConnected)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests;
