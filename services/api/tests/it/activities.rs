use std::sync::Arc;

use api::activities::{ActivitiesError, ActivitiesRpc, Activity, Totals, Upserted};
use api::sync::{SyncError, SyncPage};
use api_port::activities_v1::{
    self as proto, ActivitiesService as _, LocalActivitiesService, UpsertActivitiesRequest,
};
use treaty_error::Code;
use treaty_rpc::{Caller, Context};
use uuid::Uuid;

use crate::support::{SYNC, activities, activity, athlete, database, eventually, first_page, page};

fn counts(inserted: i32, updated: i32, unchanged: i32) -> Upserted {
    Upserted { inserted, updated, unchanged }
}

#[tokio::test]
async fn a_batch_is_inserted_once_and_only_changes_are_written() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let service = activities(&pool);
    let batch: Vec<Activity> = (1..=1000).map(|number| activity(ada, number)).collect();
    let page = first_page(&pool, ada).await;
    assert_eq!(service.upsert(&page, batch.clone()).await.unwrap(), counts(1000, 0, 0));
    assert_eq!(service.upsert(&page, batch.clone()).await.unwrap(), counts(0, 0, 1000));

    let mut changed = batch[..3].to_vec();
    changed[0].name = "A new title".to_owned();
    changed[1].device_name = None;
    changed.push(activity(ada, 1001));
    assert_eq!(service.upsert(&page, changed.clone()).await.unwrap(), counts(1, 2, 1));
    assert_eq!(service.get(1).await.unwrap(), changed[0]);
    assert_eq!(service.get(2).await.unwrap().device_name, None);
    assert!(matches!(service.get(9999).await, Err(ActivitiesError::NotFound)));
}

#[tokio::test]
async fn an_activity_never_changes_hands_and_the_batch_fails_whole() {
    let pool = database().await;
    let (ada, bob) =
        (athlete(&pool, "ada").await.athlete_id, athlete(&pool, "bob").await.athlete_id);
    let service = activities(&pool);
    let page = first_page(&pool, ada).await;
    service.upsert(&page, vec![activity(ada, 2)]).await.unwrap();
    let batch = (1..=3).map(|number| activity(bob, number)).collect();
    let refused = service.upsert(&first_page(&pool, bob).await, batch).await;
    assert!(matches!(refused, Err(ActivitiesError::OfAnotherAthlete(2))), "{refused:?}");
    assert_eq!(service.get(2).await.unwrap().athlete_id, ada);
    assert!(service.get(1).await.is_err(), "nothing of the batch may stay");
}

#[tokio::test]
async fn nor_does_one_that_another_athlete_gets_at_the_same_moment() {
    let pool = database().await;
    let (ada, bob) =
        (athlete(&pool, "ada").await.athlete_id, athlete(&pool, "bob").await.athlete_id);
    let service = activities(&pool);
    service.upsert(&first_page(&pool, ada).await, vec![activity(ada, 1)]).await.unwrap();
    let mut other = pool.begin().await.unwrap();
    // What bob's page comes upon is written and not committed.
    sqlx::query("UPDATE activities SET activity_id = 2").execute(&mut *other).await.unwrap();
    let page = first_page(&pool, bob).await;
    let batch = (2..=4).map(|number| activity(bob, number)).collect();
    let (writing, waiting) = (service.clone(), pool.clone());
    let writing = tokio::spawn(async move { writing.upsert(&page, batch).await });
    eventually("the page waits for the other transaction", async || {
        let waits: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&waiting)
        .await
        .unwrap();
        waits == 1
    })
    .await;
    other.commit().await.unwrap();
    let refused = writing.await.unwrap();
    assert!(matches!(refused, Err(ActivitiesError::OfAnotherAthlete(2))), "{refused:?}");
    assert_eq!(service.get(2).await.unwrap(), Activity { activity_id: 2, ..activity(ada, 1) });
    assert!(service.get(3).await.is_err(), "nothing of the batch may stay");
}

#[tokio::test]
async fn an_unknown_athlete_has_no_activities() {
    let pool = database().await;
    let (service, nobody) = (activities(&pool), Uuid::now_v7());
    let refused = service.upsert(&page(nobody, 1), vec![activity(nobody, 1)]).await;
    assert!(matches!(refused, Err(ActivitiesError::Sync(SyncError::AthleteNotFound))));
    let not_found = |error: ActivitiesError| matches!(error, ActivitiesError::AthleteNotFound);
    assert!(not_found(service.list(nobody, None, 10).await.unwrap_err()));
    assert!(not_found(service.totals(Some(nobody)).await.unwrap_err()));
}

