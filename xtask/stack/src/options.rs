//! How large the system and its data are.

use std::time::Duration;

/// What to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Athletes that the simulator has.
    pub athletes: u32,
    /// Activities of each.
    pub activities_per_athlete: u32,
    /// Consumer processes.
    pub consumers: u32,
    /// Seed of the simulator's data.
    pub seed: u64,
    /// How often the schedule dispatches.
    pub dispatch_every: Duration,
    /// The simulator's arguments about its quota.
    pub quota: Vec<String>,
    /// Further variables of the api's environment.
    pub api: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            athletes: 100,
            activities_per_athlete: 200,
            consumers: 2,
            seed: 1,
            dispatch_every: Duration::from_secs(10),
            quota: vec!["--unlimited".to_owned()],
            api: Vec::new(),
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
