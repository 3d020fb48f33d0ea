//! What the tests share.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api::activities::{Activities, Activity, PgActivities};
use api::athletes::{Athlete, Athletes, PgAthletes};
use api::connections::TokenKeeper;
use api::database;
use api::sync::{Admission, Job, PgSyncs, Session, SyncPage, SyncSettings, Syncs};
use api_port::sync_v1::SyncReason;
use chrono::{DateTime, TimeDelta};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use testbed::RunDirectory;
use treaty_secrets::{FileConfig, FileStore};
use uuid::Uuid;

/// A database of the test's own, with the schema in it.
pub(crate) async fn database() -> PgPool {
    let pool = connect(&fresh_url().await).await;
    database::migrate(&pool).await.unwrap();
    pool
}

/// Address of an empty database.
pub(crate) async fn fresh_url() -> String {
    tokio::task::spawn_blocking(|| testbed::fresh_database("api").1).await.unwrap()
}

pub(crate) async fn connect(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(12).connect(url).await.unwrap()
}

/// Connections to the database that wait for notifications.
pub(crate) async fn listeners(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// The keeper of tokens of a database, over encrypted files that all keepers of this database share.
pub(crate) async fn keeper(pool: &PgPool) -> TokenKeeper {
    TokenKeeper::new(pool.clone(), Arc::new(file_store(secrets_of(pool)).await))
}

/// Where the secrets of a database's athletes are.
pub(crate) fn secrets_of(pool: &PgPool) -> PathBuf {
    static DIRECTORY: OnceLock<RunDirectory> = OnceLock::new();
    // It goes with the process.
    let all = DIRECTORY.get_or_init(|| RunDirectory::disposable("api-secrets").unwrap());
    all.path().join(pool.connect_options().get_database().unwrap())
}

/// Encrypted files in a directory.
pub(crate) async fn file_store(directory: PathBuf) -> FileStore {
    FileStore::open(&FileConfig { directory, key_file: None }).await.unwrap()
}

pub(crate) fn athletes(pool: &PgPool) -> Athletes {
    Athletes::new(Arc::new(PgAthletes::new(pool.clone())))
}

pub(crate) async fn athlete(pool: &PgPool, name: &str) -> Athlete {
    athletes(pool).register(name, &format!("{name}@example.org")).await.unwrap()
}

/// What the configuration has when nothing is set.
pub(crate) const SYNC: SyncSettings = SyncSettings {
    lease_time: Duration::from_secs(60),
    overlap: Duration::from_secs(7 * 24 * 3600),
};

pub(crate) fn activities(pool: &PgPool) -> Activities {
    Activities::new(Arc::new(PgActivities::new(pool.clone(), SYNC.lease_time)))
}

pub(crate) fn syncs(pool: &PgPool) -> Syncs {
    Syncs::new(PgSyncs::new(pool.clone()), SYNC)
}

/// A job that is asked for now, in a message of its own.
pub(crate) fn job(athlete_id: Uuid, request_id: &str) -> Job {
    Job {
        athlete_id,
        request_id: request_id.to_owned(),
        reason: SyncReason::Schedule,
        requested_at: None,
        full: false,
        holder: format!("message of {request_id}"),
        attempt: 1,
    }
}

/// The session of a job that must be admitted.
pub(crate) async fn session(syncs: &Syncs, job: &Job) -> Session {
    match syncs.begin(job).await.unwrap() {
        Admission::Admitted(session) => session,
        other => panic!("{job:?} was not admitted: {other:?}"),
    }
}

/// A page that leaves the rest to the next one.
pub(crate) fn page(athlete_id: Uuid, lease: i64) -> SyncPage {
    SyncPage { athlete_id, lease, next: None, unusable: 0 }
}

/// A page of a sync that has just begun.
pub(crate) async fn first_page(pool: &PgPool, athlete_id: Uuid) -> SyncPage {
    page(athlete_id, session(&syncs(pool), &job(athlete_id, "r1")).await.lease)
}

/// An activity that starts `number` minutes after the epoch.
pub(crate) fn activity(athlete_id: Uuid, number: i64) -> Activity {
    Activity {
        activity_id: number,
        athlete_id,
        name: format!("Run {number}"),
        sport_type: "Run".to_owned(),
        start_time: DateTime::UNIX_EPOCH + TimeDelta::minutes(number),
        timezone: "(GMT+00:00) UTC".to_owned(),
        moving_time_s: 60,
        elapsed_time_s: 61,
        distance_m: 100.5,
        elevation_gain_m: 1.5,
        average_speed_mps: Some(1.5),
        max_speed_mps: None,
        average_watts: None,
        kilojoules: Some(2.5),
        average_heartrate_bpm: None,
        gear_id: None,
        device_name: Some("A watch".to_owned()),
        kudos_count: 3,
        trainer: false,
        commute: true,
        manual: false,
        private: false,
    }
}

/// Waits until the condition holds.
pub(crate) async fn eventually<F>(what: &str, mut condition: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    assert!(in_time.is_ok(), "waited in vain until {what}");
}
