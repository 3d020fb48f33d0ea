use consumer_port::activities_v1::UpsertActivitiesRequest;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

fn parse(json: &str) -> Page {
    Page::parse(json.as_bytes()).unwrap()
}

const LEAST: &str = r#""id":7,"name":"Run","sport_type":"Run","start_date":"2026-01-02T03:04:05Z""#;

#[test]
fn the_least_activity_will_do() {
    let page = parse(&format!("[{{{LEAST}}}]"));
    let activity = &page.activities[0];
    assert_eq!((activity.activity_id, activity.name.as_str()), (7, "Run"));
    assert_eq!(activity.start_time.as_ref().unwrap().seconds, 1_767_323_045);
    assert_eq!(activity.moving_time, Some(Duration::default()));
    assert_eq!(activity.average_watts, None);
    assert!(activity.athlete_id.is_empty());
}

#[test]
fn nulls_strangers_and_oversized_numbers_do_no_harm() {
    let oddities = r#""upload_id":1844674407370955161512345,"distance":null,"private":null,
        "visibility":"only_me","gear_id":null,"kudos_count":3.0,"moving_time":61.0,
        "start_latlng":[],"map":{"x":[1e400]},"from_the_future":{"a":[{}]}"#;
    let page = parse(&format!("[{{{LEAST},{oddities}}}]"));
    assert_eq!(page.skipped, [""; 0]);
    let activity = &page.activities[0];
    assert!(activity.private);
    assert_eq!((activity.kudos_count, activity.distance_m), (3, 0.0));
    assert_eq!(activity.moving_time.as_ref().unwrap().seconds, 61);
}

#[test]
fn the_older_type_stands_in_and_nul_goes() {
    let json = r#"[{"id":7,"name":"a\u0000b","sport_type":null,"type":"Ride",
        "start_date":"2026-01-02T03:04:05Z"}]"#;
    let activity = &parse(json).activities[0];
    assert_eq!((activity.name.as_str(), activity.sport_type.as_str()), ("ab", "Ride"));
}

#[test]
fn an_unusable_activity_costs_itself_alone() {
    let page = parse(&format!(
        r#"[{{{LEAST}}},null,17,{{}},{{"id":8}},{{"id":0}},[],
        {{"id":8,"name":"x","sport_type":"Run","start_date":"soon"}},
        {{{LEAST},"moving_time":-1}},{{{LEAST},"elapsed_time":1e300}},
        {{"id":9223372036854775808}}]"#
    ));
    assert_eq!(page.activities.len(), 1);
    assert_eq!(
        page.skipped,
        [
            "fields",
            "fields",
            "id",
            "start_date",
            "id",
            "fields",
            "start_date",
            "a possible moving_time",
            "a possible elapsed_time",
            "id",
        ]
    );
    assert!(!page.is_empty());
}

#[test]
fn only_the_empty_list_is_empty_and_only_a_list_is_read() {
    assert!(parse(" [ ] ").is_empty());
    for strange in ["", "{", "{}", "<!DOCTYPE html>", "[{\"id\":1}", "null"] {
        assert!(matches!(Page::parse(strange.as_bytes()), Err(StravaError::Malformed(_))));
    }
}

#[test]
fn a_field_of_a_strange_shape_is_absent() {
    let strange = r#""distance":"far","moving_time":[61],"average_watts":1e400,"private":"yes",
        "gear_id":17,"kudos_count":{},"max_speed":true,"timezone":["x"],"visibility":0,
        "max_speed":4.5,"device_name":"a\ud800b""#;
    let page = parse(&format!("[{{{LEAST},{strange}}}]"));
    assert_eq!(page.skipped, [""; 0]);
    let activity = &page.activities[0];
    assert_eq!((activity.distance_m, activity.kudos_count, activity.private), (0.0, 0, false));
    assert_eq!((activity.average_watts, activity.max_speed_mps), (None, Some(4.5)));
    assert_eq!((&activity.gear_id, &activity.device_name), (&None, &None));
    assert_eq!(activity.moving_time, Some(Duration::default()));
}

