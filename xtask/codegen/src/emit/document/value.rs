//! JSON that keeps the order in which it is written, so that documents read from the
//! general to the particular and are the same bytes whatever features of `serde_json`
//! the rest of the build turns on.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::emit) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Object(Object),
}

/// A JSON object with its members in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::emit) struct Object(Vec<(String, Value)>);

impl Object {
    /// An object without members.
    pub(in crate::emit) fn new() -> Self {
        Self::default()
    }

    /// Adds a member at the end.
    #[must_use]
    pub(in crate::emit) fn with(
        mut self,
        name: impl Into<String>,
        value: impl Into<Value>,
    ) -> Self {
        self.set(name, value);
        self
    }

    /// Adds a member if there is a value for it.
    #[must_use]
    pub(in crate::emit) fn with_some(
        self,
        name: impl Into<String>,
        value: Option<impl Into<Value>>,
    ) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a text if it is not empty.
    #[must_use]
    pub(in crate::emit) fn with_text(
        self,
        name: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        let text = text.into();
        self.with_some(name, (!text.is_empty()).then_some(text))
    }

    /// Adds a flag if it is set.
    #[must_use]
    pub(in crate::emit) fn with_flag(self, name: impl Into<String>, set: bool) -> Self {
        self.with_some(name, set.then_some(true))
    }

    /// Adds a list if it is not empty.
    #[must_use]
    pub(in crate::emit) fn with_list(self, name: impl Into<String>, items: Vec<Value>) -> Self {
        self.with_some(name, (!items.is_empty()).then_some(items))
    }

    /// Adds an object if it is not empty.
    #[must_use]
    pub(in crate::emit) fn with_object(self, name: impl Into<String>, object: Self) -> Self {
        self.with_some(name, (!object.is_empty()).then_some(object))
    }

    /// Adds a member at the end, or replaces the one of that name.
    pub(in crate::emit) fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    /// The value of a member.
    pub(in crate::emit) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Takes a member out.
    pub(in crate::emit) fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(index).1)
    }

    /// Adds the members of another object.
    #[must_use]
    pub(in crate::emit) fn and(mut self, other: Self) -> Self {
        for (name, value) in other.0 {
            self.set(name, value);
        }
        self
    }

    /// Whether it has no members.
    pub(in crate::emit) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members in order.
    pub(in crate::emit) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl FromIterator<(String, Value)> for Object {
    /// Members in this order; their names must differ.
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl Value {
    /// The text of a document: indented by two, with a newline at the end.
    pub(in crate::emit) fn document(&self) -> String {
        // Neither keys that are no text nor failing writers occur here.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The value in one line.
    pub(in crate::emit) fn compact(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A list of values.
pub(in crate::emit) fn list<T: Into<Value>>(items: impl IntoIterator<Item = T>) -> Value {
    Value::List(items.into_iter().map(Into::into).collect())
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i128(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.0.len()))?;
                for (name, value) in &object.0 {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Self::Integer(value.into())
            }
        })*
    };
}

from_integer!(u16, i32, u32, i64, u64, i128);

impl From<f64> for Value {
    /// Whole numbers are written as such; what is no number in JSON is a text, as in
    /// proto3 JSON.
    fn from(value: f64) -> Self {
        if value.is_nan() {
            "NaN".into()
        } else if value.is_infinite() {
            if value > 0.0 { "Infinity" } else { "-Infinity" }.into()
        } else if value.fract() == 0.0 && value.abs() < 1e15 {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
            Self::Integer(value as i128)
        } else {
            Self::Float(value)
        }
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(items)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stay_in_order_and_texts_are_escaped() {
        let value: Value = Object::new()
            .with("b", "\"<\n")
            .with("a", list([1_i64, 2]))
            .with_text("empty", "")
            .with("c", 0.5)
            .with("d", 3.0)
            .with("e", f64::INFINITY)
            .into();
        assert_eq!(value.compact(), r#"{"b":"\"<\n","a":[1,2],"c":0.5,"d":3,"e":"Infinity"}"#);
    }
}
