use chrono::{DateTime, Utc};
use stravasync_schema::ConnectionState;
use uuid::Uuid;

use crate::page::Key;

/// A person whose activities are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Athlete {
    /// Given at registration.
    pub athlete_id: Uuid,
    /// Name to show.
    pub display_name: String,
    /// Unique without regard to case.
    pub email: String,
    /// When the athlete registered.
    pub created_at: DateTime<Utc>,
    /// When a sync last ended well.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Whether Strava lets us read; `None` when the athlete has never consented.
    pub connection_state: Option<ConnectionState>,
}

/// An athlete who registers, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAthlete {
    /// Identifier.
    pub athlete_id: Uuid,
    /// Name to show.
    pub display_name: String,
    /// Address.
    pub email: String,
}

/// Which athletes a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AthleteFilter {
    /// By the state of their connection.
    pub state: StateFilter,
    /// Only those of whom no sync has ended well since then. For an athlete who was never synced
    /// the first consent counts, or else registration.
    pub not_synced_since: Option<DateTime<Utc>>,
}

impl From<StateFilter> for AthleteFilter {
    fn from(state: StateFilter) -> Self {
        Self { state, not_synced_since: None }
    }
}

/// Athletes by the state of their connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFilter {
    /// All.
    Any,
    /// Those who have never consented.
    NeverConnected,
    /// Those in this state.
    In(ConnectionState),
}

/// Place in the list of athletes.
pub type AthleteKey = Key<16>;

/// A page of athletes.
#[derive(Clone, Debug, PartialEq)]
pub struct AthletePage {
    /// The athletes, oldest registration first.
    pub athletes: Vec<Athlete>,
    /// Where the next page begins.
    pub next: Option<AthleteKey>,
}
