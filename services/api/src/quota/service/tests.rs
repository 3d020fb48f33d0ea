use chrono::TimeDelta;
use treaty_error::{Code, Error};

use super::*;
use crate::quota::repository::MockQuotaRepository;
use crate::quota::{Count, Counts, Priority, VersionedState};

const SETTINGS: QuotaSettings = QuotaSettings {
    window: TimeDelta::seconds(900),
    day: TimeDelta::seconds(86_400),
    margin: TimeDelta::seconds(2),
    reserve_percent: 10,
    probe_patience: TimeDelta::seconds(2),
    wary_patience: TimeDelta::seconds(120),
};

fn versioned(version: i64) -> VersionedState {
    let count = Count { limit: 100, used: 0 };
    let state = QuotaState {
        window_started_at: DateTime::UNIX_EPOCH,
        day_started_at: DateTime::UNIX_EPOCH,
        counts: Counts { window: count, day: count, read_window: count, read_day: count },
        answered: true,
        probed_until: None,
        refused: false,
        closed_until: None,
    };
    VersionedState { state, version, now: DateTime::UNIX_EPOCH + TimeDelta::seconds(60) }
}

const ONE: Asked = Asked { priority: Priority::Background, calls: 1 };

#[tokio::test]
async fn who_was_overtaken_reads_again() {
    let mut repository = MockQuotaRepository::new();
    let mut version = 0;
    repository.expect_read().times(3).returning(move || {
        version += 1;
        Ok(versioned(version))
    });
    repository.expect_replace().returning(|version, _| Ok(version == 3));
    let quota = Quota::new(Arc::new(repository), SETTINGS);
    let (reservation, _) = quota.reserve(ONE, None).await.unwrap();
    assert!(matches!(reservation, Reservation::Granted { calls: 1, .. }), "{reservation:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_overtaken_for_ever_says_so() {
    let mut repository = MockQuotaRepository::new();
    repository.expect_read().returning(|| Ok(versioned(1)));
    repository.expect_replace().returning(|_, _| Ok(false));
    let quota = Quota::new(Arc::new(repository), SETTINGS);
    let error = Error::from(quota.reserve(ONE, None).await.unwrap_err());
    assert_eq!(error.code(), Code::Aborted);
    assert!(error.retry_after().is_some());
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let mut repository = MockQuotaRepository::new();
    repository.expect_read().returning(|| {
        let mut spent = versioned(1);
        spent.state.counts.window.used = 100;
        Ok(spent)
    });
    let quota = Quota::new(Arc::new(repository), SETTINGS);
    let (reservation, _) = quota.reserve(ONE, None).await.unwrap();
    assert!(matches!(reservation, Reservation::Wait { .. }), "{reservation:?}");
    assert_eq!(quota.state().await.unwrap().counts.window.used, 100);
}
