//! What is written and read: messages of the api, about 1 kB each, and a list of 100.

use anyhow::Result;
use prost_types::{Duration, Timestamp};
use stravasync_activities_v1::{Activity, ListActivitiesResponse, UpsertActivitiesRequest};
use stravasync_athletes_v1::{Athlete, ConnectionState, ListAthletesResponse};

use crate::peers::{self, Peer};

/// The same messages as prost-build and pbjson make them.
#[allow(warnings, clippy::all)]
mod theirs {
    pub mod activities {
        include!(concat!(env!("OUT_DIR"), "/stravasync.activities.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/stravasync.activities.v1.serde.rs"));
    }
    pub mod athletes {
        include!(concat!(env!("OUT_DIR"), "/stravasync.athletes.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/stravasync.athletes.v1.serde.rs"));
    }
}

/// A message with everybody who writes and reads it.
pub struct Case {
    pub name: &'static str,
    /// Length of its JSON.
    pub bytes: usize,
    pub peers: Vec<Peer>,
}

pub fn cases() -> Result<Vec<Case>> {
    let upsert = UpsertActivitiesRequest {
        athlete_id: "0198b5a1-6a1c-7c3e-9d43-5a0f8be1c210".to_owned(),
        activities: (0..2).map(activity).collect(),
    };
    let athletes = ListAthletesResponse {
        athletes: ["Anna Bergström", "José \"Pepe\" García", "Li Wei", "Mary Ann O'Neill"]
            .into_iter()
            .zip(1..)
            .map(|(name, number)| athlete(name, number))
            .collect(),
        next_page_token: "MDE5OGI1YTEtNmExYy03YzNl".to_owned(),
    };
    let activities = ListActivitiesResponse {
        activities: (0..100).map(activity).collect(),
        next_page_token: "MTIzNDU2Nzg5MDE".to_owned(),
    };
    Ok(vec![
        Case {
            name: "2 activities",
            bytes: treaty_json::to_vec(&upsert)?.len(),
            peers: peers::of::<_, theirs::activities::UpsertActivitiesRequest>(&upsert)?,
        },
        Case {
            name: "4 athletes",
            bytes: treaty_json::to_vec(&athletes)?.len(),
            peers: peers::of::<_, theirs::athletes::ListAthletesResponse>(&athletes)?,
        },
        Case {
            name: "100 activities",
            bytes: treaty_json::to_vec(&activities)?.len(),
            peers: peers::of::<_, theirs::activities::ListActivitiesResponse>(&activities)?,
        },
    ])
}

fn activity(number: i32) -> Activity {
    let metres = f64::from(number) * 117.3;
    Activity {
        activity_id: 12_345_678_901 + i64::from(number),
        athlete_id: "0198b5a1-6a1c-7c3e-9d43-5a0f8be1c210".to_owned(),
        name: "Morning ride through the woods".to_owned(),
        sport_type: "GravelRide".to_owned(),
        start_time: Some(Timestamp {
            seconds: 1_777_724_109 + 86_400 * i64::from(number),
            nanos: 0,
        }),
        timezone: "(GMT+01:00) Europe/Berlin".to_owned(),
        moving_time: Some(Duration { seconds: 4_207, nanos: 0 }),
        elapsed_time: Some(Duration { seconds: 4_410, nanos: 0 }),
        distance_m: 28_099.5 + metres,
        elevation_gain_m: 516.25,
        average_speed_mps: Some(6.679),
        max_speed_mps: Some(18.5),
        average_watts: (number % 3 > 0).then_some(185.6),
        kilojoules: (number % 3 > 0).then_some(780.8),
        average_heartrate_bpm: Some(140.3),
        gear_id: Some("b12345678987".to_owned()),
        device_name: Some("Garmin Edge 1030".to_owned()),
        kudos_count: 19 + number,
        trainer: false,
        commute: number % 2 == 0,
        manual: false,
        private: number % 7 == 0,
    }
}

fn athlete(name: &str, number: i32) -> Athlete {
    let time = |seconds| Some(Timestamp { seconds, nanos: 123_456_000 });
    Athlete {
        athlete_id: format!("0198b5a1-6a1c-7c3e-9d43-5a0f8be1c21{number}"),
        display_name: name.to_owned(),
        email: format!("somebody{number}@example.com"),
        connection_state: ConnectionState::Connected.into(),
        create_time: time(1_746_180_909),
        last_sync_time: time(1_777_724_109 + i64::from(number)),
    }
}
