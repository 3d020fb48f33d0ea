//! The JSON of an athlete.

use serde::Serialize;

use crate::generate::Athlete;
use crate::summary::rfc3339;

/// An athlete as the token exchange and `GET /athlete` show one.
#[derive(Debug, Serialize)]
pub(crate) struct SummaryAthlete {
    id: u64,
    username: Option<String>,
    resource_state: u8,
    firstname: &'static str,
    lastname: &'static str,
    bio: Option<&'static str>,
    city: &'static str,
    state: &'static str,
    country: &'static str,
    sex: Option<&'static str>,
    premium: bool,
    summit: bool,
    created_at: String,
    updated_at: String,
    badge_type_id: u8,
    weight: Option<f64>,
    profile_medium: String,
    profile: String,
    friend: Option<&'static str>,
    follower: Option<&'static str>,
}

impl From<Athlete> for SummaryAthlete {
    fn from(athlete: Athlete) -> Self {
        Self {
            id: athlete.id,
            username: (athlete.id.is_multiple_of(3)).then(|| format!("athlete_{}", athlete.id)),
            resource_state: 2,
            firstname: athlete.firstname,
            lastname: athlete.lastname,
            bio: None,
            city: athlete.home.city,
            state: athlete.home.state,
            country: athlete.home.country,
            sex: athlete.sex,
            premium: athlete.premium,
            summit: athlete.premium,
            created_at: rfc3339(athlete.created_at),
            updated_at: rfc3339(athlete.created_at + 86_400),
            badge_type_id: u8::from(athlete.premium),
            weight: athlete.weight,
            // Strava gives these placeholders to whoever has no picture.
            profile_medium: "avatar/athlete/medium.png".to_owned(),
            profile: "avatar/athlete/large.png".to_owned(),
            friend: None,
            follower: None,
        }
    }
}
