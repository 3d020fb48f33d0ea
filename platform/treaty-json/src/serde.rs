//! Where serde's traits are asked for: messages by way of their JSON.

pub use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Json;

/// Hands the JSON of a message to a serializer of `serde_json`, as it is.
///
/// # Errors
/// When the message has no JSON, or the serializer fails.
pub fn serialize<T: Json, S: Serializer>(message: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let json = crate::to_string(message).map_err(serde::ser::Error::custom)?;
    let raw = RawValue::from_string(json).map_err(serde::ser::Error::custom)?;
    raw.serialize(serializer)
}

/// Reads a message from a deserializer of `serde_json`.
///
/// # Errors
/// When what it gives is not the JSON of this message.
pub fn deserialize<'de, T: Json, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    crate::from_slice(raw.get().as_bytes()).map_err(serde::de::Error::custom)
}

/// Gives messages serde's traits, by way of [`serialize`] and [`deserialize`].
#[macro_export]
macro_rules! serde_bridge {
    ($($message:ty),* $(,)?) => {$(
        impl $crate::serde::Serialize for $message {
            fn serialize<S: $crate::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::serde::serialize(self, serializer)
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $message {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::serde::deserialize(deserializer)
            }
        }
    )*};
}
