//! The checksum by which a copy of an athlete's activities is compared with the original.
//!
//! Each activity hashes to 64 bits; an athlete's digest is the wrapping sum of those, so it depends
//! neither on the order nor on the paging in which the activities were read.

use std::fmt::{self, Write};

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The fields of one activity that the digest covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint<'a> {
    /// Strava's identifier of the activity.
    pub id: i64,
    /// The title.
    pub name: &'a str,
    /// The sport as `sport_type` spells it.
    pub sport_type: &'a str,
    /// The start in seconds since the Unix epoch.
    pub start_date: i64,
    /// Seconds in motion.
    pub moving_time: i64,
    /// Seconds from start to end.
    pub elapsed_time: i64,
    /// Distance in decimetres; see [`decimetres`].
    pub distance_dm: i64,
    /// Total climb in decimetres; see [`decimetres`].
    pub elevation_gain_dm: i64,
}

impl Fingerprint<'_> {
    /// The FNV-1a 64 hash of the fields joined by `|`.
    pub fn hash(&self) -> u64 {
        let mut fnv = Fnv(FNV_OFFSET);
        // The sink never refuses a write, so there is no error to handle.
        let _ = write!(
            fnv,
            "{}|{}|{}|{}|{}|{}|{}|{}",
            self.id,
            self.name,
            self.sport_type,
            self.start_date,
            self.moving_time,
            self.elapsed_time,
            self.distance_dm,
            self.elevation_gain_dm
        );
        fnv.0
    }
}

/// A running digest; it displays as 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// Counts one activity in.
    pub fn add(&mut self, activity: &Fingerprint<'_>) {
        self.0 = self.0.wrapping_add(activity.hash());
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Metres to whole decimetres, rounded half away from zero.
pub fn decimetres(metres: f64) -> i64 {
    // `round` goes half away from zero, and the cast saturates: no distance is that long.
    (metres * 10.0).round() as i64
}

struct Fnv(u64);

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fnv(text: &str) -> u64 {
        let mut fnv = Fnv(FNV_OFFSET);
        fnv.write_str(text).unwrap();
        fnv.0
    }

    #[test]
    fn the_hash_agrees_with_the_published_vectors() {
        assert_eq!(fnv(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_fingerprint_hashes_its_line() {
        let activity = Fingerprint {
            id: 7,
            name: "Früh | los",
            sport_type: "Run",
            start_date: 1_700_000_000,
            moving_time: 60,
            elapsed_time: 61,
            distance_dm: 1234,
            elevation_gain_dm: 5,
        };
        assert_eq!(activity.hash(), fnv("7|Früh | los|Run|1700000000|60|61|1234|5"));
    }

    #[test]
    fn the_digest_does_not_depend_on_order() {
        let one = Fingerprint {
            id: 1,
            name: "a",
            sport_type: "Run",
            start_date: 1,
            moving_time: 1,
            elapsed_time: 1,
            distance_dm: 1,
            elevation_gain_dm: 1,
        };
        let two = Fingerprint { id: 2, ..one };
        let (mut forwards, mut backwards) = (Digest::default(), Digest::default());
        forwards.add(&one);
        forwards.add(&two);
        backwards.add(&two);
        backwards.add(&one);
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.to_string().len(), 16);
        assert_eq!(Digest(255).to_string(), "00000000000000ff");
    }

    #[test]
    fn decimetres_round_half_away_from_zero() {
        assert_eq!(decimetres(1.25), 13);
        assert_eq!(decimetres(-1.25), -13);
        assert_eq!(decimetres(12345.6), 123_456);
        assert!((0..200_000_i64).all(|dm| decimetres(dm as f64 / 10.0) == dm));
    }
}
