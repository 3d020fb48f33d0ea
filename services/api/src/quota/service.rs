//! The quota, read and replaced until nobody was faster.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use super::{Asked, QuotaError, QuotaRepository, QuotaSettings, QuotaState, Reservation, Usage};

/// Attempts to replace the state before others. Within a process calls take turns, and each lost
/// attempt means that another process made progress: of ten that never rest, one in 40,000 calls
/// loses as often.
const ATTEMPTS: u32 = 100;

/// The longest rest after a lost attempt, in milliseconds: about what an attempt takes.
const LONGEST_REST: u64 = 3;

/// Counts the calls to Strava.
#[derive(Clone)]
pub struct Quota {
    repository: Arc<dyn QuotaRepository>,
    settings: QuotaSettings,
    turn: Arc<Mutex<()>>,
}

impl Quota {
    /// The rules over their keeper.
    pub fn new(repository: Arc<dyn QuotaRepository>, settings: QuotaSettings) -> Self {
        Self { repository, settings, turn: Arc::default() }
    }

    /// Takes in what was learnt, and reserves calls, or tells when to ask again. With it comes when
    /// the window began.
    ///
    /// # Errors
    /// When the database fails, or others are faster again and again.
    pub async fn reserve(
        &self,
        asked: Asked,
        learnt: Option<Usage>,
    ) -> Result<(Reservation, DateTime<Utc>), QuotaError> {
        let settings = self.settings;
        self.change(|state, now| {
            if let Some(usage) = learnt {
                state.learn(usage, now, &settings);
            }
            let reservation = state.reserve(asked, now, &settings);
            (reservation, state.window_started_at)
        })
        .await
    }

    /// Takes in what was learnt.
    ///
    /// # Errors
    /// When the database fails, or others are faster again and again.
    pub async fn report(&self, usage: Usage) -> Result<(), QuotaError> {
        let news = self
            .change(|state, now| {
                let closed_before = state.closed_until;
                state.learn(usage, now, &self.settings);
                state.closed_until.filter(|_| state.closed_until != closed_before)
            })
            .await?;
        if let Some(closed_until) = news {
            tracing::warn!(%closed_until, "Strava refused a call, nobody calls before that time");
        }
        Ok(())
    }

    /// What is known now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn state(&self) -> Result<QuotaState, QuotaError> {
        let mut read = self.repository.read().await?;
        read.state.turn(read.now, &self.settings);
        Ok(read.state)
    }

    async fn change<T>(
        &self,
        change: impl Fn(&mut QuotaState, DateTime<Utc>) -> T,
    ) -> Result<T, QuotaError> {
        let _turn = self.turn.lock().await;
        for _ in 0..ATTEMPTS {
            let read = self.repository.read().await?;
            let mut state = read.state;
            let outcome = change(&mut state, read.now);
            if state == read.state || self.repository.replace(read.version, &state).await? {
                return Ok(outcome);
            }
            let rest = rand::random_range(0..=LONGEST_REST);
            tokio::time::sleep(Duration::from_millis(rest)).await;
        }
        Err(QuotaError::Contended)
    }
}

#[cfg(test)]
mod tests;
