//! Activities as the contract shows them.

use api_port::activities_v1 as proto;
use api_port::well_known::Duration;
use async_trait::async_trait;
use treaty_error::{Error, Result};
use treaty_rpc::Context;
use uuid::Uuid;

use super::{Activities, Activity, ActivityKey};
use crate::sync::{ListPosition, SyncPage};
use crate::{convert, page};

/// Answers `ActivitiesService`.
pub struct ActivitiesRpc {
    service: Activities,
}

impl ActivitiesRpc {
    /// Over the rules.
    #[must_use]
    pub fn new(service: Activities) -> Self {
        Self { service }
    }
}

#[async_trait]
impl proto::ActivitiesService for ActivitiesRpc {
    async fn upsert_activities(
        &self,
        _context: &Context,
        request: proto::UpsertActivitiesRequest,
    ) -> Result<proto::UpsertActivitiesResponse> {
        let athlete_id = convert::athlete_id(&request.athlete_id)?;
        let batch = request
            .activities
            .into_iter()
            .enumerate()
            .map(|(index, activity)| model(athlete_id, index, activity))
            .collect::<Result<Vec<_>>>()?;
        let page = SyncPage {
            athlete_id,
            lease: request.lease,
            next: request.next_position.map(ListPosition::from),
            unusable: request.unusable,
        };
        let upserted = self.service.upsert(&page, batch).await?;
        Ok(proto::UpsertActivitiesResponse {
            inserted: upserted.inserted,
            updated: upserted.updated,
            unchanged: upserted.unchanged,
        })
    }

    async fn list_activities(
        &self,
        _context: &Context,
        request: proto::ListActivitiesRequest,
    ) -> Result<proto::ListActivitiesResponse> {
        let athlete_id = convert::athlete_id(&request.athlete_id)?;
        let size = page::size(request.page_size);
        let after = ActivityKey::decode(&request.page_token)?;
        let page = self.service.list(athlete_id, after, size).await?;
        Ok(proto::ListActivitiesResponse {
            activities: page.activities.into_iter().map(message).collect(),
            next_page_token: page.next.map(|key| key.encode()).unwrap_or_default(),
        })
    }

    async fn get_activity(
        &self,
        _context: &Context,
        request: proto::GetActivityRequest,
    ) -> Result<proto::GetActivityResponse> {
        let activity = self.service.get(request.activity_id).await?;
        Ok(proto::GetActivityResponse { activity: Some(message(activity)) })
    }

    async fn get_totals(
        &self,
        _context: &Context,
        request: proto::GetTotalsRequest,
    ) -> Result<proto::GetTotalsResponse> {
        let athlete_id = match request.athlete_id.as_str() {
            "" => None,
            text => Some(convert::athlete_id(text)?),
        };
        let totals = self.service.totals(athlete_id).await?;
        Ok(proto::GetTotalsResponse {
            athletes: totals.athletes,
            activities: totals.activities,
            distance_m: totals.distance_m,
            moving_time: Some(convert::duration(totals.moving_time_s)),
        })
    }
}

/// An activity of a request. What no type of ours can hold is refused here, with its path; the
/// rules are the service's.
fn model(athlete_id: Uuid, index: usize, activity: proto::Activity) -> Result<Activity> {
    let field = |name: &str| format!("activities[{index}].{name}");
    if !activity.athlete_id.is_empty()
        && Uuid::try_parse(&activity.athlete_id).ok() != Some(athlete_id)
    {
        let description = "must be empty or the athlete of the request";
        return Err(Error::invalid_field(field("athlete_id"), description));
    }
    let start_time = activity.start_time.as_ref().and_then(convert::time).ok_or_else(|| {
        Error::invalid_field(field("start_time"), "must be a time of the years 1 to 9999")
    })?;
    let seconds = |name: &str, duration: Option<Duration>| match duration {
        None => Ok(0),
        Some(Duration { seconds, nanos: 0 }) => i32::try_from(seconds)
            .map_err(|_| Error::invalid_field(field(name), "is longer than we can keep")),
        Some(_) => Err(Error::invalid_field(field(name), "must be whole seconds")),
    };
    Ok(Activity {
        activity_id: activity.activity_id,
        athlete_id,
        start_time,
        moving_time_s: seconds("moving_time", activity.moving_time)?,
        elapsed_time_s: seconds("elapsed_time", activity.elapsed_time)?,
        name: activity.name,
        sport_type: activity.sport_type,
        timezone: activity.timezone,
        distance_m: activity.distance_m,
        elevation_gain_m: activity.elevation_gain_m,
        average_speed_mps: activity.average_speed_mps,
        max_speed_mps: activity.max_speed_mps,
        average_watts: activity.average_watts,
        kilojoules: activity.kilojoules,
        average_heartrate_bpm: activity.average_heartrate_bpm,
        gear_id: activity.gear_id,
        device_name: activity.device_name,
        kudos_count: activity.kudos_count,
        trainer: activity.trainer,
        commute: activity.commute,
        manual: activity.manual,
        private: activity.private,
    })
}

fn message(activity: Activity) -> proto::Activity {
    proto::Activity {
        activity_id: activity.activity_id,
        athlete_id: activity.athlete_id.to_string(),
        name: activity.name,
        sport_type: activity.sport_type,
        start_time: Some(convert::timestamp(activity.start_time)),
        timezone: activity.timezone,
        moving_time: Some(convert::duration(activity.moving_time_s.into())),
        elapsed_time: Some(convert::duration(activity.elapsed_time_s.into())),
        distance_m: activity.distance_m,
        elevation_gain_m: activity.elevation_gain_m,
        average_speed_mps: activity.average_speed_mps,
        max_speed_mps: activity.max_speed_mps,
        average_watts: activity.average_watts,
        kilojoules: activity.kilojoules,
        average_heartrate_bpm: activity.average_heartrate_bpm,
        gear_id: activity.gear_id,
        device_name: activity.device_name,
        kudos_count: activity.kudos_count,
        trainer: activity.trainer,
        commute: activity.commute,
        manual: activity.manual,
        private: activity.private,
    }
}
