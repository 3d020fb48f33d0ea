use chrono::{DateTime, Utc};
use secrecy::SecretString;
use treaty_nats::Outgoing;
use uuid::Uuid;

/// A pair of tokens as Strava gives it.
#[derive(Clone, Debug)]
pub struct TokenPair {
    /// Bearer token for Strava's API.
    pub access_token: SecretString,
    /// Exchanged for the next pair.
    pub refresh_token: SecretString,
    /// When the access token ends.
    pub expires_at: DateTime<Utc>,
}

/// What Strava gives for a code.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The tokens.
    pub tokens: TokenPair,
    /// Who has consented.
    pub strava_athlete_id: i64,
}

/// What the browser brings back from Strava.
#[derive(Clone, Debug)]
pub struct ConsentAnswer {
    /// The state that we sent along.
    pub state: SecretString,
    /// One-time code; empty when the athlete declined.
    pub code: SecretString,
    /// Scopes that the athlete granted, separated by commas.
    pub scope: String,
    /// Set when the athlete declined.
    pub error: String,
}

/// A connection that comes to be.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// Our athlete.
    pub athlete_id: Uuid,
    /// Scopes that the athlete granted.
    pub scopes: Vec<String>,
    /// What Strava gave.
    pub grant: Grant,
}

/// The job that a new connection begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstSync(pub Outgoing);
