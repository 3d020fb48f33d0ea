//! Days since 1970-01-01 in the proleptic Gregorian calendar, which RFC 3339 means.

/// Days in 400 years, after which the calendar repeats.
const DAYS_OF_ERA: i32 = 146_097;

/// Days from 0000-03-01 to 1970-01-01. Years that begin in March end with the leap day,
/// which keeps it out of the way.
const EPOCH: i32 = 719_468;

/// Days of the months of a leap year, behind a month 0 that does not exist.
const LONGEST: [i32; 13] = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i32,
    pub(super) month: i32,
    pub(super) day: i32,
}

impl Date {
    /// The day that is this many after 1970-01-01; at most a million or so of either sign.
    pub(super) fn of_days(days: i32) -> Self {
        let days = days + EPOCH;
        let era = days.div_euclid(DAYS_OF_ERA);
        let day_of_era = days.rem_euclid(DAYS_OF_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months from March on have 31, 30, 31, 30, 31 days by turns: 153 in five.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + 400 * era + i32::from(month <= 2);
        Self { year, month, day }
    }

    /// Days after 1970-01-01, if there is such a day.
    #[inline]
    pub(super) fn days(self) -> Option<i32> {
        let Self { year, month, day } = self;
        let longest = usize::try_from(month).ok().and_then(|month| LONGEST.get(month))?;
        if day < 1 || day > *longest || (month == 2 && day == 29 && !is_leap(year)) {
            return None;
        }
        let shifted = year - i32::from(month <= 2);
        let era = shifted.div_euclid(400);
        let year_of_era = shifted.rem_euclid(400);
        let month_from_march = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(era * DAYS_OF_ERA + day_of_era - EPOCH)
    }
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_thousand_years_comes_back() {
        let mut expected = Date { year: -400, month: 1, day: 1 };
        for days in expected.days().unwrap()..1_000_000 {
            let date = Date::of_days(days);
            assert_eq!(date, expected);
            assert_eq!(date.days(), Some(days));
            expected.day += 1;
            if expected.days().is_none() {
                expected = Date { day: 1, month: expected.month + 1, ..expected };
            }
            if expected.month > 12 {
                expected = Date { year: expected.year + 1, month: 1, day: 1 };
            }
        }
        assert_eq!(Date { year: 1970, month: 1, day: 1 }.days(), Some(0));
        assert_eq!(Date { year: 2000, month: 3, day: 1 }.days(), Some(11_017));
        assert_eq!(Date { year: 9999, month: 12, day: 31 }.days(), Some(2_932_896));
    }

    #[test]
    fn days_that_do_not_exist_are_none() {
        for (year, month, day) in [
            (2023, 2, 29),
            (1900, 2, 29),
            (2024, 2, 30),
            (2024, 4, 31),
            (2024, 13, 1),
            (2024, 0, 1),
            (2024, -1, 1),
            (2024, 1, 0),
            (2024, 1, 32),
        ] {
            assert_eq!(Date { year, month, day }.days(), None, "{year}-{month}-{day}");
        }
        assert!(Date { year: 2000, month: 2, day: 29 }.days().is_some());
    }
}
