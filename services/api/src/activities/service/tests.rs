use chrono::DateTime;
use mockall::predicate::{always, eq};

use super::*;
use crate::activities::repository::MockActivitiesRepository;

fn activity(activity_id: i64) -> Activity {
    Activity {
        activity_id,
        athlete_id: Uuid::nil(),
        name: "Lunch Run".to_owned(),
        sport_type: "Run".to_owned(),
        start_time: DateTime::UNIX_EPOCH,
        timezone: "(GMT+00:00) UTC".to_owned(),
        moving_time_s: 60,
        elapsed_time_s: 61,
        distance_m: 100.0,
        elevation_gain_m: 1.0,
        average_speed_mps: None,
        max_speed_mps: None,
        average_watts: None,
        kilojoules: None,
        average_heartrate_bpm: None,
        gear_id: None,
        device_name: None,
        kudos_count: 0,
        trainer: false,
        commute: false,
        manual: false,
        private: false,
    }
}

fn service(repository: MockActivitiesRepository) -> Activities {
    Activities::new(Arc::new(repository))
}

#[tokio::test]
async fn repeated_activities_are_written_once_in_order_and_counted() {
    let mut repository = MockActivitiesRepository::new();
    repository
        .expect_upsert()
        .withf(|_, batch| {
            let ids: Vec<_> = batch.iter().map(|activity| activity.activity_id).collect();
            ids == [1, 2] && batch[0].name == "the last one"
        })
        .returning(|_, _| Ok(Upserted { inserted: 2, ..Upserted::default() }));
    let last = Activity { name: "the last one".to_owned(), ..activity(1) };
    let batch = vec![activity(2), activity(1), last];
    let page = SyncPage { athlete_id: Uuid::nil(), lease: 1, next: None, unusable: 0 };
    let upserted = service(repository).upsert(&page, batch).await.unwrap();
    assert_eq!(upserted, Upserted { inserted: 2, updated: 0, unchanged: 1 });
}

#[tokio::test]
async fn an_athlete_without_activities_is_told_from_an_unknown_one() {
    for known in [true, false] {
        let mut repository = MockActivitiesRepository::new();
        repository.expect_list().with(always(), eq(None), eq(3)).returning(|_, _, _| Ok(vec![]));
        repository.expect_totals().returning(|_| Ok(Totals::default()));
        repository.expect_athlete_exists().returning(move |_| Ok(known));
        let service = service(repository);
        assert_eq!(service.list(Uuid::nil(), None, 2).await.is_ok(), known);
        assert_eq!(service.totals(Some(Uuid::nil())).await.is_ok(), known);
        assert!(service.totals(None).await.is_ok());
    }
}
