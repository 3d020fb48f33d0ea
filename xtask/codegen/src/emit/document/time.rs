//! Durations for readers and in proto3 JSON.

use std::time::Duration;

/// As a person writes it: `7 days`, `1.5 s`, `250 ms`.
pub(in crate::emit) fn readable(duration: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let seconds = duration.as_secs();
    if duration.subsec_nanos() == 0 && seconds > 0 {
        for (size, name) in UNITS {
            if seconds >= 2 * size && seconds.is_multiple_of(size) || seconds == size {
                let count = seconds / size;
                return format!("{count} {name}{}", if count == 1 { "" } else { "s" });
            }
        }
        return format!("{seconds} s");
    }
    if seconds == 0 && duration.subsec_nanos().is_multiple_of(1_000_000) {
        return format!("{} ms", duration.as_millis());
    }
    format!(
        "{} s",
        json(duration).trim_end_matches('s').trim_end_matches('0').trim_end_matches('.')
    )
}

/// `google.protobuf.Duration` in proto3 JSON: 0, 3, 6 or 9 decimals.
pub(in crate::emit) fn json(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if nanos == 0 {
        format!("{seconds}s")
    } else if nanos.is_multiple_of(1_000_000) {
        format!("{seconds}.{:03}s", nanos / 1_000_000)
    } else if nanos.is_multiple_of(1_000) {
        format!("{seconds}.{:06}s", nanos / 1_000)
    } else {
        format!("{seconds}.{nanos:09}s")
    }
}

/// `google.protobuf.Timestamp` in proto3 JSON: RFC 3339 in UTC, from seconds since 1970
/// (days to dates as in Howard Hinnant's `chrono`-Compatible Low-Level Date Algorithms).
pub(in crate::emit) fn rfc3339(seconds: i64, nanos: i32) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    let nanos = json(Duration::new(0, nanos.unsigned_abs()));
    let fraction = nanos.trim_start_matches('0').trim_end_matches('s');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (duration, text) in [
            (Duration::ZERO, "0 ms"),
            (Duration::from_millis(250), "250 ms"),
            (Duration::from_millis(1500), "1.5 s"),
            (Duration::from_secs(10), "10 s"),
            (Duration::from_secs(60), "1 minute"),
            (Duration::from_secs(90), "90 s"),
            (Duration::from_secs(5400), "90 minutes"),
            (Duration::from_secs(604_800), "7 days"),
        ] {
            assert_eq!(readable(duration), text);
        }
        assert_eq!(json(Duration::from_micros(1)), "0.000001s");
    }

    #[test]
    fn times_are_dates() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_400, 500_000_000, "2000-02-29T00:00:00.500Z"),
            (-62_135_596_800, 0, "0001-01-01T00:00:00Z"),
            (253_402_300_799, 1, "9999-12-31T23:59:59.000000001Z"),
        ] {
            assert_eq!(rfc3339(seconds, nanos), text);
        }
    }
}
