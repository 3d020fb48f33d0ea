//! The JSON of an activity and of an athlete, with every field and oddity of the real one.

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::catalogue::{is_outdoors, legacy_type};
use crate::generate::{ATHLETE_ID_BASE, Activity, Generator};
use crate::random::Random;
use crate::track::{Map, track};

const DETAIL_STREAM: u64 = 4;

/// What a list of activities has of each.
///
/// A field that is `Option` and skipped is absent from some activities; one that is `Option` and not
/// skipped is `null` in some. Both happen at Strava.
#[derive(Debug, Serialize)]
pub(crate) struct SummaryActivity {
    resource_state: u8,
    id: u64,
    athlete: AthleteRef,
    name: String,
    sport_type: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    legacy_type: Option<String>,
    workout_type: Option<u8>,
    distance: f64,
    moving_time: u32,
    elapsed_time: u32,
    total_elevation_gain: f64,
    start_date: String,
    start_date_local: String,
    timezone: &'static str,
    utc_offset: f64,
    visibility: &'static str,
    private: bool,
    trainer: bool,
    commute: bool,
    manual: bool,
    flagged: bool,
    gear_id: Option<String>,
    start_latlng: Option<Vec<f64>>,
    end_latlng: Option<Vec<f64>>,
    map: Option<Map>,
    upload_id: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_id_str: Option<String>,
    external_id: Option<String>,
    #[serde(flatten)]
    performance: Performance,
    #[serde(flatten)]
    social: Option<Social>,
}

#[derive(Debug, Serialize)]
struct AthleteRef {
    id: u64,
    resource_state: u8,
}

/// What sensors measured; whoever has no sensor lacks the fields.
#[derive(Debug, Serialize)]
struct Performance {
    average_speed: f64,
    max_speed: f64,
    has_heartrate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_heartrate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_heartrate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suffer_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_watts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_watts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weighted_average_watts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kilojoules: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_watts: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elev_high: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elev_low: Option<f64>,
}

/// What others made of it; a sparse activity lacks all of these.
#[derive(Debug, Serialize)]
struct Social {
    achievement_count: u64,
    kudos_count: u64,
    comment_count: u64,
    athlete_count: u64,
    photo_count: u64,
    total_photo_count: u64,
    has_kudoed: bool,
    hide_from_home: bool,
    from_accepted_tag: bool,
    display_hide_heartrate_option: bool,
    heartrate_opt_out: bool,
    pr_count: u64,
}

/// One activity by itself: the summary and a little more.
#[derive(Debug, Serialize)]
pub(crate) struct DetailedActivity {
    #[serde(flatten)]
    summary: SummaryActivity,
    description: Option<&'static str>,
    calories: f64,
    embed_token: String,
}

/// Writes activities out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renderer<'a> {
    pub(crate) generator: &'a Generator,
    pub(crate) oversized_upload_id_every: u64,
}

impl Renderer<'_> {
    pub(crate) fn detailed(&self, activity: &Activity) -> DetailedActivity {
        let mut random = Random::new(self.generator.seed(), &[DETAIL_STREAM, activity.id, 1]);
        let mut summary = self.summary(activity);
        summary.resource_state = 3;
        DetailedActivity {
            summary,
            description: random.percent(20).then_some("Felt good."),
            calories: random.between(800, 12_000) as f64 / 10.0,
            embed_token: random.token(),
        }
    }

    pub(crate) fn summary(&self, activity: &Activity) -> SummaryActivity {
        let mut random = Random::new(self.generator.seed(), &[DETAIL_STREAM, activity.id, 0]);
        let athlete = self.generator.athlete(activity.athlete);
        let manual = random.percent(3);
        let sparse = random.percent(1);
        let (map, start_latlng, end_latlng) =
            track(&mut random, activity, &athlete, manual, sparse);
        let upload_id = (!manual).then(|| self.upload_id(&mut random, activity.id)).flatten();
        let offset = athlete.home.utc_offset;
        SummaryActivity {
            resource_state: 2,
            id: activity.id,
            athlete: AthleteRef { id: ATHLETE_ID_BASE + activity.athlete, resource_state: 1 },
            name: activity.name.clone().into_owned(),
            sport_type: activity.sport_type.clone().into_owned(),
            legacy_type: (!sparse).then(|| legacy_type(&activity.sport_type).to_owned()),
            workout_type: random.percent(40).then(|| *random.pick(&[0, 1, 2, 3, 10, 11, 12])),
            distance: f64::from(activity.distance_dm) / 10.0,
            moving_time: activity.moving_time,
            elapsed_time: activity.elapsed_time,
            total_elevation_gain: f64::from(activity.elevation_gain_dm) / 10.0,
            start_date: rfc3339(activity.start_date),
            // Strava writes the local time with a `Z` that is not true.
            start_date_local: rfc3339(activity.start_date + i64::from(offset)),
            timezone: athlete.home.timezone,
            utc_offset: f64::from(offset),
            visibility: activity.visibility.name(),
            private: activity.is_private(),
            trainer: !manual && !is_outdoors(&activity.sport_type) && random.percent(50),
            commute: random.percent(5),
            manual,
            flagged: random.once_in(500),
            gear_id: random
                .percent(60)
                .then(|| format!("b{}", random.between(1_000_000, 9_999_999))),
            start_latlng,
            end_latlng,
            map,
            upload_id_str: upload_id.as_ref().map(|id| id.get().to_owned()),
            external_id: upload_id.as_ref().map(|_| external_id(&mut random)),
            upload_id,
            performance: performance(&mut random, activity, manual),
            social: (!sparse).then(|| social(&mut random)),
        }
    }

    /// A number, and now and then one that no 64-bit integer holds, as in Strava's own example.
    fn upload_id(&self, random: &mut Random, activity_id: u64) -> Option<Box<RawValue>> {
        let text = if random.once_in(self.oversized_upload_id_every) {
            format!("{}{:05}", u64::MAX, activity_id % 100_000)
        } else {
            (activity_id + 1_000_000_000).to_string()
        };
        RawValue::from_string(text).ok()
    }
}

