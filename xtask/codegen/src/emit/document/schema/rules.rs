//! Validation rules as JSON Schema keywords; what no keyword can say is told in words.

use super::{Object, Value, contract_rules, list};
use crate::model::{Enum, Field, FieldCardinality, FieldType, Message, Scalar};

/// The rules of a field, or of the items, keys or values of one.
#[derive(Clone, Debug, Default)]
pub(in crate::emit) struct Rules {
    /// The field must be there, and not empty where absence and emptiness are the same.
    pub(in crate::emit) required: bool,
    /// An absent value is not judged.
    pub(in crate::emit) ignores_zero: bool,
    pub(in crate::emit) constant: Option<Value>,
    pub(in crate::emit) one_of: Vec<Value>,
    pub(in crate::emit) none_of: Vec<Value>,
    pub(in crate::emit) minimum: Option<Value>,
    pub(in crate::emit) above: Option<Value>,
    pub(in crate::emit) maximum: Option<Value>,
    pub(in crate::emit) below: Option<Value>,
    /// No infinity and no NaN.
    pub(in crate::emit) finite: bool,
    /// Characters of a text, bytes of bytes.
    pub(in crate::emit) min_length: Option<u64>,
    pub(in crate::emit) max_length: Option<u64>,
    /// Regular expressions for ECMA-262.
    pub(in crate::emit) patterns: Vec<String>,
    pub(in crate::emit) format: Option<&'static str>,
    /// Items of a list, entries of a map.
    pub(in crate::emit) min_items: Option<u64>,
    pub(in crate::emit) max_items: Option<u64>,
    pub(in crate::emit) unique: bool,
    pub(in crate::emit) items: Option<Box<Self>>,
    pub(in crate::emit) keys: Option<Box<Self>>,
    pub(in crate::emit) values: Option<Box<Self>>,
    /// Values that the contract gives as examples.
    pub(in crate::emit) examples: Vec<Value>,
    /// Rules that no keyword expresses, in words.
    pub(in crate::emit) notes: Vec<String>,
}

/// Rules of a message as a whole.
#[derive(Clone, Debug, Default)]
pub(in crate::emit) struct MessageRules {
    /// Oneofs of which one member must be there.
    pub(in crate::emit) required_oneofs: Vec<String>,
    /// Fields of which at most one may be there, and whether one must.
    pub(in crate::emit) choices: Vec<(Vec<String>, bool)>,
    /// Rules that no keyword expresses, in words.
    pub(in crate::emit) notes: Vec<String>,
}

impl MessageRules {
    /// What the contract says of the message.
    pub(in crate::emit) fn of(message: &Message) -> Self {
        contract_rules::of_message(message)
    }
}

impl Rules {
    /// What the contract says of the field.
    pub(in crate::emit) fn of(field: &Field) -> Self {
        contract_rules::of_field(&field.rules)
    }

    /// What a schema of this type leaves to words: bounds of numbers that are texts in JSON.
    pub(in crate::emit) fn notes_for(&self, ty: &FieldType) -> Vec<String> {
        let mut notes = self.notes.clone();
        if matches!(zero(ty), Value::Text(text) if text == "0") {
            for (bound, word) in [
                (&self.minimum, "at least"),
                (&self.above, "more than"),
                (&self.maximum, "at most"),
                (&self.below, "less than"),
            ] {
                let bound = bound.as_ref().map(Value::compact);
                notes.extend(bound.map(|bound| format!("Rule: {word} {bound}.")));
            }
        }
        notes
    }

