//! Where an activity went, and the encoded polyline that draws it.

use serde::Serialize;

use crate::catalogue::is_outdoors;
use crate::generate::{Activity, Athlete};
use crate::random::Random;

/// A drawn route.
#[derive(Debug, Serialize)]
pub(crate) struct Map {
    id: String,
    summary_polyline: Option<String>,
    resource_state: u8,
}

/// The map, the start and the end.
pub(crate) type Track = (Option<Map>, Option<Vec<f64>>, Option<Vec<f64>>);

/// A walk around the athlete's home; indoors there is none, in one of two spellings.
pub(crate) fn track(
    random: &mut Random,
    activity: &Activity,
    athlete: &Athlete,
    manual: bool,
    sparse: bool,
) -> Track {
    let map = |polyline| Map {
        id: format!("a{}", activity.id),
        summary_polyline: polyline,
        resource_state: 2,
    };
    if sparse {
        return (None, None, None);
    }
    if manual || !is_outdoors(&activity.sport_type) {
        return if random.percent(50) {
            (Some(map(Some(String::new()))), Some(Vec::new()), Some(Vec::new()))
        } else {
            (Some(map(None)), None, None)
        };
    }
    let step = f64::from(activity.distance_dm) / 10.0 / 111_000.0 / 12.0;
    let mut point = (athlete.home.latitude, athlete.home.longitude);
    let mut points = vec![rounded(point)];
    for _ in 0..12 {
        point.0 += (random.fraction() - 0.5) * 2.0 * step;
        point.1 += (random.fraction() - 0.5) * 2.0 * step;
        points.push(rounded(point));
    }
    let pair = |(latitude, longitude)| vec![latitude, longitude];
    let ends = (points.first().copied().map(pair), points.last().copied().map(pair));
    (Some(map(Some(encode(&points)))), ends.0, ends.1)
}

fn rounded((latitude, longitude): (f64, f64)) -> (f64, f64) {
    let five_places = |degrees: f64| (degrees * 1e5).round() / 1e5;
    (five_places(latitude), five_places(longitude))
}

/// Encodes points of latitude and longitude in degrees as an encoded polyline, in which Strava draws a route.
fn encode(points: &[(f64, f64)]) -> String {
    let mut encoded = String::with_capacity(points.len() * 6);
    let (mut last_latitude, mut last_longitude) = (0, 0);
    for &(latitude, longitude) in points {
        let (latitude, longitude) = (fixed(latitude), fixed(longitude));
        push(&mut encoded, latitude - last_latitude);
        push(&mut encoded, longitude - last_longitude);
        (last_latitude, last_longitude) = (latitude, longitude);
    }
    encoded
}

/// Five decimal places, as the format has them.
fn fixed(degrees: f64) -> i64 {
    (degrees * 1e5).round() as i64
}

fn push(encoded: &mut String, delta: i64) {
    // The sign goes to the lowest bit; groups of five bits follow, lowest first.
    let mut rest = ((delta << 1) ^ (delta >> 63)) as u64;
    while rest >= 0x20 {
        encoded.push(char::from((0x20 | (rest & 0x1f)) as u8 + 63));
        rest >>= 5;
    }
    encoded.push(char::from(rest as u8 + 63));
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn the_published_example_encodes_as_published() {
        let points = [(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)];
        assert_eq!(encode(&points), "_p~iF~ps|U_ulLnnqC_mqNvxq`@");
    }
}
