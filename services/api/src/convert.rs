//! Between the types of messages and those of this service.

use api_port::well_known::{Duration, Timestamp};
use chrono::{DateTime, Utc};
use treaty_error::Error;
use uuid::Uuid;

/// Last second that protobuf's timestamps know: the end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;
/// First second that protobuf's timestamps know: the beginning of the year 1.
const FIRST_SECOND: i64 = -62_135_596_800;

/// A time as a message has it.
#[must_use]
pub fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

/// A time from a message, if it is one.
#[must_use]
pub fn time(timestamp: &Timestamp) -> Option<DateTime<Utc>> {
    let nanos = u32::try_from(timestamp.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let known = (FIRST_SECOND..=LAST_SECOND).contains(&timestamp.seconds);
    known.then(|| DateTime::from_timestamp(timestamp.seconds, nanos)).flatten()
}

/// Seconds as a message has them.
#[must_use]
pub fn duration(seconds: i64) -> Duration {
    Duration { seconds, nanos: 0 }
}

/// The athlete that a request names.
///
/// # Errors
/// When it is no UUID.
pub fn athlete_id(text: &str) -> Result<Uuid, Error> {
    Uuid::try_parse(text).map_err(|_| Error::invalid_field("athlete_id", "must be a UUID"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_and_impossible_ones_are_none() {
        for (seconds, nanos) in [(0, 0), (-1, 999_999_999), (LAST_SECOND, 0), (FIRST_SECOND, 5)] {
            let message = Timestamp { seconds, nanos };
            assert_eq!(timestamp(time(&message).unwrap()), message);
        }
        for (seconds, nanos) in [
            (0, -1),
            (0, 1_000_000_000),
            (LAST_SECOND + 1, 0),
            (FIRST_SECOND - 1, 0),
            (i64::MAX, 0),
        ] {
            assert_eq!(time(&Timestamp { seconds, nanos }), None);
        }
    }
}