#[tokio::test]
async fn overlapping_batches_at_the_same_time_end_in_exact_counts() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let service = activities(&pool);
    let page = first_page(&pool, ada).await;
    let batches = (0..8).map(|shift| {
        let service = service.clone();
        // Each in another order: the service has to sort them, or they wait for each other.
        let mut batch: Vec<_> = (1..=400).map(|number| activity(ada, number + shift)).collect();
        if shift % 2 == 0 {
            batch.reverse();
        }
        tokio::spawn(async move { service.upsert(&page, batch).await.unwrap() })
    });
    let mut inserted = 0;
    for batch in batches.collect::<Vec<_>>() {
        inserted += batch.await.unwrap().inserted;
    }
    assert_eq!(inserted, 407);
    assert_eq!(service.totals(Some(ada)).await.unwrap().activities, 407);
}

#[tokio::test]
async fn pages_are_newest_first_and_hold_every_activity_once() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let service = activities(&pool);
    let mut batch: Vec<_> = (1..=10).map(|number| activity(ada, number)).collect();
    // Some start at the same time: the identifier tells them apart.
    for activity in &mut batch[3..7] {
        activity.start_time = chrono::DateTime::UNIX_EPOCH;
    }
    service.upsert(&first_page(&pool, ada).await, batch).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = service.list(ada, after, 3).await.unwrap();
        seen.extend(page.activities.iter().map(|activity| activity.activity_id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, [10, 9, 8, 3, 2, 1, 7, 6, 5, 4]);
}

#[tokio::test]
async fn totals_are_sums() {
    let pool = database().await;
    let service = activities(&pool);
    assert_eq!(service.totals(None).await.unwrap(), Totals::default());
    for (name, first) in [("ada", 1), ("bob", 11)] {
        let id = athlete(&pool, name).await.athlete_id;
        let batch = (first..first + 10).map(|number| activity(id, number)).collect();
        service.upsert(&first_page(&pool, id).await, batch).await.unwrap();
        let own = service.totals(Some(id)).await.unwrap();
        assert_eq!((own.athletes, own.activities, own.moving_time_s), (1, 10, 600));
    }
    let all = service.totals(None).await.unwrap();
    let expected = Totals { athletes: 2, activities: 20, distance_m: 2010.0, moving_time_s: 1200 };
    assert_eq!(all, expected);
}

#[tokio::test]
async fn the_contract_admits_the_consumer_alone_and_names_wrong_fields() {
    let pool = database().await;
    let ada = athlete(&pool, "ada").await.athlete_id;
    let service = LocalActivitiesService::new(Arc::new(ActivitiesRpc::new(activities(&pool))));
    let consumer = Context::background().with_caller(Caller::Deployable("consumer".into()));
    let SyncPage { lease, .. } = first_page(&pool, ada).await;
    let request = |activity: proto::Activity| UpsertActivitiesRequest {
        athlete_id: ada.to_string(),
        activities: vec![activity],
        lease,
        ..UpsertActivitiesRequest::default()
    };
    let valid = proto::Activity {
        activity_id: 5,
        start_time: Some(api_port::well_known::Timestamp { seconds: 1, nanos: 0 }),
        ..proto::Activity::default()
    };
    let answer = service.upsert_activities(&consumer, request(valid.clone())).await.unwrap();
    assert_eq!(answer.inserted, 1);

    let operator = Context::background().with_caller(Caller::Operator);
    let refused = service.upsert_activities(&operator, request(valid.clone())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);

    let fraction = api_port::well_known::Duration { seconds: 1, nanos: 5 };
    let wrong = [
        (proto::Activity { start_time: None, ..valid.clone() }, "activities[0].start_time"),
        (proto::Activity { athlete_id: "x".into(), ..valid.clone() }, "activities[0].athlete_id"),
        (
            proto::Activity { moving_time: Some(fraction), ..valid.clone() },
            "activities[0].moving_time",
        ),
        (proto::Activity { activity_id: -1, ..valid.clone() }, "activities[0].activity_id"),
    ];
    for (activity, field) in wrong {
        let refused = service.upsert_activities(&consumer, request(activity)).await.unwrap_err();
        assert_eq!(refused.violations()[0].field, field);
    }
    let unfenced = UpsertActivitiesRequest { lease: 0, ..request(valid.clone()) };
    let refused = service.upsert_activities(&consumer, unfenced).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "lease");
    let stale = UpsertActivitiesRequest { lease: lease + 1, ..request(valid) };
    let refused = service.upsert_activities(&consumer, stale).await.unwrap_err();
    assert_eq!(refused.code(), Code::Aborted);
    assert_eq!(refused.retry_after(), Some(SYNC.lease_time));
}
