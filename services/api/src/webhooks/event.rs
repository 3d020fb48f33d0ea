//! What an event says. Anybody may have sent it, so nothing in it is believed before it is looked at.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use stravasync_schema::{WebhookAspect, WebhookObject};

/// An event as Strava tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// SHA-256 of all that it says, by which a repeated delivery is known.
    pub digest: [u8; 32],
    /// The subscription that it comes by.
    pub subscription_id: i64,
    /// Strava's identifier of the athlete whose object it is.
    pub owner_id: i64,
    /// What it is about.
    pub object_type: WebhookObject,
    /// Strava's identifier of that.
    pub object_id: i64,
    /// What happened.
    pub aspect_type: WebhookAspect,
    /// Whether it says that the athlete has withdrawn the consent.
    pub deauthorized: bool,
    /// When it happened, as Strava says.
    pub event_time: DateTime<Utc>,
}

/// Why a body is no event that we can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is not what Strava documents.
    #[error("not an event")]
    Malformed,
    /// It is about something that we do not keep. Strava may tell of new things at any time.
    #[error("an event of a kind that is not known here")]
    UnknownKind,
}

#[derive(Deserialize)]
struct Body {
    object_type: String,
    object_id: i64,
    aspect_type: String,
    #[serde(default)]
    updates: Option<BTreeMap<String, Value>>,
    owner_id: i64,
    subscription_id: i64,
    event_time: i64,
}

impl Event {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is no event, or one of an unknown kind.
    pub fn read(body: &[u8]) -> Result<Self, Unusable> {
        let body: Body = serde_json::from_slice(body).map_err(|_hidden| Unusable::Malformed)?;
        let event_time = DateTime::from_timestamp(body.event_time, 0);
        // What Postgres and the calendar both know.
        let event_time = event_time.filter(|_| (0..=LAST_SECOND).contains(&body.event_time));
        let event_time = event_time.ok_or(Unusable::Malformed)?;
        let object_type = match body.object_type.as_str() {
            "activity" => WebhookObject::Activity,
            "athlete" => WebhookObject::Athlete,
            _ => return Err(Unusable::UnknownKind),
        };
        let aspect_type = match body.aspect_type.as_str() {
            "create" => WebhookAspect::Create,
            "update" => WebhookAspect::Update,
            "delete" => WebhookAspect::Delete,
            _ => return Err(Unusable::UnknownKind),
        };
        Ok(Self {
            digest: body.digest(),
            subscription_id: body.subscription_id,
            owner_id: body.owner_id,
            object_type,
            object_id: body.object_id,
            aspect_type,
            deauthorized: object_type == WebhookObject::Athlete && body.deauthorizes(),
            event_time,
        })
    }
}

/// The end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

impl Body {
    /// Strava writes the value as text.
    fn deauthorizes(&self) -> bool {
        let authorized = self.updates.as_ref().and_then(|updates| updates.get("authorized"));
        authorized.is_some_and(|value| *value == false || *value == "false")
    }

    /// Of everything, the updates included: an object can change twice in a second, and who forges
    /// an event of another's cannot take the place of the true one.
    fn digest(&self) -> [u8; 32] {
        let updates = self.updates.clone().unwrap_or_default();
        let said = serde_json::json!([
            self.object_type,
            self.object_id,
            self.aspect_type,
            self.owner_id,
            self.subscription_id,
            self.event_time,
            updates.into_iter().collect::<Vec<_>>(),
        ]);
        Sha256::digest(said.to_string().as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body() -> Value {
        json!({
            "object_type": "activity", "object_id": 15_000_000_001_i64, "aspect_type": "update",
            "updates": {"title": "Messy", "private": "true"}, "owner_id": 10_000_001,
            "subscription_id": 100_001, "event_time": 1_516_126_040,
        })
    }

    fn read(body: &Value) -> Result<Event, Unusable> {
        Event::read(body.to_string().as_bytes())
    }

    fn with(key: &str, value: Value) -> Value {
        let mut body = body();
        body[key] = value;
        body
    }

    #[test]
    fn the_event_of_the_documentation_is_read() {
        let event = read(&body()).unwrap();
        assert_eq!(event.object_type, WebhookObject::Activity);
        assert_eq!(event.aspect_type, WebhookAspect::Update);
        assert_eq!((event.owner_id, event.subscription_id), (10_000_001, 100_001));
        assert_eq!(event.event_time.timestamp(), 1_516_126_040);
        assert!(!event.deauthorized);
    }

    #[test]
    fn only_an_athlete_withdraws() {
        let withdrawn = json!({"authorized": "false"});
        let mut athlete = with("updates", withdrawn);
        assert!(!read(&athlete).unwrap().deauthorized, "an activity does not");
        athlete["object_type"] = "athlete".into();
        assert!(read(&athlete).unwrap().deauthorized);
        athlete["updates"] = json!({"authorized": false});
        assert!(read(&athlete).unwrap().deauthorized);
        athlete["updates"] = json!({"authorized": "true"});
        assert!(!read(&athlete).unwrap().deauthorized);
        athlete["updates"] = Value::Null;
        assert!(!read(&athlete).unwrap().deauthorized);
    }

    #[test]
    fn a_repeated_event_has_the_same_digest_and_any_other_has_not() {
        let first = read(&body()).unwrap().digest;
        let reordered = r#"{"event_time":1516126040,"subscription_id":100001,"owner_id":10000001,
            "updates":{"private":"true","title":"Messy"},"aspect_type":"update",
            "object_id":15000000001,"object_type":"activity","new":"field"}"#;
        assert_eq!(Event::read(reordered.as_bytes()).unwrap().digest, first);
        for (key, value) in [
            ("object_type", json!("athlete")),
            ("object_id", json!(1)),
            ("aspect_type", json!("delete")),
            ("updates", json!({"title": "Messier", "private": "true"})),
            ("owner_id", json!(1)),
            ("subscription_id", json!(1)),
            ("event_time", json!(1)),
        ] {
            assert_ne!(read(&with(key, value)).unwrap().digest, first, "{key}");
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for (key, value) in [("object_type", json!("segment")), ("aspect_type", json!("explode"))] {
            assert_eq!(read(&with(key, value)), Err(Unusable::UnknownKind), "{key}");
        }
        for (key, value) in [
            ("object_id", json!("15")),
            ("object_id", json!(1.5)),
            ("owner_id", json!(u64::MAX)),
            ("event_time", json!(-1)),
            ("event_time", json!(i64::MAX)),
            ("updates", json!([])),
            ("subscription_id", Value::Null),
        ] {
            assert_eq!(read(&with(key, value)), Err(Unusable::Malformed), "{key}");
        }
        let deep = "[".repeat(100_000);
        for body in ["", "null", "[]", "{}", "\0", "{\"object_type\":", deep.as_str()] {
            assert_eq!(Event::read(body.as_bytes()), Err(Unusable::Malformed));
        }
    }
}
