//! Whether what is in Postgres is what Strava has.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::Stack;
use crate::journey::{User, number};

/// Rows of the simulator's summary that are asked for at a time.
const SUMMARY_PAGE: u32 = 1_000;

/// Compares counts and checksums of every athlete, read through the api's HTTP
/// side, with the simulator's own; and the number of rows with the number of
/// different activities. Gives the number of activities.
///
/// # Errors
/// The first athlete whose activities differ, and how.
pub async fn verify(stack: &Stack, user: &User, athletes: &[String]) -> Result<u64> {
    let expected = expected(stack, user).await?;
    if expected.len() < athletes.len() {
        bail!("the simulator knows {} athletes, not {}", expected.len(), athletes.len());
    }
    let mut total = 0;
    for (index, (athlete, row)) in athletes.iter().zip(&expected).enumerate() {
        let (count, digest) = stored(user, athlete).await?;
        let wanted = number(&row["activities"]);
        if count != wanted {
            bail!("athlete {index} has {count} activities in Postgres and {wanted} at Strava");
        }
        if row["digest"] != *format!("{digest:016x}") {
            bail!("the activities of athlete {index} differ from Strava's: checksum {digest:016x}");
        }
        total += count;
    }
    let rows: u64 = stack.sql("SELECT count(*) FROM activities")?.trim().parse()?;
    if rows != total {
        bail!("{rows} rows are in Postgres for {total} activities");
    }
    Ok(total)
}

async fn expected(stack: &Stack, user: &User) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    loop {
        let url = format!(
            "http://{}/_sim/summary?offset={}&limit={SUMMARY_PAGE}",
            stack.addresses().strava,
            rows.len()
        );
        let page = user.get_url(&url).await?;
        let page = page["rows"].as_array().context("no rows")?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page.iter().cloned());
    }
}

/// Number and checksum of an athlete's activities, read page by page.
async fn stored(user: &User, athlete: &str) -> Result<(u64, u64)> {
    let (mut count, mut digest, mut token) = (0, 0_u64, String::new());
    loop {
        let path = format!("/v1/athletes/{athlete}/activities?pageSize=500&pageToken={token}");
        let page = user.get(&path).await?;
        for activity in page["activities"].as_array().map(Vec::as_slice).unwrap_or_default() {
            count += 1;
            digest = digest.wrapping_add(fingerprint(activity)?);
        }
        match page["nextPageToken"].as_str() {
            Some(next) if !next.is_empty() => token = next.to_owned(),
            _ => return Ok((count, digest)),
        }
    }
}

/// The checksum of one activity, as the simulator's documentation defines it:
/// FNV-1a over the fields that must arrive unchanged.
fn fingerprint(activity: &Value) -> Result<u64> {
    let text = |name: &str| activity[name].as_str().unwrap_or_default();
    let seconds = |name: &str| text(name).trim_end_matches('s').parse::<i64>().unwrap_or(0);
    #[allow(clippy::cast_possible_truncation, reason = "decimetres on Earth fit")]
    let decimetres = |name: &str| (activity[name].as_f64().unwrap_or(0.0) * 10.0).round() as i64;
    let line = format!(
        "{}|{}|{}|{}|{}|{}|{}|{}",
        number(&activity["activityId"]),
        text("name"),
        text("sportType"),
        unix_seconds(text("startTime"))?,
        seconds("movingTime"),
        seconds("elapsedTime"),
        decimetres("distanceM"),
        decimetres("elevationGainM"),
    );
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    Ok(line.bytes().fold(0xcbf2_9ce4_8422_2325, fnv))
}

/// RFC 3339 in UTC to seconds since 1970.
fn unix_seconds(text: &str) -> Result<i64> {
    let time: chrono::DateTime<chrono::Utc> =
        text.parse().with_context(|| format!("`{text}` is no time"))?;
    Ok(time.timestamp())
}