fn external_id(random: &mut Random) -> String {
    let number = random.between(1_000_000_000, 99_999_999_999);
    random.pick(&["garmin_ping_", "wahoo-", "zwift-activity-"]).to_string() + &number.to_string()
}

fn performance(random: &mut Random, activity: &Activity, manual: bool) -> Performance {
    let average_speed =
        f64::from(activity.distance_dm) / 10.0 / f64::from(activity.moving_time.max(1));
    let average_speed = (average_speed * 1_000.0).round() / 1_000.0;
    let has_heartrate = !manual && random.percent(65);
    let heartrate = has_heartrate.then(|| random.between(900, 1_700) as f64 / 10.0);
    let has_power = !manual && legacy_type(&activity.sport_type).ends_with("Ride");
    let watts = has_power.then(|| random.between(900, 3_200) as u32);
    let low = random.between(0, 9_000) as f64 / 10.0;
    let has_elevation = !manual && is_outdoors(&activity.sport_type);
    Performance {
        average_speed,
        max_speed: (average_speed * 1_500.0).round() / 1_000.0,
        has_heartrate,
        average_heartrate: heartrate,
        max_heartrate: heartrate.map(|rate| (rate + 20.0).round()),
        suffer_score: has_heartrate.then(|| random.between(1, 300) as f64),
        average_watts: watts.map(|watts| f64::from(watts) / 10.0),
        max_watts: watts.filter(|_| random.percent(50)).map(|watts| watts / 3),
        weighted_average_watts: watts.filter(|_| random.percent(50)).map(|watts| watts / 9),
        kilojoules: watts.map(|watts| {
            (f64::from(watts) * f64::from(activity.moving_time) / 1_000.0).round() / 10.0
        }),
        device_watts: watts.map(|_| random.percent(50)),
        device_name: (!manual)
            .then(|| *random.pick(&["Garmin Edge 840", "Wahoo BOLT", "Apple Watch", "Strava App"])),
        elev_high: has_elevation.then(|| low + f64::from(activity.elevation_gain_dm / 20)),
        elev_low: has_elevation.then_some(low),
    }
}

fn social(random: &mut Random) -> Social {
    let photos = if random.percent(15) { random.between(1, 6) } else { 0 };
    Social {
        achievement_count: random.below(6),
        kudos_count: random.below(60),
        comment_count: random.below(5),
        athlete_count: random.between(1, 4),
        photo_count: 0,
        total_photo_count: photos,
        has_kudoed: false,
        hide_from_home: random.percent(3),
        from_accepted_tag: false,
        display_hide_heartrate_option: random.percent(50),
        heartrate_opt_out: false,
        pr_count: random.below(3),
    }
}

/// A time as Strava writes it, in whole seconds with a `Z`.
pub(crate) fn rfc3339(unix_seconds: i64) -> String {
    DateTime::from_timestamp(unix_seconds, 0)
        .unwrap_or(DateTime::UNIX_EPOCH)
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oversized_upload_id_survives_both_forms() {
        let generator = Generator::new(1, 100, 0);
        let renderer = Renderer { generator: &generator, oversized_upload_id_every: 1 };
        let activities = (0..20).map(|sequence| generator.activity(0, sequence));
        let huge = activities.filter(|activity| {
            let summary = serde_json::to_string(&renderer.summary(activity)).unwrap();
            let detailed = serde_json::to_string(&renderer.detailed(activity)).unwrap();
            let number = "\"upload_id\":18446744073709551615";
            assert_eq!(summary.contains(number), detailed.contains(number));
            summary.contains(number)
        });
        assert!(huge.count() > 10);
    }

    #[test]
    fn oddities_appear_and_core_fields_are_always_there() {
        let generator = Generator::new(1, 500, 50);
        let renderer = Renderer { generator: &generator, oversized_upload_id_every: 0 };
        let values: Vec<serde_json::Value> = (0..500)
            .map(|k| serde_json::to_value(renderer.summary(&generator.activity(2, k))).unwrap())
            .collect();
        let core = [
            "id",
            "name",
            "sport_type",
            "start_date",
            "moving_time",
            "elapsed_time",
            "distance",
            "total_elevation_gain",
        ];
        assert!(values.iter().all(|v| core.iter().all(|field| !v[field].is_null())));
        assert!(values.iter().any(|v| v["start_latlng"].is_null()));
        assert!(values.iter().any(|v| v["start_latlng"].as_array().is_some_and(Vec::is_empty)));
        assert!(values.iter().any(|v| v["start_latlng"].as_array().is_some_and(|p| p.len() == 2)));
        assert!(values.iter().any(|v| v["manual"] == true && v["upload_id"].is_null()));
        assert!(values.iter().any(|v| v.get("kudos_count").is_none()));
        assert!(values.iter().any(|v| v["private"] == true));
    }
}
