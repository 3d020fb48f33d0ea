//! Calls that go on all the time, and what became of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use reqwest::{Method, StatusCode};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Crowd;

/// How often readiness is asked for; the notice of a stop is several times as long.
const WATCH: Duration = Duration::from_millis(50);

/// What a caller does about an api that is away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes down what it was told.
    TakesNote,
    /// Asks the next one, as the contract allows for UNAVAILABLE and a balancer does for a
    /// connection that is refused.
    AsksTheNext,
    /// Goes where it is ready, as a balancer that watches `/readyz` lets it, and asks the next one
    /// when a connection is refused; else takes down what it was told.
    GoesWhereItIsReady,
}

/// What became of the calls.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// Answers by status; 0 stands for none.
    pub by_status: BTreeMap<u16, u64>,
    /// Why there was no answer, the first of each kind.
    pub failures: Vec<String>,
    /// The longest that one took.
    pub slowest: Duration,
}

impl Calls {
    pub fn made(&self) -> u64 {
        self.by_status.values().sum()
    }

    pub fn with(&self, status: u16) -> u64 {
        self.by_status.get(&status).copied().unwrap_or_default()
    }

    fn note(&mut self, outcome: &Result<u16, String>, took: Duration) {
        *self.by_status.entry(*outcome.as_ref().unwrap_or(&0)).or_default() += 1;
        self.slowest = self.slowest.max(took);
        if let Err(failure) = outcome
            && self.failures.len() < 10
        {
            self.failures.push(failure.clone());
        }
    }
}

/// Callers at work.
pub struct Callers {
    stop: CancellationToken,
    tasks: JoinSet<()>,
    calls: Arc<Mutex<Calls>>,
}

impl Callers {
    /// Sets `count` callers to work, each of which reads `path` again and again.
    pub fn start(crowd: &Crowd, count: usize, path: &str, manner: Manner) -> Self {
        let (stop, calls) = (CancellationToken::new(), Arc::<Mutex<Calls>>::default());
        let mut tasks = JoinSet::new();
        let ready: Arc<[AtomicBool]> = (0..crowd.apis()).map(|_| AtomicBool::new(true)).collect();
        if manner == Manner::GoesWhereItIsReady {
            for api in 0..crowd.apis() {
                tasks.spawn(watch(crowd.clone(), api, Arc::clone(&ready), stop.clone()));
            }
        }
        for number in 0..count {
            let (crowd, path) = (crowd.clone(), path.to_owned());
            let (stop, calls) = (stop.clone(), Arc::clone(&calls));
            let ready = Arc::clone(&ready);
            tasks.spawn(async move {
                while !stop.is_cancelled() {
                    let started = Instant::now();
                    let outcome = call(&crowd, number, &path, manner, &ready).await;
                    note(&calls, &outcome, started.elapsed());
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
        Self { stop, tasks, calls }
    }

    /// Waits for the calls under way, and tells what became of all.
    pub async fn stop(mut self) -> Calls {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }
}

fn note(calls: &Mutex<Calls>, outcome: &Result<u16, String>, took: Duration) {
    let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
    calls.note(outcome, took);
}

/// Asks an api every now and then whether it is ready.
async fn watch(crowd: Crowd, api: usize, ready: Arc<[AtomicBool]>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let answer = crowd.call(api, Method::GET, "/readyz", None).await;
        ready[api].store(answer.is_ok_and(|one| one.status.is_success()), Ordering::Relaxed);
        tokio::time::sleep(WATCH).await;
    }
}

async fn call(
    crowd: &Crowd,
    number: usize,
    path: &str,
    manner: Manner,
    ready: &[AtomicBool],
) -> Result<u16, String> {
    let attempts = if manner == Manner::TakesNote { 1 } else { crowd.apis() };
    let is_ready = |place: &usize| ready[place % ready.len()].load(Ordering::Relaxed);
    let first = (number..number + ready.len()).find(is_ready).unwrap_or(number);
    let mut outcome = Err("no api".to_owned());
    for attempt in 0..attempts {
        let answer = crowd.call(first + attempt, Method::GET, path, None).await;
        let refused = answer.as_ref().is_err_and(reqwest::Error::is_connect);
        let away = manner == Manner::AsksTheNext
            && answer.as_ref().is_ok_and(|one| one.status == StatusCode::SERVICE_UNAVAILABLE);
        outcome = answer.map(|answer| answer.status.as_u16()).map_err(|error| chain(&error));
        if !refused && !away {
            break;
        }
    }
    outcome
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
