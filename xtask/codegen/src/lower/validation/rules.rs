//! Reading a message of rules by the names of its fields.

use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};

use crate::model::{Moment, Number};

/// A message of rules.
pub(super) struct Rules<'a>(pub(super) &'a DynamicMessage);

impl Rules<'_> {
    /// A field's value, when it is set.
    pub(super) fn value(&self, name: &str) -> Option<Value> {
        let field = self.0.descriptor().get_field_by_name(name)?;
        self.0.has_field(&field).then(|| self.0.get_field(&field).into_owned())
    }

    pub(super) fn bool(&self, name: &str) -> Option<bool> {
        self.value(name)?.as_bool()
    }

    pub(super) fn string(&self, name: &str) -> Option<String> {
        self.value(name)?.as_str().map(str::to_owned)
    }

    pub(super) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        self.value(name)?.as_bytes().map(|bytes| bytes.to_vec())
    }

    pub(super) fn length(&self, name: &str) -> Option<u64> {
        self.value(name)?.as_u64()
    }

    /// The number of an enum's value, or a number of 32 bits.
    pub(super) fn number(&self, name: &str) -> Option<i32> {
        let value = self.value(name)?;
        value.as_enum_number().or_else(|| value.as_i32())
    }

    pub(super) fn message(&self, name: &str) -> Option<DynamicMessage> {
        self.value(name)?.as_message().cloned()
    }

    fn list<T>(&self, name: &str, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
        let value = self.value(name);
        value
            .as_ref()
            .and_then(Value::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(read)
            .collect()
    }

    pub(super) fn messages(&self, name: &str) -> Vec<DynamicMessage> {
        self.list(name, |value| value.as_message().cloned())
    }

    pub(super) fn strings(&self, name: &str) -> Vec<String> {
        self.list(name, |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn byte_strings(&self, name: &str) -> Vec<Vec<u8>> {
        self.list(name, |value| value.as_bytes().map(|bytes| bytes.to_vec()))
    }

    pub(super) fn bools(&self, name: &str) -> Vec<bool> {
        self.list(name, Value::as_bool)
    }

    pub(super) fn integers(&self, name: &str) -> Vec<i32> {
        self.list(name, Value::as_i32)
    }

    pub(super) fn numbers(&self, name: &str) -> Vec<Number> {
        self.list(name, number)
    }

    pub(super) fn scalar(&self, name: &str) -> Option<Number> {
        number(&self.value(name)?)
    }

    pub(super) fn moment(&self, name: &str) -> Option<Moment> {
        moment(&self.value(name)?)
    }

    pub(super) fn moments(&self, name: &str) -> Vec<Moment> {
        self.list(name, moment)
    }
}

fn number(value: &Value) -> Option<Number> {
    Some(match value {
        Value::I32(value) => Number::Int(i64::from(*value)),
        Value::I64(value) => Number::Int(*value),
        Value::U32(value) => Number::Uint(u64::from(*value)),
        Value::U64(value) => Number::Uint(*value),
        Value::F32(value) => Number::Float(f64::from(*value)),
        Value::F64(value) => Number::Float(*value),
        _ => return None,
    })
}

fn moment(value: &Value) -> Option<Moment> {
    let message = value.as_message()?;
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    let nanos = message.get_field_by_name("nanos")?.as_i32()?;
    Some(Moment { seconds, nanos })
}
