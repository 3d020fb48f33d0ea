//! Attempts at one athlete that take the lease from each other all the time.

use std::sync::Arc;
use std::time::Duration;

use api::activities::{Activities, ActivitiesError, PgActivities};
use api::sync::{Admission, Job, Outcome, PgSyncs, SyncError, SyncSettings, Syncs};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::support::{SYNC, activity, athlete, database, job, page};

/// Many consumers at once, whose leases expire all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_races_nothing_stale_is_written_and_a_sync_ends_once() {
    const ROUNDS: u64 = 12;
    const WORKERS: u64 = 6;
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    // So short that it expires between any two pages.
    let settings = SyncSettings { lease_time: Duration::from_millis(2), ..SYNC };
    let syncs = Syncs::new(PgSyncs::new(pool.clone()), settings);
    let repository = PgActivities::new(pool.clone(), settings.lease_time);
    let activities = Activities::new(Arc::new(repository));
    let (mut written, mut refused, mut ended) = (0, 0, 0);
    for round in 0..ROUNDS {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (syncs, activities) = (syncs.clone(), activities.clone());
                let job = Job { full: true, ..job(ada, &format!("{round}:{}", worker % 3)) };
                let random = StdRng::seed_from_u64(seed ^ (round << 8) ^ worker);
                tokio::spawn(attempt(syncs, activities, job, random))
            })
            .collect();
        for worker in workers {
            let (pages, outcome) = worker.await.unwrap();
            written += pages;
            match outcome {
                Some(true) => ended += 1,
                Some(false) => refused += 1,
                None => {}
            }
        }
        // Marks never go back: each write came with the newest lease of its moment.
        let marks: Vec<i32> =
            sqlx::query_scalar("SELECT kudos_count FROM activities ORDER BY activity_id")
                .fetch_all(&pool)
                .await
                .unwrap();
        assert!(marks.is_sorted_by(|earlier, later| earlier >= later), "{marks:?}");
    }
    let twice: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE event LIKE '%AthleteSyncEnded' \
         GROUP BY message_id HAVING count(*) > 1) AS twice",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(twice, 0);
    println!("{written} pages written, {refused} attempts refused, {ended} ended");
    assert!(written > 0 && ended > 0 && refused > 0);
    assert_eq!(activities.totals(Some(ada)).await.unwrap().activities, 5);
}

/// One attempt at a list of five pages. Pages written, and whether it came to the end or was
/// refused; `None` when it was not admitted.
async fn attempt(
    syncs: Syncs,
    activities: Activities,
    job: Job,
    mut random: StdRng,
) -> (u32, Option<bool>) {
    let Admission::Admitted(session) = syncs.begin(&job).await.unwrap() else {
        return (0, None);
    };
    for number in 0..5 {
        tokio::time::sleep(Duration::from_micros(random.random_range(0..4000))).await;
        // Each attempt leaves its own mark on the same activities.
        let mut marked = activity(job.athlete_id, i64::from(number) + 1);
        marked.kudos_count = i32::try_from(session.lease).unwrap();
        match activities.upsert(&page(job.athlete_id, session.lease), vec![marked]).await {
            Ok(_) => {}
            Err(ActivitiesError::Sync(SyncError::Superseded { .. })) => {
                return (number, Some(false));
            }
            Err(error) => panic!("{error}"),
        }
    }
    match syncs.end(job.athlete_id, &job.request_id, session.lease, Outcome::Succeeded).await {
        Ok(_) => (5, Some(true)),
        Err(SyncError::Superseded { .. }) => (5, Some(false)),
        Err(error) => panic!("{error}"),
    }
}
