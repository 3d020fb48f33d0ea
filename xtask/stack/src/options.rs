//! How large the system and its data are.

use std::path::PathBuf;
use std::time::Duration;

/// Where the api keeps secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretStore {
    /// Encrypted files in the directory of the run.
    #[default]
    File,
    /// A server of Vault's API.
    Vault,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Athletes that the simulator has.
    pub athletes: u32,
    /// Activities of each.
    pub activities_per_athlete: u32,
    /// Api processes; the first is the one that [`crate::Addresses`] names.
    pub apis: u32,
    /// Consumer processes.
    pub consumers: u32,
    /// Seed of the simulator's data.
    pub seed: u64,
    /// How often the schedule dispatches.
    pub dispatch_every: Duration,
    /// The simulator's arguments about its quota.
    pub quota: Vec<String>,
    /// Further settings of the services, as their environment has them, such as
    /// `CONSUMER__STRAVA__TIMEOUT_SECONDS`.
    pub settings: Vec<(String, String)>,
    /// Where the api keeps secrets.
    pub secrets: SecretStore,
    /// Where Postgres keeps its data instead of in the directory of the run; for a test that
    /// fills the disk.
    pub postgres_directory: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            athletes: 100,
            activities_per_athlete: 200,
            apis: 1,
            consumers: 2,
            seed: 1,
            dispatch_every: Duration::from_secs(10),
            quota: vec!["--unlimited".to_owned()],
            settings: Vec::new(),
            secrets: SecretStore::File,
            postgres_directory: None,
        }
    }
}

impl Options {
    /// Activities in all.
    #[must_use]
    pub fn activities(&self) -> u64 {
        u64::from(self.athletes) * u64::from(self.activities_per_athlete)
    }
}
