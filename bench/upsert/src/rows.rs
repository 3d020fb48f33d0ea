//! What is written.

use anyhow::{Context as _, Result};
use api::activities::Activity;
use chrono::{DateTime, TimeDelta};
use sqlx::PgPool;
use uuid::Uuid;

/// The activities of one athlete, in the order of their identifiers.
pub(crate) struct Rows {
    pub(crate) athlete: Uuid,
    pub(crate) activities: Vec<Activity>,
}

impl Rows {
    /// An athlete who is in the database, and so many activities that are not, numbered from
    /// `first` on.
    pub(crate) async fn new(pool: &PgPool, first: usize, count: usize) -> Result<Self> {
        let athlete = Uuid::now_v7();
        let insert = "INSERT INTO athletes (athlete_id, display_name, email) \
                      VALUES ($1, 'A', $1::text || '@example.org')";
        sqlx::query(insert).bind(athlete).execute(pool).await?;
        let activities = (first..first + count).map(|number| activity(athlete, number));
        Ok(Self { athlete, activities: activities.collect::<Result<_>>()? })
    }

    /// Changes each activity a little, as a later look at Strava may find it.
    pub(crate) fn change(&mut self) {
        for activity in &mut self.activities {
            activity.name.push('!');
            activity.kudos_count += 1;
        }
    }
}

fn activity(athlete_id: Uuid, number: usize) -> Result<Activity> {
    let number = i32::try_from(number)?;
    let start = DateTime::from_timestamp(1_700_000_000, 0).context("a time")?;
    Ok(Activity {
        activity_id: 15_000_000_000 + i64::from(number),
        athlete_id,
        name: format!("Morning Run {number}"),
        sport_type: "Run".to_owned(),
        start_time: start - TimeDelta::hours(30) * number,
        timezone: "(GMT+01:00) Europe/Berlin".to_owned(),
        moving_time_s: 3_000 + number % 500,
        elapsed_time_s: 3_100 + number % 500,
        distance_m: 10_000.0 + f64::from(number % 1_000),
        elevation_gain_m: f64::from(number % 300),
        average_speed_mps: Some(3.2),
        max_speed_mps: Some(5.1),
        average_watts: (number % 2 == 0).then_some(210.5),
        kilojoules: (number % 2 == 0).then_some(650.0),
        average_heartrate_bpm: (number % 3 != 0).then_some(141.2),
        gear_id: (number % 5 != 0).then(|| "b1234567".to_owned()),
        device_name: Some("Garmin Edge 840".to_owned()),
        kudos_count: number % 60,
        trainer: false,
        commute: number % 20 == 0,
        manual: number % 30 == 0,
        private: number % 20 == 1,
    })
}
