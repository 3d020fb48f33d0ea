//! What Strava lists, and what of it the contract has.
//!
//! Strava promises little: every field may be absent or null, sports appear that no list has, and
//! its documentation's own example holds an `upload_id` beyond 64 bits. So only what is needed is
//! read, a field that has a strange shape is taken for absent, and an activity that cannot be used
//! costs neither its page nor its athlete.

use std::borrow::Cow;
use std::collections::HashMap;
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
        // A character that is none costs its own text alone.
        let text = String::from_utf8_lossy(body);
        let listed: Vec<&RawValue> = serde_json::from_str(&text).map_err(StravaError::Malformed)?;
        let mut page = Self::default();
        for raw in listed {
            match Summary::read(raw.get()).and_then(Summary::into_activity) {
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
    /// Reads all fields at once, and one by one where that fails.
    fn read(json: &str) -> Result<Self, &'static str> {
        // serde would take the members of a list for the fields in their order.
        if !json.starts_with('{') {
            return Err("fields");
        }
        serde_json::from_str(json).or_else(|_| Fields::read(json).map(|fields| fields.summary()))
    }

    /// What the contract has of it, or what it lacks.
    fn into_activity(self) -> Result<Activity, &'static str> {
        let only_me = self.visibility.as_deref() == Some("only_me");
        let start_date = self.start_date.and_then(time);
        Ok(Activity {
            activity_id: self.id.filter(|id| *id > 0).ok_or("id")?,
            athlete_id: String::new(),
            name: text(self.name).unwrap_or_default(),
            sport_type: text(self.sport_type.or(self.legacy_type)).unwrap_or_default(),
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

/// The fields of an activity of which at least one has a strange shape.
struct Fields<'a>(HashMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Fields<'a> {
    fn read(json: &'a str) -> Result<Self, &'static str> {
        serde_json::from_str(json).map(Self).map_err(|_| "fields")
    }

    /// A field, if it is what it should be.
    fn get<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    fn summary(&self) -> Summary {
        Summary {
            id: self.get("id"),
            name: self.get("name"),
            sport_type: self.get("sport_type"),
            legacy_type: self.get("type"),
            start_date: self.get("start_date"),
            timezone: self.get("timezone"),
            moving_time: self.get("moving_time"),
            elapsed_time: self.get("elapsed_time"),
            distance: self.get("distance"),
            total_elevation_gain: self.get("total_elevation_gain"),
            average_speed: self.get("average_speed"),
            max_speed: self.get("max_speed"),
            average_watts: self.get("average_watts"),
            kilojoules: self.get("kilojoules"),
            average_heartrate: self.get("average_heartrate"),
            gear_id: self.get("gear_id"),
            device_name: self.get("device_name"),
            kudos_count: self.get("kudos_count"),
            trainer: self.get("trainer"),
            commute: self.get("commute"),
            manual: self.get("manual"),
            private: self.get("private"),
            visibility: self.get("visibility"),
        }
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
mod tests;
