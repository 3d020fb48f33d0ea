//! Time to check messages of the api by the rules of their contract, in one process.

mod theirs;

use std::hint::black_box;
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};
use bench_timed::Timed;
use prost::Message;
use prost_protovalidate::Validator;
use prost_reflect::ReflectMessage;
use prost_types::{Duration, Timestamp};
use stravasync_activities_v1::{Activity, UpsertActivitiesRequest};
use stravasync_sync_v1::{AthleteSyncEnded, SyncAthlete};

const OURS: &str = "treaty-validate";
const COMPILED: &str = "prost-protovalidate-build";
const REFLECTIVE: &str = "prost-protovalidate";

const ATHLETE: &str = "0198b5a1-6a1c-7c3e-9d43-5a0f8be1c210";

/// One way to check a message; tells whether it keeps the rules.
type Check = Box<dyn Fn() -> bool>;

fn main() -> Result<ExitCode> {
    let rounds = match std::env::args().nth(1) {
        None => 61,
        Some(rounds) => rounds.parse().context("a number of rounds")?,
    };
    println!("ns per message, lower quartile of {rounds} rounds\n");
    println!("| message | peer | check | to ours |");
    println!("| --- | --- | --- | --- |");
    let upsert = |count| UpsertActivitiesRequest {
        athlete_id: ATHLETE.to_owned(),
        activities: (1..=count).map(activity).collect(),
    };
    let job = SyncAthlete {
        athlete_id: ATHLETE.to_owned(),
        request_id: "schedule-2026-05-01T10:00:00Z".to_owned(),
        reason: 1,
        request_time: None,
        full: false,
    };
    let ended = AthleteSyncEnded {
        athlete_id: ATHLETE.to_owned(),
        request_id: "schedule-2026-05-01T10:00:00Z".to_owned(),
        outcome: 1,
        activities: 200,
        inserted: 3,
        end_time: None,
    };
    let mut fastest = true;
    for (name, checks) in [
        ("a job", compiled::<_, theirs::SyncAthlete>(&job)?),
        ("2 activities", compiled::<_, theirs::UpsertActivitiesRequest>(&upsert(2))?),
        ("100 activities", compiled::<_, theirs::UpsertActivitiesRequest>(&upsert(100))?),
        ("with an expression", reflective::<_, theirs::AthleteSyncEnded>(&ended)?),
    ] {
        fastest &= measure(name, checks, rounds)?;
    }
    if !fastest {
        println!("\nThe goal is missed: no peer may be faster.");
    }
    Ok(if fastest { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Ours, and theirs by reflection, which can do everything.
fn reflective<Ours, Theirs>(message: &Ours) -> Result<Vec<(&'static str, Check)>>
where
    Ours: Message + treaty_validate::Validate + Clone + 'static,
    Theirs: ReflectMessage + Default + 'static,
{
    let theirs = Theirs::decode(message.encode_to_vec().as_slice())?;
    let ours = message.clone();
    // What it compiles of rules stays in it.
    let validator = Validator::new();
    Ok(vec![
        (OURS, Box::new(move || treaty_validate::validate(black_box(&ours)).is_ok())),
        (REFLECTIVE, Box::new(move || validator.validate(black_box(&theirs)).is_ok())),
    ])
}

/// And theirs that is compiled, where there is no expression.
fn compiled<Ours, Theirs>(message: &Ours) -> Result<Vec<(&'static str, Check)>>
where
    Ours: Message + treaty_validate::Validate + Clone + 'static,
    Theirs: ReflectMessage + prost_protovalidate::Validate + Default + 'static,
{
    let theirs = Rc::new(Theirs::decode(message.encode_to_vec().as_slice())?);
    let mut checks = reflective::<Ours, Theirs>(message)?;
    checks.push((
        COMPILED,
        Box::new(move || prost_protovalidate::Validate::validate(&**black_box(&theirs)).is_ok()),
    ));
    Ok(checks)
}

/// Prints a row for each peer; tells whether none is faster.
fn measure(name: &str, checks: Vec<(&'static str, Check)>, rounds: u32) -> Result<bool> {
    let mut timed = Vec::new();
    for (peer, check) in checks {
        ensure!(check(), "{peer} does not find that {name} keeps the rules");
        timed.push((
            peer,
            Timed::new(Box::new(move || {
                black_box(check());
            })),
        ));
    }
    for _ in 0..rounds {
        timed.iter_mut().for_each(|(_, timed)| timed.sample());
    }
    let Some((_, ours)) = timed.iter().find(|(peer, _)| *peer == OURS) else {
        bail!("{OURS} is to be compared");
    };
    for (peer, timed) in &timed {
        println!("| {name} | {peer} | {:.0} | {:.1} |", timed.lower_quartile(), ours.to(timed));
    }
    Ok(timed.iter().all(|(_, timed)| ours.to(timed) >= 1.0))
}

fn activity(number: i32) -> Activity {
    Activity {
        activity_id: 12_345_678_901 + i64::from(number),
        athlete_id: ATHLETE.to_owned(),
        name: "Morning ride through the woods".to_owned(),
        sport_type: "GravelRide".to_owned(),
        start_time: Some(Timestamp { seconds: 1_777_724_109, nanos: 0 }),
        timezone: "(GMT+01:00) Europe/Berlin".to_owned(),
        moving_time: Some(Duration { seconds: 4_207, nanos: 0 }),
        elapsed_time: Some(Duration { seconds: 4_410, nanos: 0 }),
        distance_m: 28_099.5,
        elevation_gain_m: 516.25,
        average_speed_mps: Some(6.679),
        max_speed_mps: Some(18.5),
        average_watts: Some(185.6),
        kilojoules: Some(780.8),
        average_heartrate_bpm: Some(140.3),
        gear_id: Some("b12345678987".to_owned()),
        device_name: Some("Garmin Edge 1030".to_owned()),
        kudos_count: 19,
        ..Activity::default()
    }
}
