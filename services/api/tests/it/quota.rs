//! The quota on a real Postgres, with several processes at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::quota::{
    Asked, Count, Counts, PgQuota, Priority, Quota, QuotaRepository as _, QuotaSettings,
    Reservation, Usage, WaitReason,
};
use chrono::TimeDelta;
use sqlx::PgPool;

use crate::support::database;

/// A window of a day, so that none turns during a test but at midnight.
const SETTINGS: QuotaSettings = QuotaSettings {
    window: TimeDelta::days(1),
    day: TimeDelta::days(1),
    margin: TimeDelta::zero(),
    reserve_percent: 10,
    probe_patience: TimeDelta::seconds(60),
    wary_patience: TimeDelta::seconds(60),
};

fn asked(priority: Priority, calls: i64) -> Asked {
    Asked { priority, calls }
}

/// The quota as another process sees it: only the database is shared.
fn quota(pool: &PgPool) -> Quota {
    Quota::new(Arc::new(PgQuota::new(pool.clone())), SETTINGS)
}

/// Makes the first call of the window, whose answer says how many reads are allowed.
async fn begin(quota: &Quota, limit: i64) {
    let (probe, window_started_at) =
        quota.reserve(asked(Priority::Interactive, 9), None).await.unwrap();
    assert!(matches!(probe, Reservation::Granted { calls: 1, probe: true, .. }), "{probe:?}");
    let plenty = Some(Count { limit: 1_000_000, used: 1 });
    let reads = Some(Count { limit, used: 1 });
    let counts = Counts { window: plenty, day: plenty, read_window: reads, read_day: plenty };
    quota.report(Usage { window_started_at, counts, refused: false }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_at_once_never_reserve_more_than_the_limit_and_leave_the_reserve() {
    const LIMIT: i64 = 400;
    let pool = database().await;
    begin(&quota(&pool), LIMIT).await;
    let reserved = Arc::new(AtomicI64::new(1));
    // Six processes of four jobs each take whatever they get.
    let jobs = (0..6).flat_map(|_| vec![quota(&pool); 4]).map(|quota| {
        let reserved = Arc::clone(&reserved);
        tokio::spawn(async move {
            loop {
                let (reservation, _) =
                    quota.reserve(asked(Priority::Background, 3), None).await.unwrap();
                match reservation {
                    Reservation::Granted { calls, .. } => {
                        reserved.fetch_add(calls, Ordering::SeqCst);
                    }
                    Reservation::Wait { reason, .. } => return reason,
                }
            }
        })
    });
    for job in jobs.collect::<Vec<_>>() {
        assert_eq!(job.await.unwrap(), WaitReason::Reserved);
    }
    assert_eq!(reserved.load(Ordering::SeqCst), LIMIT * 9 / 10, "a tenth is kept");
    let mut urgent = 0;
    let quota = quota(&pool);
    while let (Reservation::Granted { calls, .. }, _) =
        quota.reserve(asked(Priority::Interactive, 3), None).await.unwrap()
    {
        urgent += calls;
    }
    assert_eq!(urgent, LIMIT / 10);
    let counts = quota.state().await.unwrap().counts;
    assert_eq!(counts.read_window, Count { limit: LIMIT, used: LIMIT });
}

#[tokio::test]
async fn one_process_probes_and_the_others_wait_for_its_answer() {
    let pool = database().await;
    let (one, two) = (quota(&pool), quota(&pool));
    let (probe, window_started_at) =
        one.reserve(asked(Priority::Background, 9), None).await.unwrap();
    assert!(matches!(probe, Reservation::Granted { probe: true, .. }), "{probe:?}");
    let (waits, _) = two.reserve(asked(Priority::Interactive, 1), None).await.unwrap();
    assert!(matches!(waits, Reservation::Wait { reason: WaitReason::Probed, .. }), "{waits:?}");

    let refused = Usage { window_started_at, counts: Counts::default(), refused: true };
    one.report(refused).await.unwrap();
    let (waits, _) = two.reserve(asked(Priority::Interactive, 1), None).await.unwrap();
    assert!(matches!(waits, Reservation::Wait { reason: WaitReason::Refused, .. }), "{waits:?}");
    let state = two.state().await.unwrap();
    assert_eq!(state.closed_until, Some(window_started_at + SETTINGS.window));
}

#[tokio::test]
async fn a_process_that_was_frozen_between_reading_and_writing_writes_nothing() {
    let pool = database().await;
    let keeper = PgQuota::new(pool.clone());
    begin(&quota(&pool), 100).await;
    let before = keeper.read().await.unwrap();
    // Nothing is locked meanwhile: others go on.
    let reservation = quota(&pool).reserve(asked(Priority::Background, 1), None).await.unwrap().0;
    assert!(matches!(reservation, Reservation::Granted { .. }), "{reservation:?}");
    assert!(!keeper.replace(before.version, &before.state).await.unwrap());
    let now = keeper.read().await.unwrap();
    assert_eq!(now.state.counts.read_window.used, 2);
    assert!(keeper.replace(now.version, &now.state).await.unwrap());
}
