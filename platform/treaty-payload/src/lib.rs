//! A payload as JSON by the contracts' descriptors, without what they say to hide.
//!
//! Operators look at messages that failed; what a contract marks with `debug_redact` is not
//! for their eyes either. Nothing here knows where a payload comes from.

#![forbid(unsafe_code)]

use std::collections::HashSet;

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _,
    Value,
};

use treaty_error::{Code, Error};

const ANY: &str = "google.protobuf.Any";

/// Why a payload could not be read; told to people and never looked into.
type Unreadable = Box<dyn std::error::Error + Send + Sync>;

/// The contracts, as descriptors. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Contracts {
    pool: DescriptorPool,
}

/// What can be shown of a payload.
#[derive(Debug)]
pub enum Payload {
    /// The event as proto JSON, and the paths of the fields that were left out.
    Json {
        /// A JSON object, unless the event is itself a well-known type of protobuf.
        value: serde_json::Value,
        /// Paths of what was left out, in JSON's names.
        hidden: Vec<String>,
    },
    /// The bytes may be shown.
    Bytes {
        /// Why they were not decoded, if that was tried.
        why: Option<String>,
    },
    /// Not even the bytes may be shown.
    Withheld {
        /// Why not.
        why: String,
    },
}

impl Contracts {
    /// Of a serialised `google.protobuf.FileDescriptorSet`.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] when it is none, or lacks a file that one of its files needs.
    pub fn decode(descriptors: &[u8]) -> Result<Self, Error> {
        let pool = DescriptorPool::decode(descriptors).map_err(|error| {
            let message = "these are no descriptors of contracts";
            Error::new(Code::InvalidArgument, message).with_source(error)
        })?;
        Ok(Self { pool })
    }

    /// Decodes a payload. When that fails, its bytes may be shown only if no field of the
    /// event is one to hide: they may well hold it.
    #[must_use]
    pub fn read_payload(&self, event: Option<&str>, payload: &[u8]) -> Payload {
        let Some(event) = event else {
            return Payload::Withheld { why: "it does not say which event it is".to_owned() };
        };
        let Some(descriptor) = self.pool.get_message_by_name(event) else {
            return Payload::Withheld { why: format!("the contracts have no event {event}") };
        };
        match self.json(descriptor.clone(), payload) {
            Ok((value, hidden)) => Payload::Json { value, hidden },
            Err(_) if may_hold_secrets(&descriptor, &mut HashSet::new()) => Payload::Withheld {
                why: format!("not a readable {event}, and it may hold fields that are hidden"),
            },
            Err(error) => Payload::Bytes { why: Some(format!("not a readable {event}: {error}")) },
        }
    }

    fn json(
        &self,
        descriptor: MessageDescriptor,
        payload: &[u8],
    ) -> Result<(serde_json::Value, Vec<String>), Unreadable> {
        let mut message = DynamicMessage::decode(descriptor, payload)?;
        let mut hidden = Vec::new();
        self.hide(&mut message, "", &mut hidden)?;
        Ok((serde_json::to_value(&message)?, hidden))
    }