    /// The rules in a reader's words, in the order in which one would say them.
    pub(in crate::emit) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.required {
            words.push("required".to_owned());
        }
        let text = |value: &Value| value.compact();
        for (bound, word) in [
            (&self.constant, "is"),
            (&self.minimum, "≥"),
            (&self.above, ">"),
            (&self.maximum, "≤"),
            (&self.below, "<"),
        ] {
            words.extend(bound.as_ref().map(|bound| format!("{word} {}", text(bound))));
        }
        for (values, word) in [(&self.one_of, "one of"), (&self.none_of, "none of")] {
            if !values.is_empty() {
                let all: Vec<_> = values.iter().map(text).collect();
                words.push(format!("{word} {}", all.join(", ")));
            }
        }
        words.extend(range("long", self.min_length, self.max_length));
        words.extend(range("items", self.min_items, self.max_items));
        words.extend(self.format.map(str::to_owned));
        words.extend(self.patterns.iter().map(|pattern| format!("matches {pattern}")));
        if self.unique {
            words.push("no item twice".to_owned());
        }
        if self.finite {
            words.push("finite".to_owned());
        }
        for (inner, whose) in
            [(&self.items, "each"), (&self.keys, "keys"), (&self.values, "values")]
        {
            if let Some(inner) = inner {
                words.extend(inner.words().into_iter().map(|word| format!("{whose}: {word}")));
            }
        }
        words
    }

    /// Whether the field's absence, which is its zero value, breaks a rule.
    pub(super) fn refuses_absence(&self, field: &Field) -> bool {
        if self.required {
            return true;
        }
        if self.ignores_zero || field.oneof.is_some() {
            return false;
        }
        match field.cardinality {
            FieldCardinality::Explicit | FieldCardinality::Required => false,
            FieldCardinality::Repeated | FieldCardinality::Map(_) => {
                self.min_items.is_some_and(|least| least > 0)
            }
            FieldCardinality::Implicit => self.refuses_zero(&field.ty),
        }
    }

    fn refuses_zero(&self, ty: &FieldType) -> bool {
        let zero = zero(ty);
        self.min_length.is_some_and(|least| least > 0)
            || self.format.is_some()
            || self.constant.as_ref().is_some_and(|constant| *constant != zero)
            || (!self.one_of.is_empty() && !self.one_of.contains(&zero))
            || self.none_of.contains(&zero)
            || self.minimum.as_ref().is_some_and(|least| number(least) > 0.0)
            || self.above.as_ref().is_some_and(|bound| number(bound) >= 0.0)
            || self.maximum.as_ref().is_some_and(|most| number(most) < 0.0)
            || self.below.as_ref().is_some_and(|bound| number(bound) <= 0.0)
    }

    /// Whether no rule admits an infinity or NaN.
    pub(super) fn excludes_infinities(&self) -> bool {
        let bounded_below = self.minimum.is_some() || self.above.is_some();
        let bounded_above = self.maximum.is_some() || self.below.is_some();
        self.finite
            || self.constant.is_some()
            || !self.one_of.is_empty()
            || (bounded_below && bounded_above)
    }

    /// Adds the keywords of a scalar's rules.
    pub(super) fn apply_to_scalar(&self, schema: Object, scalar: Scalar) -> Object {
        match scalar {
            Scalar::String => self.apply_to_text(schema),
            Scalar::Bytes => self.apply_to_bytes(schema),
            _ => self.apply_to_number(schema),
        }
    }

    fn apply_to_number(&self, mut schema: Object) -> Object {
        // Bounds hold for numbers only; a text with a number is bound in words.
        if schema.get("type").is_some_and(|ty| *ty != Value::from("string")) {
            for (keyword, bound) in [
                ("minimum", &self.minimum),
                ("exclusiveMinimum", &self.above),
                ("maximum", &self.maximum),
                ("exclusiveMaximum", &self.below),
            ] {
                if let Some(bound) = bound {
                    schema.set(keyword, bound.clone());
                }
            }
        }
        let refuses_zero = self.required.then(|| schema.get("type").cloned()).flatten();
        let schema = self.choices(schema);
        match refuses_zero {
            Some(Value::Text(ty)) if ty == "boolean" => schema.with("const", true),
            Some(Value::Text(ty)) if ty == "string" => {
                schema.with("not", Object::new().with("const", "0"))
            }
            Some(_) => schema.with("not", Object::new().with("const", 0)),
            None => schema,
        }
    }

    fn apply_to_text(&self, schema: Object) -> Object {
        let least = self.min_length.or(self.required.then_some(1));
        let schema = schema
            .with_some("format", self.format)
            .with_some("minLength", least)
            .with_some("maxLength", self.max_length);
        self.choices(with_patterns(schema, &self.patterns))
    }

    /// In base64 three bytes are four characters; padding may be left out.
    fn apply_to_bytes(&self, schema: Object) -> Object {
        let least = self.min_length.or(self.required.then_some(1));
        let schema = schema
            .with_some("minLength", least.map(|bytes| (bytes * 4).div_ceil(3)))
            .with_some("maxLength", self.max_length.map(|bytes| bytes.div_ceil(3) * 4));
        self.choices(schema)
    }

    /// Adds the keywords of a library type's rules.
    pub(super) fn apply_to_known(&self, schema: Object, full_name: &str) -> Object {
        let wrapped = match full_name {
            "google.protobuf.StringValue" => Scalar::String,
            "google.protobuf.BytesValue" => Scalar::Bytes,
            "google.protobuf.Int32Value"
            | "google.protobuf.UInt32Value"
            | "google.protobuf.FloatValue"
            | "google.protobuf.DoubleValue" => Scalar::Int32,
            _ => return self.choices(schema),
        };
        self.apply_to_scalar(schema, wrapped)
    }

    fn choices(&self, schema: Object) -> Object {
        let schema =
            schema.with_some("const", self.constant.clone()).with_list("enum", self.one_of.clone());
        if self.none_of.is_empty() {
            return schema;
        }
        schema.with("not", Object::new().with("enum", self.none_of.clone()))
    }

    /// Adds the keywords of a list's rules.
    pub(super) fn apply_to_list(&self, schema: Object) -> Object {
        schema
            .with_some("minItems", self.min_items.or(self.required.then_some(1)))
            .with_some("maxItems", self.max_items)
            .with_flag("uniqueItems", self.unique)
    }

    /// Adds the keywords of a map's rules.
    pub(super) fn apply_to_map(&self, schema: Object) -> Object {
        schema
            .with_some("minProperties", self.min_items.or(self.required.then_some(1)))
            .with_some("maxProperties", self.max_items)
    }

    /// The names that rules leave of an enum; none when they leave all.
    pub(in crate::emit) fn enum_values<'e>(&self, enumeration: &'e Enum) -> Option<Vec<&'e str>> {
        let number = |value: i32| Value::Integer(value.into());
        let allowed = |value: i32| {
            self.constant.as_ref().is_none_or(|constant| *constant == number(value))
                && (self.one_of.is_empty() || self.one_of.contains(&number(value)))
                && !self.none_of.contains(&number(value))
                && !(self.required && value == 0)
        };
        let all = enumeration.values.len();
        let left = enumeration.values.iter().filter(|value| allowed(value.number));
        let left: Vec<_> = left.map(|value| value.name.as_str()).collect();
        (left.len() < all && !left.is_empty()).then_some(left)
    }
}

