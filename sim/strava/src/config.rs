//! What a simulator can be told before it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::clock::{Clock, SystemClock};
use crate::faults::FaultPlan;

/// The settings of one simulator.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The only application this Strava knows.
    pub client_id: u64,
    /// The application's secret.
    pub client_secret: SecretString,
    /// Hosts that a redirect URI may name, as the application's callback domain does at Strava.
    pub redirect_hosts: Vec<String>,
    /// What every athlete, activity, token and random fault is derived from.
    pub seed: u64,
    /// How many athletes exist.
    pub athletes: u64,
    /// How many activities each athlete starts with.
    pub activities_per_athlete: u64,
    /// The application's quota.
    pub limits: RateLimits,
    /// How long the windows of the quota are.
    pub windows: QuotaWindows,
    /// Seconds for which an access token is valid.
    pub access_token_lifetime: u64,
    /// How often a refresh replaces the refresh token.
    pub refresh_rotation: RefreshRotation,
    /// One activity in this many has an `upload_id` beyond 64 bits; 0 for none.
    pub oversized_upload_id_every: u64,
    /// One activity in this many has a sport that the documentation does not list; 0 for none.
    pub unknown_sport_every: u64,
    /// How long a webhook's receiver may take to answer.
    pub webhook_timeout: Duration,
    /// The pause between two attempts to deliver the same event.
    pub webhook_retry_delay: Duration,
    /// The faults that are on from the start.
    pub faults: FaultPlan,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            client_id: 12_345,
            client_secret: SecretString::from("simulated-client-secret"),
            redirect_hosts: ["localhost", "127.0.0.1", "[::1]"].map(String::from).to_vec(),
            seed: 1,
            athletes: 100,
            activities_per_athlete: 200,
            limits: RateLimits::default(),
            windows: QuotaWindows::default(),
            access_token_lifetime: 21_600,
            refresh_rotation: RefreshRotation::default(),
            oversized_upload_id_every: 500,
            unknown_sport_every: 200,
            webhook_timeout: Duration::from_secs(2),
            webhook_retry_delay: Duration::from_secs(1),
            faults: FaultPlan::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// How long the windows of the quota are. Strava's never change; a test that waits for their turn
/// takes shorter ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaWindows {
    /// Seconds of the short one; at least 1.
    pub quarter_hour_seconds: i64,
    /// Seconds of the long one; at least 1.
    pub day_seconds: i64,
}

impl Default for QuotaWindows {
    fn default() -> Self {
        Self { quarter_hour_seconds: 900, day_seconds: 86_400 }
    }
}

/// How many requests the application may make, all together and reads alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// All requests in a quarter of an hour.
    pub quarter_hour: u64,
    /// All requests in a day.
    pub daily: u64,
    /// Reads in a quarter of an hour.
    pub read_quarter_hour: u64,
    /// Reads in a day.
    pub read_daily: u64,
}

impl RateLimits {
    /// A quota that no run reaches. The headers still carry it, as they always do.
    pub const UNLIMITED: Self = Self {
        quarter_hour: i32::MAX as u64,
        daily: i32::MAX as u64,
        read_quarter_hour: i32::MAX as u64,
        read_daily: i32::MAX as u64,
    };
}

impl Default for RateLimits {
    /// What Strava grants a new application.
    fn default() -> Self {
        Self { quarter_hour: 200, daily: 2_000, read_quarter_hour: 100, read_daily: 1_000 }
    }
}

/// How often a refresh replaces the refresh token and so kills the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRotation {
    /// The refresh token stays for good.
    Never,
    /// Every n-th refresh of an athlete's grant replaces it.
    Every(std::num::NonZeroU64),
}

impl RefreshRotation {
    /// Replaces the token on every n-th refresh, or never when `refreshes` is zero.
    pub fn every(refreshes: u64) -> Self {
        std::num::NonZeroU64::new(refreshes).map_or(Self::Never, Self::Every)
    }

    pub(crate) fn rotates_at(self, refreshes: u64) -> bool {
        match self {
            Self::Never => false,
            Self::Every(period) => refreshes.is_multiple_of(period.get()),
        }
    }
}

impl Default for RefreshRotation {
    fn default() -> Self {
        Self::every(1)
    }
}