    /// Clears what is to be hidden, before anything is made of the message.
    fn hide(
        &self,
        message: &mut DynamicMessage,
        path: &str,
        hidden: &mut Vec<String>,
    ) -> Result<(), Unreadable> {
        if message.descriptor().full_name() == ANY {
            return self.hide_in_any(message, path, hidden);
        }
        // Extensions are of proto2, and no contract here has them: none is shown.
        let extensions: Vec<_> = message.extensions().map(|(one, _)| one).collect();
        for extension in extensions {
            hidden.push(format!("{path}[{}]", extension.full_name()));
            message.clear_extension(&extension);
        }
        let fields: Vec<_> = message.fields().map(|(field, _)| field).collect();
        for field in fields {
            let path = format!("{path}{}", field.json_name());
            if is_redacted(&field) {
                message.clear_field(&field);
                hidden.push(path);
                continue;
            }
            match message.get_field_mut(&field) {
                Value::Message(inner) => self.hide(inner, &format!("{path}."), hidden)?,
                Value::List(items) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        if let Value::Message(inner) = item {
                            self.hide(inner, &format!("{path}[{index}]."), hidden)?;
                        }
                    }
                }
                Value::Map(entries) => {
                    for item in entries.values_mut() {
                        if let Value::Message(inner) = item {
                            self.hide(inner, &format!("{path}[].",), hidden)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn hide_in_any(
        &self,
        any: &mut DynamicMessage,
        path: &str,
        hidden: &mut Vec<String>,
    ) -> Result<(), Unreadable> {
        let held: prost_types::Any = any.transcode_to()?;
        let name = held.type_url.rsplit('/').next().unwrap_or_default();
        let descriptor = self.pool.get_message_by_name(name);
        let descriptor = descriptor.ok_or_else(|| format!("the contracts have no {name}"))?;
        let mut inner = DynamicMessage::decode(descriptor, held.value.as_slice())?;
        self.hide(&mut inner, path, hidden)?;
        let value = prost::Message::encode_to_vec(&inner);
        any.transcode_from(&prost_types::Any { type_url: held.type_url, value })?;
        Ok(())
    }
}

/// Whether the contract says `debug_redact`. Descriptors that hold no
/// `google/protobuf/descriptor.proto` are read by an older one, which does not know it: there
/// it is field 16 of `google.protobuf.FieldOptions` all the same.
fn is_redacted(field: &FieldDescriptor) -> bool {
    const NUMBER: u32 = 16;
    let options = field.options();
    if let Some(value) = options.get_field_by_name("debug_redact") {
        return value.as_bool() == Some(true);
    }
    options.unknown_fields().filter(|one| one.number() == NUMBER).any(|unknown| {
        let mut bytes = Vec::new();
        unknown.encode(&mut bytes);
        // The tag, of two bytes, and then the flag.
        bytes.last().is_some_and(|&flag| flag != 0)
    })
}

/// Whether a field of the message, or of one that it holds, is to be hidden.
fn may_hold_secrets(message: &MessageDescriptor, seen: &mut HashSet<String>) -> bool {
    if message.full_name() == ANY {
        return true;
    }
    if !seen.insert(message.full_name().to_owned()) {
        return false;
    }
    message.fields().any(|field| {
        is_redacted(&field)
            || matches!(field.kind(), Kind::Message(inner) if may_hold_secrets(&inner, seen))
    })
}

/// JSON as protobuf knows it, for messages that hold some. A value that is no object becomes
/// the field `value` of one, because only objects are a `google.protobuf.Struct`.
#[must_use]
pub fn to_struct(json: serde_json::Value) -> prost_types::Struct {
    let fields = match json {
        serde_json::Value::Object(fields) => fields,
        other => serde_json::Map::from_iter([("value".to_owned(), other)]),
    };
    let fields = fields.into_iter().map(|(name, value)| (name, to_value(value)));
    prost_types::Struct { fields: fields.collect() }
}

fn to_value(json: serde_json::Value) -> prost_types::Value {
    use prost_types::value::Kind;
    let kind = match json {
        serde_json::Value::Null => Kind::NullValue(0),
        serde_json::Value::Bool(value) => Kind::BoolValue(value),
        // proto3's JSON writes 64-bit integers as text, so what is a number here fits.
        serde_json::Value::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or_default()),
        serde_json::Value::String(value) => Kind::StringValue(value),
        serde_json::Value::Array(values) => {
            let values = values.into_iter().map(to_value).collect();
            Kind::ListValue(prost_types::ListValue { values })
        }
        object @ serde_json::Value::Object(_) => Kind::StructValue(to_struct(object)),
    };
    prost_types::Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const CONTRACT: &str = r#"
        syntax = "proto3";
        package shop.v1;
        import "google/protobuf/any.proto";
        message Order {
          string order_id = 1;
          string card = 2 [debug_redact = true];
          repeated Item items = 3;
          map<string, Item> gifts = 4;
          google.protobuf.Any more = 5;
        }
        message Item { string name = 1; string code = 2 [debug_redact = true]; }
        message Plain { string name = 1; Plain next = 2; }
        message Holder { Item item = 1; }
    "#;

    fn contracts() -> Contracts {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("shop.proto"), CONTRACT).unwrap();
        let mut compiler = protox::Compiler::new([directory.path()]).unwrap();
        compiler.include_imports(true).open_file("shop.proto").unwrap();
        Contracts::decode(&compiler.encode_file_descriptor_set()).unwrap()
    }

    fn bytes(contracts: &Contracts, name: &str, json: &serde_json::Value) -> Vec<u8> {
        let descriptor = contracts.pool.get_message_by_name(name).unwrap();
        let message = DynamicMessage::deserialize(descriptor, json).unwrap();
        prost::Message::encode_to_vec(&message)
    }

    #[test]
    fn hidden_fields_are_left_out_wherever_they_are() {
        let contracts = contracts();
        let order = serde_json::json!({
            "orderId": "o-1",
            "card": "secret",
            "items": [{"name": "a", "code": "secret"}],
            "gifts": {"x": {"name": "b", "code": "secret"}},
            "more": {"@type": "type.googleapis.com/shop.v1.Item", "name": "c", "code": "secret"},
        });
        let bytes = bytes(&contracts, "shop.v1.Order", &order);
        let Payload::Json { value, hidden } = contracts.read_payload(Some("shop.v1.Order"), &bytes)
        else {
            panic!("not decoded");
        };
        let expected = serde_json::json!({
            "orderId": "o-1",
            "items": [{"name": "a"}],
            "gifts": {"x": {"name": "b"}},
            "more": {"@type": "type.googleapis.com/shop.v1.Item", "name": "c"},
        });
        assert_eq!(value, expected);
        assert_eq!(hidden, ["card", "items[0].code", "gifts[].code", "more.code"]);
    }

    #[test]
    fn bytes_that_cannot_be_read_are_shown_only_where_nothing_is_to_be_hidden() {
        let contracts = contracts();
        let garbage = b"\xff\xff";
        let shown = contracts.read_payload(Some("shop.v1.Plain"), garbage);
        assert!(matches!(shown, Payload::Bytes { why: Some(_) }), "{shown:?}");
        for event in [Some("shop.v1.Order"), Some("shop.v1.Holder"), Some("no.Such"), None] {
            let shown = contracts.read_payload(event, garbage);
            assert!(matches!(shown, Payload::Withheld { .. }), "{event:?}: {shown:?}");
        }
    }

    #[test]
    fn json_becomes_a_struct_of_the_same_values() {
        use prost_types::value::Kind;
        let json = serde_json::json!({"a": [1.5, null, "x"], "b": {"c": true}});
        let made = to_struct(json);
        let kind = |value: &prost_types::Value| value.kind.clone().unwrap();
        let Kind::ListValue(list) = kind(&made.fields["a"]) else { panic!("{made:?}") };
        let kinds: Vec<_> = list.values.iter().map(kind).collect();
        let text = Kind::StringValue("x".to_owned());
        assert_eq!(kinds, [Kind::NumberValue(1.5), Kind::NullValue(0), text]);
        let Kind::StructValue(inner) = kind(&made.fields["b"]) else { panic!("{made:?}") };
        assert_eq!(kind(&inner.fields["c"]), Kind::BoolValue(true));
        assert_eq!(kind(&to_struct(7.into()).fields["value"]), Kind::NumberValue(7.0));
    }
}