fn range(what: &str, least: Option<u64>, most: Option<u64>) -> Option<String> {
    match (least, most) {
        (None, None) => None,
        (Some(least), Some(most)) if least == most => Some(format!("{least} {what}")),
        (Some(least), Some(most)) => Some(format!("{least} to {most} {what}")),
        (Some(least), None) => Some(format!("at least {least} {what}")),
        (None, Some(most)) => Some(format!("at most {most} {what}")),
    }
}

/// One pattern stands by itself; all of several must match.
fn with_patterns(schema: Object, patterns: &[String]) -> Object {
    match patterns {
        [] => schema,
        [pattern] => schema.with("pattern", pattern),
        several => {
            let all = several.iter().map(|pattern| Object::new().with("pattern", pattern));
            schema.with("allOf", list(all))
        }
    }
}

/// What an absent value counts as.
fn zero(ty: &FieldType) -> Value {
    match ty {
        FieldType::Scalar(Scalar::String | Scalar::Bytes) => "".into(),
        FieldType::Scalar(Scalar::Bool) => false.into(),
        FieldType::Scalar(
            Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 | Scalar::Uint64 | Scalar::Fixed64,
        ) => "0".into(),
        FieldType::Scalar(_) | FieldType::Enum { .. } => 0.into(),
        FieldType::Message { .. } => Value::Null,
    }
}

/// A bound as a number; what is none bounds nothing.
pub(in crate::emit) fn number(value: &Value) -> f64 {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "only its sign and size matter")]
        Value::Integer(integer) => *integer as f64,
        Value::Float(float) => *float,
        Value::Text(text) => text.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}