#[test]
fn an_activity_without_a_title_or_a_sport_is_one() {
    let page = parse(r#"[{"id":7,"name":null,"start_date":"2026-01-02T03:04:05Z"}]"#);
    assert_eq!((page.activities[0].name.as_str(), page.skipped.len()), ("", 0));
}

#[test]
fn a_character_that_is_none_costs_its_own_text_alone() {
    let mut body = format!("[{{{LEAST},\"gear_id\":\"a").into_bytes();
    body.extend(b"\xff\xfe\"}]");
    let page = Page::parse(&body).unwrap();
    assert_eq!(page.activities[0].gear_id.as_deref(), Some("a\u{fffd}\u{fffd}"));
}

/// A value of any shape, in JSON.
fn any_value(random: &mut StdRng, depth: u32) -> String {
    const SCALARS: [&str; 23] = [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "7",
        "61.0",
        "1e300",
        "1e400",
        "-1e400",
        "1e-400",
        "9223372036854775807",
        "9223372036854775808",
        "1844674407370955161512345",
        r#""""#,
        r#""Run""#,
        r#""a\u0000b""#,
        r#""\ud800""#,
        r#""2026-01-02T03:04:05Z""#,
        r#""9999-12-31T23:59:59-23:59""#,
        r#""0000-01-01T00:00:00Z""#,
        r#""only_me""#,
        "\"\u{1f6b4}\"",
    ];
    if depth == 0 || !random.random_bool(0.1) {
        return SCALARS[random.random_range(0..SCALARS.len())].to_owned();
    }
    let parts: Vec<_> =
        (0..random.random_range(0..4)).map(|_| any_value(random, depth - 1)).collect();
    if random.random_bool(0.5) {
        return format!("[{}]", parts.join(","));
    }
    let pairs = parts.iter().enumerate().map(|(place, part)| format!("\"{place}\":{part}"));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

/// An activity of which each field is as Strava has it, of any shape, there twice, or absent.
fn any_activity(random: &mut StdRng) -> String {
    const FIELDS: [(&str, &str); 26] = [
        ("id", "15000000000"),
        ("name", r#""Morning Ride""#),
        ("sport_type", r#""Ride""#),
        ("type", r#""Ride""#),
        ("start_date", r#""2026-01-02T03:04:05Z""#),
        ("start_date_local", r#""2026-01-02T04:04:05Z""#),
        ("timezone", r#""(GMT+01:00) Europe/Berlin""#),
        ("moving_time", "4500"),
        ("elapsed_time", "5400"),
        ("distance", "28099"),
        ("total_elevation_gain", "516"),
        ("average_speed", "6.7"),
        ("max_speed", "18.1"),
        ("average_watts", "175.3"),
        ("kilojoules", "788.7"),
        ("average_heartrate", "140.3"),
        ("gear_id", r#""b12345678987654321""#),
        ("device_name", r#""A watch""#),
        ("kudos_count", "5"),
        ("trainer", "false"),
        ("commute", "false"),
        ("manual", "false"),
        ("private", "false"),
        ("visibility", r#""followers_only""#),
        ("upload_id", "987654321234567891234"),
        ("map", r#"{"id":"a1","summary_polyline":null}"#),
    ];
    if random.random_bool(0.03) {
        return any_value(random, 2);
    }
    let oddness = random.random_range(0.0..0.3);
    let mut members = Vec::new();
    for (name, usual) in FIELDS {
        if !random.random_bool(oddness) {
            members.push(format!("\"{name}\":{usual}"));
        }
        if random.random_bool(oddness) {
            members.push(format!("\"{name}\":{}", any_value(random, 2)));
        }
    }
    format!("{{{}}}", members.join(","))
}

#[test]
fn each_listed_activity_is_used_or_skipped_and_the_api_takes_what_is_used() {
    let (mut used, mut skipped) = (0, 0);
    for seed in 0..2_000 {
        let mut random = StdRng::seed_from_u64(seed);
        let listed: Vec<_> =
            (0..random.random_range(0..12)).map(|_| any_activity(&mut random)).collect();
        let page = Page::parse(format!("[{}]", listed.join(",")).as_bytes()).unwrap();
        assert_eq!(page.activities.len() + page.skipped.len(), listed.len(), "seed {seed}");
        assert_eq!(page.is_empty(), listed.is_empty());
        used += page.activities.len();
        skipped += page.skipped.len();
        if page.activities.is_empty() {
            continue;
        }
        let athlete_id = "0b4d3b7e-5f36-4a8e-9d0a-6a4f1a9f6c01".to_owned();
        let activities = page.activities;
        let batch =
            UpsertActivitiesRequest { athlete_id, activities, lease: 1, ..Default::default() };
        treaty_validate::validate(&batch).unwrap_or_else(|error| panic!("seed {seed}: {error:?}"));
    }
    assert!(used > 4_000 && skipped > 500, "{used} used, {skipped} skipped");
}
