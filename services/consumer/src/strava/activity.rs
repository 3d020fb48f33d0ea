//! What Strava lists, and what of it the contract has.
//!
//! Strava promises little: every field may be absent or null, sports appear that no list has, and
//! its documentation's own example holds an `upload_id` beyond 64 bits. So only what is needed is
//! read, and an activity that cannot be used costs neither its page nor its athlete.

use std::time::SystemTime;

use chrono::{DateTime, Datelike as _, Utc};
use consumer_port::activities_v1::Activity;
use consumer_port::well_known::Duration;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::StravaError;

/// One page of an athlete's activities.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The activities that can be used; `athlete_id` stays empty, for it is ours and not Strava's.
    pub activities: Vec<Activity>,
    /// Of each activity that cannot be used, what it lacks.
    pub skipped: Vec<&'static str>,
}

impl Page {
    /// Whether Strava listed nothing, which ends the list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.activities.is_empty() && self.skipped.is_empty()
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self, StravaError> {
        let listed: Vec<&RawValue> =
            serde_json::from_slice(body).map_err(StravaError::Malformed)?;
        let mut page = Self::default();
        for raw in listed {
            let summary = serde_json::from_str::<Summary>(raw.get());
            match summary.map_err(|_| "readable fields").and_then(Summary::into_activity) {
                Ok(activity) => page.activities.push(activity),
                Err(lacks) => page.skipped.push(lacks),
            }
        }
        Ok(page)
    }
}

/// The fields of Strava's `SummaryActivity` that we keep. Whole numbers are read as any number, for
/// some come with a fraction of zero.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Summary {
    id: Option<i64>,
    name: Option<String>,
    sport_type: Option<String>,
    /// What there was before `sport_type`.
    #[serde(rename = "type")]
    legacy_type: Option<String>,
    start_date: Option<String>,
    timezone: Option<String>,
    moving_time: Option<f64>,
    elapsed_time: Option<f64>,
    distance: Option<f64>,
    total_elevation_gain: Option<f64>,
    average_speed: Option<f64>,
    max_speed: Option<f64>,
    average_watts: Option<f64>,
    kilojoules: Option<f64>,
    average_heartrate: Option<f64>,
    gear_id: Option<String>,
    device_name: Option<String>,
    kudos_count: Option<f64>,
    trainer: Option<bool>,
    commute: Option<bool>,
    manual: Option<bool>,
    private: Option<bool>,
    visibility: Option<String>,
}

impl Summary {
    /// What the contract has of it, or what it lacks.
    fn into_activity(self) -> Result<Activity, &'static str> {
        let only_me = self.visibility.as_deref() == Some("only_me");
        let start_date = self.start_date.and_then(time);
        Ok(Activity {
            activity_id: self.id.filter(|id| *id > 0).ok_or("id")?,
            athlete_id: String::new(),
            name: text(self.name).ok_or("name")?,
            sport_type: text(self.sport_type.or(self.legacy_type)).ok_or("sport_type")?,
            start_time: Some(SystemTime::from(start_date.ok_or("start_date")?).into()),
            timezone: text(self.timezone).unwrap_or_default(),
            moving_time: Some(seconds(self.moving_time).ok_or("a possible moving_time")?),
            elapsed_time: Some(seconds(self.elapsed_time).ok_or("a possible elapsed_time")?),
            distance_m: self.distance.unwrap_or_default(),
            elevation_gain_m: self.total_elevation_gain.unwrap_or_default(),
            average_speed_mps: self.average_speed,
            max_speed_mps: self.max_speed,
            average_watts: self.average_watts,
            kilojoules: self.kilojoules,
            average_heartrate_bpm: self.average_heartrate,
            gear_id: text(self.gear_id),
            device_name: text(self.device_name),
            kudos_count: self.kudos_count.and_then(whole).unwrap_or_default(),
            trainer: self.trainer.unwrap_or_default(),
            commute: self.commute.unwrap_or_default(),
            manual: self.manual.unwrap_or_default(),
            private: self.private.unwrap_or(only_me),
        })
    }
}

/// NUL is the one character that Postgres cannot keep; the api would refuse the batch for it.
fn text(text: Option<String>) -> Option<String> {
    text.map(|text| if text.contains('\0') { text.replace('\0', "") } else { text })
}

fn time(text: String) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(&text).ok()?.to_utc();
    (1..=9999).contains(&time.year()).then_some(time)
}

/// Absent is no time at all; a negative or endless one is a mistake.
fn seconds(number: Option<f64>) -> Option<Duration> {
    let seconds = whole(number.unwrap_or_default())?;
    Some(Duration { seconds: seconds.into(), nanos: 0 })
}

fn whole(number: f64) -> Option<i32> {
    let rounded = number.round();
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (0.0..=f64::from(i32::MAX)).contains(&rounded).then_some(rounded as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Page {
        Page::parse(json.as_bytes()).unwrap()
    }

    const LEAST: &str =
        r#""id":7,"name":"Run","sport_type":"Run","start_date":"2026-01-02T03:04:05Z""#;

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
            r#"[{{{LEAST}}},null,17,{{}},{{"id":8}},{{"id":0}},
            {{"id":8,"name":"x"}},{{"id":8,"name":"x","sport_type":"Run","start_date":"soon"}},
            {{{LEAST},"moving_time":-1}},{{{LEAST},"elapsed_time":1e300}},{{{LEAST},"distance":"far"}},
            {{"id":9223372036854775808}}]"#
        ));
        assert_eq!(page.activities.len(), 1);
        assert_eq!(
            page.skipped,
            [
                "readable fields",
                "readable fields",
                "id",
                "name",
                "id",
                "sport_type",
                "start_date",
                "a possible moving_time",
                "a possible elapsed_time",
                "readable fields",
                "readable fields",
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
}
