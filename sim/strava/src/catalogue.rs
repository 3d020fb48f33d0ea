//! The tables that the generator draws from.

/// Where an athlete lives.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) city: &'static str,
    pub(crate) state: &'static str,
    pub(crate) country: &'static str,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) timezone: &'static str,
    pub(crate) utc_offset: i32,
}

/// The older `type` of a sport, which knows fewer kinds.
pub(crate) fn legacy_type(sport_type: &str) -> &str {
    match sport_type {
        "TrailRun" | "VirtualRun" => "Run",
        "MountainBikeRide" | "GravelRide" => "Ride",
        "EMountainBikeRide" => "EBikeRide",
        other => {
            let known = SPORTS.iter().any(|sport| sport.sport_type == other);
            if known { other } else { "Workout" }
        }
    }
}

/// Whether a sport leaves a track on the map.
pub(crate) fn is_outdoors(sport_type: &str) -> bool {
    SPORTS.iter().any(|sport| sport.sport_type == sport_type && sport.outdoors)
}

/// A kind of activity and what is plausible for it.
#[derive(Debug)]
pub(crate) struct Sport {
    pub(crate) sport_type: &'static str,
    pub(crate) label: &'static str,
    pub(crate) weight: u64,
    /// Millimetres a second.
    pub(crate) speed: (u64, u64),
    pub(crate) minutes: (u64, u64),
    /// The most metres of climb on ten kilometres.
    pub(crate) climb: u64,
    pub(crate) outdoors: bool,
}

const fn sport(
    [sport_type, label]: [&'static str; 2],
    weight: u64,
    speed: (u64, u64),
    minutes: (u64, u64),
    climb: u64,
    outdoors: bool,
) -> Sport {
    Sport { sport_type, label, weight, speed, minutes, climb, outdoors }
}

pub(crate) static SPORTS: [Sport; 17] = [
    sport(["Run", "Run"], 300, (2_300, 4_500), (15, 130), 200, true),
    sport(["Ride", "Ride"], 260, (5_000, 10_500), (20, 320), 180, true),
    sport(["Walk", "Walk"], 90, (1_000, 1_900), (10, 120), 120, true),
    sport(["Swim", "Swim"], 60, (500, 1_500), (15, 75), 0, false),
    sport(["TrailRun", "Trail Run"], 50, (1_600, 3_400), (25, 240), 650, true),
    sport(["MountainBikeRide", "Mountain Bike Ride"], 45, (3_000, 6_500), (30, 240), 500, true),
    sport(["GravelRide", "Gravel Ride"], 40, (4_500, 8_000), (40, 300), 250, true),
    sport(["Hike", "Hike"], 40, (700, 1_500), (40, 420), 800, true),
    sport(["VirtualRide", "Virtual Ride"], 40, (6_000, 10_500), (20, 120), 250, false),
    sport(["WeightTraining", "Weight Training"], 40, (0, 0), (15, 90), 0, false),
    sport(["Yoga", "Yoga"], 20, (0, 0), (15, 75), 0, false),
    sport(["EBikeRide", "E-Bike Ride"], 15, (5_000, 8_000), (20, 240), 250, true),
    sport(["NordicSki", "Nordic Ski"], 10, (2_500, 5_500), (30, 200), 300, true),
    sport(["Rowing", "Rowing"], 10, (2_000, 4_200), (15, 90), 0, true),
    sport(["VirtualRun", "Virtual Run"], 10, (2_300, 4_200), (15, 75), 100, false),
    sport(["Pickleball", "Pickleball"], 8, (300, 900), (30, 120), 0, false),
    sport(["Workout", "Workout"], 20, (0, 0), (10, 70), 0, false),
];

/// Sports that no list in the documentation has: they appear at Strava without notice.
pub(crate) static UNKNOWN_SPORTS: [Sport; 3] = [
    sport(["Orienteering", "Orienteering"], 1, (1_500, 3_000), (30, 120), 300, false),
    sport(["UnderwaterHockey", "Underwater Hockey"], 1, (300, 900), (20, 60), 0, false),
    sport(["Plogging", "Plogging"], 1, (900, 2_200), (20, 90), 100, false),
];

pub(crate) static TITLES: [&str; 10] = [
    "Long one with the club",
    "Intervals: 6 × 800 m",
    "Zürichsee-Runde ☀️",
    "Étape 3 – col du Galibier 🚴‍♀️",
    "朝のランニング",
    "Easy \"recovery\" day",
    "Lunch | loop | again",
    "C:\\rides\\home",
    "بعد العمل",
    "Hills   and more   hills",
];

pub(crate) static FIRST_NAMES: [&str; 12] = [
    "Ada", "Bruno", "Chloé", "Dmitri", "Elif", "Femi", "Grace", "Hiroshi", "Ingrid", "João",
    "Kavya", "Liam",
];

pub(crate) static LAST_NAMES: [&str; 12] = [
    "Almeida", "Bauer", "Costa", "Demir", "Eriksson", "Fischer", "Garcia", "Haddad", "Ito",
    "Jensen", "Kumar", "O'Neill",
];

const fn home(
    [city, state, country, timezone]: [&'static str; 4],
    latitude: f64,
    longitude: f64,
    utc_offset: i32,
) -> Home {
    Home { city, state, country, latitude, longitude, timezone, utc_offset }
}

pub(crate) static HOMES: [Home; 8] = [
    home(["Berlin", "Berlin", "Germany", "(GMT+01:00) Europe/Berlin"], 52.52, 13.405, 3_600),
    home(["Girona", "Catalonia", "Spain", "(GMT+01:00) Europe/Madrid"], 41.979, 2.821, 3_600),
    home(
        ["Boulder", "Colorado", "United States", "(GMT-07:00) America/Denver"],
        40.015,
        -105.27,
        -25_200,
    ),
    home(["London", "England", "United Kingdom", "(GMT+00:00) Europe/London"], 51.507, -0.128, 0),
    home(["Bengaluru", "Karnataka", "India", "(GMT+05:30) Asia/Kolkata"], 12.972, 77.594, 19_800),
    home(["Kyoto", "Kyoto", "Japan", "(GMT+09:00) Asia/Tokyo"], 35.012, 135.768, 32_400),
    home(["Nairobi", "Nairobi", "Kenya", "(GMT+03:00) Africa/Nairobi"], -1.286, 36.817, 10_800),
    home(["Suva", "Central", "Fiji", "(GMT+12:00) Pacific/Fiji"], -18.142, 178.442, 43_200),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_type_knows_fewer_kinds() {
        assert_eq!(legacy_type("Plogging"), "Workout");
        assert_eq!(legacy_type("GravelRide"), "Ride");
        assert_eq!(legacy_type("Hike"), "Hike");
    }
}
