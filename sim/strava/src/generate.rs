//! Athletes and activities as pure functions of the seed.

use std::borrow::Cow;

use crate::catalogue::{
    FIRST_NAMES, HOMES, Home, LAST_NAMES, SPORTS, Sport, TITLES, UNKNOWN_SPORTS,
};
use crate::digest::Fingerprint;
use crate::random::Random;

/// Athlete `i` has the identifier `ATHLETE_ID_BASE + i`.
pub const ATHLETE_ID_BASE: u64 = 10_000_000;
/// The identifier of the first activity of the first athlete.
pub const ACTIVITY_ID_BASE: u64 = 15_000_000_000;
/// The most activities an athlete can start with; the other half of the identifiers is for new ones.
pub const MAX_ACTIVITIES_PER_ATHLETE: u64 = 500_000;
/// The most athletes there can be: beyond, identifiers would no longer fit a JSON number exactly.
pub const MAX_ATHLETES: u64 = 100_000_000;

/// Every athlete's activities have a range of identifiers of this size.
pub(crate) const ID_STRIDE: u64 = 1_000_000;
/// Generated histories end here (2026-01-01), whatever the time: data must not depend on the clock.
const HISTORY_END: i64 = 1_767_225_600;
const LONGEST_HISTORY: u64 = 10 * 365 * 86_400;
const USUAL_SPACING: u64 = 30 * 3_600;

/// Separates the random streams of different things.
const ATHLETE_STREAM: u64 = 1;
const ACTIVITY_STREAM: u64 = 2;
const START_STREAM: u64 = 3;

/// Which athlete and which of their activities, oldest first, an activity's identifier names.
pub(crate) fn locate(activity_id: u64) -> Option<(u64, u64)> {
    let offset = activity_id.checked_sub(ACTIVITY_ID_BASE)?;
    Some((offset / ID_STRIDE, offset % ID_STRIDE))
}

/// The identifier of an athlete's activity by its place, oldest first.
pub(crate) fn activity_id(athlete: u64, sequence: u64) -> u64 {
    ACTIVITY_ID_BASE + athlete * ID_STRIDE + sequence
}

/// Who may see an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    Everyone,
    FollowersOnly,
    OnlyMe,
}

impl Visibility {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::FollowersOnly => "followers_only",
            Self::OnlyMe => "only_me",
        }
    }
}

/// The facts of an activity; everything else about it is derived from these and the seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Activity {
    pub(crate) id: u64,
    pub(crate) athlete: u64,
    pub(crate) name: Cow<'static, str>,
    pub(crate) sport_type: Cow<'static, str>,
    pub(crate) start_date: i64,
    pub(crate) moving_time: u32,
    pub(crate) elapsed_time: u32,
    pub(crate) distance_dm: u32,
    pub(crate) elevation_gain_dm: u32,
    pub(crate) visibility: Visibility,
}

impl Activity {
    pub(crate) fn fingerprint(&self) -> Fingerprint<'_> {
        Fingerprint {
            id: self.id as i64,
            name: &self.name,
            sport_type: &self.sport_type,
            start_date: self.start_date,
            moving_time: i64::from(self.moving_time),
            elapsed_time: i64::from(self.elapsed_time),
            distance_dm: i64::from(self.distance_dm),
            elevation_gain_dm: i64::from(self.elevation_gain_dm),
        }
    }

    pub(crate) fn is_private(&self) -> bool {
        self.visibility == Visibility::OnlyMe
    }
}

/// A person as the generator makes one up.
#[derive(Debug)]
pub(crate) struct Athlete {
    pub(crate) id: u64,
    pub(crate) firstname: &'static str,
    pub(crate) lastname: &'static str,
    pub(crate) sex: Option<&'static str>,
    pub(crate) premium: bool,
    pub(crate) weight: Option<f64>,
    pub(crate) created_at: i64,
    pub(crate) home: &'static Home,
}

/// Makes athletes and activities up.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    seed: u64,
    activities: u64,
    spacing: u64,
    unknown_sport_every: u64,
}

impl Generator {
    pub(crate) fn new(seed: u64, activities: u64, unknown_sport_every: u64) -> Self {
        let spacing = USUAL_SPACING.min(LONGEST_HISTORY / activities.max(1));
        Self { seed, activities, spacing, unknown_sport_every }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// How many activities every athlete starts with.
    pub(crate) fn activities(&self) -> u64 {
        self.activities
    }

    pub(crate) fn athlete(&self, index: u64) -> Athlete {
        let mut random = Random::new(self.seed, &[ATHLETE_STREAM, index]);
        Athlete {
            id: ATHLETE_ID_BASE + index,
            home: random.pick(&HOMES),
            firstname: random.pick::<&str>(&FIRST_NAMES),
            lastname: random.pick::<&str>(&LAST_NAMES),
            sex: *random.pick(&[Some("F"), Some("M"), None]),
            premium: random.percent(30),
            weight: random.percent(70).then(|| random.between(450, 1_100) as f64 / 10.0),
            created_at: HISTORY_END
                - LONGEST_HISTORY as i64
                - random.between(0, 86_400 * 900) as i64,
        }
    }

    /// When an activity started. Later places start later, so a page is found by bisection.
    pub(crate) fn start_date(&self, athlete: u64, sequence: u64) -> i64 {
        let mut random = Random::new(self.seed, &[START_STREAM, athlete, sequence]);
        let before_end = self.activities.saturating_sub(sequence) * self.spacing;
        HISTORY_END - before_end as i64 + random.below(self.spacing) as i64
    }

    /// The activity at a place, oldest first.
    pub(crate) fn activity(&self, athlete: u64, sequence: u64) -> Activity {
        let mut random = Random::new(self.seed, &[ACTIVITY_STREAM, athlete, sequence]);
        let sport = self.sport(&mut random);
        let moving_time = random.between(sport.minutes.0 * 60, sport.minutes.1 * 60);
        let pause = if random.percent(60) { random.below(moving_time / 6 + 1) } else { 0 };
        let distance_dm = random.between(sport.speed.0, sport.speed.1) * moving_time / 100;
        let elevation_gain_dm = distance_dm * random.below(sport.climb + 1) / 10_000;
        let start_date = self.start_date(athlete, sequence);
        Activity {
            id: activity_id(athlete, sequence),
            athlete,
            name: name(&mut random, sport, start_date),
            sport_type: Cow::Borrowed(sport.sport_type),
            start_date,
            moving_time: moving_time as u32,
            elapsed_time: (moving_time + pause) as u32,
            distance_dm: distance_dm as u32,
            elevation_gain_dm: elevation_gain_dm as u32,
            visibility: match random.below(100) {
                0..85 => Visibility::Everyone,
                85..95 => Visibility::FollowersOnly,
                _ => Visibility::OnlyMe,
            },
        }
    }

    fn sport(&self, random: &mut Random) -> &'static Sport {
        if random.once_in(self.unknown_sport_every) {
            return random.pick(&UNKNOWN_SPORTS);
        }
        let mut ticket = random.below(SPORTS.iter().map(|sport| sport.weight).sum());
        for sport in &SPORTS {
            match ticket.checked_sub(sport.weight) {
                Some(rest) => ticket = rest,
                None => return sport,
            }
        }
        &SPORTS[0]
    }
}

/// Titles are mostly what Strava proposes, and sometimes what people type.
fn name(random: &mut Random, sport: &Sport, start_date: i64) -> Cow<'static, str> {
    if random.percent(12) {
        return Cow::Borrowed(random.pick::<&str>(&TITLES));
    }
    let time_of_day = match start_date.rem_euclid(86_400) / 3_600 {
        4..11 => "Morning",
        11..14 => "Lunch",
        14..17 => "Afternoon",
        17..22 => "Evening",
        _ => "Night",
    };
    Cow::Owned(format!("{time_of_day} {}", sport.label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_lead_back_to_their_athlete() {
        assert_eq!(locate(activity_id(7, 42)), Some((7, 42)));
        assert_eq!(locate(ACTIVITY_ID_BASE - 1), None);
        assert!(activity_id(MAX_ATHLETES, ID_STRIDE - 1) < 1 << 53);
    }

    #[test]
    fn starts_are_ordered_for_histories_short_and_long() {
        for activities in [1, 200, MAX_ACTIVITIES_PER_ATHLETE] {
            let generator = Generator::new(3, activities, 200);
            let first = activities.saturating_sub(300);
            let starts: Vec<_> = (first..activities).map(|k| generator.start_date(5, k)).collect();
            assert!(starts.is_sorted_by(|a, b| a < b));
            assert!(starts.iter().all(|start| *start < HISTORY_END));
            assert!(generator.start_date(5, 0) > 0);
        }
    }

    #[test]
    fn activities_repeat_by_seed_and_are_plausible() {
        let (one, two) = (Generator::new(1, 50, 200), Generator::new(2, 50, 200));
        for sequence in 0..50 {
            let activity = one.activity(3, sequence);
            assert_eq!(activity, one.activity(3, sequence));
            assert_ne!(activity, two.activity(3, sequence));
            assert!(activity.elapsed_time >= activity.moving_time && activity.moving_time > 0);
            assert!(!activity.name.is_empty() && !activity.sport_type.is_empty());
        }
    }

    #[test]
    fn unknown_sports_can_be_switched() {
        let sport = |every| Generator::new(1, 50, every).activity(0, 0).sport_type.into_owned();
        assert!(UNKNOWN_SPORTS.iter().any(|unknown| unknown.sport_type == sport(1)));
        assert!(SPORTS.iter().any(|known| known.sport_type == sport(0)));
    }
}
