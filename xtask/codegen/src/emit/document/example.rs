//! Values that stand for a message in a document: the same ones each time, valid, and in
//! accordance with the contract's rules.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::index::Index;
use super::schema::rules::{Rules, number};
use super::value::{Object, Value};
use crate::model::{Field, FieldCardinality, FieldType, Message, Scalar, TypeRef};

pub(in crate::emit) mod text;

/// Messages within messages are shown down to here unless they must be there.
const DEPTH: usize = 4;

/// Who writes the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::emit) enum Writer {
    Caller,
    Server,
}

/// Makes examples.
pub(in crate::emit) struct Examples<'a> {
    index: &'a Index<'a>,
    writer: Writer,
    /// Messages around the one that is written.
    stack: Vec<&'a str>,
}

impl<'a> Examples<'a> {
    pub(in crate::emit) fn new(index: &'a Index<'a>, writer: Writer) -> Self {
        Self { index, writer, stack: Vec::new() }
    }

    /// A message; none when no value is sure to obey its rules.
    pub(in crate::emit) fn message(&mut self, rust: &TypeRef) -> Option<Value> {
        match self.index.message(rust) {
            Some(message) => self.body(message, &[]),
            None => text::known(&self.index.message_name(rust)),
        }
    }

    /// A message without some of its fields.
    pub(in crate::emit) fn body(
        &mut self,
        message: &'a Message,
        without: &[&str],
    ) -> Option<Value> {
        if !super::schema::rules::MessageRules::of(message).notes.is_empty() {
            return None;
        }
        self.stack.push(&message.full_name);
        let members = self.members(message, without);
        self.stack.pop();
        members.map(Into::into)
    }

    fn members(&mut self, message: &'a Message, without: &[&str]) -> Option<Object> {
        let mut object = Object::new();
        let mut chosen = vec![false; message.oneofs.len()];
        for field in &message.fields {
            if without.contains(&field.name.as_str()) {
                continue;
            }
            let taken = field.oneof.is_some_and(|oneof| chosen.get(oneof) == Some(&true));
            let required = super::schema::is_required(field);
            if taken || (!required && self.is_left_out(field)) {
                continue;
            }
            match self.field(field) {
                Some(value) => {
                    object.set(&field.json_name, value);
                    if let Some(slot) = field.oneof.and_then(|oneof| chosen.get_mut(oneof)) {
                        *slot = true;
                    }
                }
                None if required => return None,
                None => {}
            }
        }
        Some(object)
    }

    fn is_left_out(&self, field: &Field) -> bool {
        let is = |behavior: &str| field.behaviors.iter().any(|known| known == behavior);
        let unseen = match self.writer {
            Writer::Caller => is("OUTPUT_ONLY"),
            Writer::Server => is("INPUT_ONLY"),
        };
        unseen || field.deprecated || self.stack.len() >= DEPTH && field.ty.rust().is_some()
    }

    /// The value of a field.
    pub(in crate::emit) fn field(&mut self, field: &'a Field) -> Option<Value> {
        let rules = Rules::of(field);
        if let Some(example) = rules.examples.first() {
            return Some(example.clone());
        }
        if !rules.notes.is_empty() {
            return None;
        }
        match field.cardinality {
            FieldCardinality::Repeated => {
                let items = rules.items.as_deref().cloned().unwrap_or_default();
                let count = rules.min_items.unwrap_or(1).max(1);
                if count > 1 && rules.unique || rules.max_items == Some(0) {
                    return None;
                }
                let item = self.value(field, &items)?;
                Some(Value::List(vec![item; usize::try_from(count).unwrap_or(1)]))
            }
            FieldCardinality::Map(key) => {
                if rules.min_items.is_some_and(|least| least > 1) || rules.max_items == Some(0) {
                    return None;
                }
                let values = rules.values.as_deref().cloned().unwrap_or_default();
                let keys = rules.keys.as_deref().cloned().unwrap_or_default();
                let value = self.value(field, &values)?;
                Some(Object::new().with(map_key(key, &keys)?, value).into())
            }
            _ => self.value(field, &rules),
        }
    }

    fn value(&mut self, field: &'a Field, rules: &Rules) -> Option<Value> {
        if let Some(example) = rules.examples.first() {
            return Some(example.clone());
        }
        if !rules.notes.is_empty() {
            return None;
        }
        match &field.ty {
            FieldType::Scalar(scalar) => scalar_value(*scalar, &field.name, &field.comment, rules),
            FieldType::Message { rust, full_name } => match self.index.message(rust) {
                Some(message) if self.stack.contains(&message.full_name.as_str()) => None,
                Some(message) => self.body(message, &[]),
                None => text::known(full_name),
            },
            FieldType::Enum { rust, full_name } => match self.index.enumeration(rust) {
                Some(enumeration) => {
                    let allowed = rules.enum_values(enumeration);
                    let allowed =
                        |name: &str| allowed.as_ref().is_none_or(|names| names.contains(&name));
                    let values = || enumeration.values.iter().filter(|value| allowed(&value.name));
                    let best = values().find(|value| value.number != 0 && !value.deprecated);
                    best.or_else(|| values().next()).map(|value| Value::from(&value.name))
                }
                None => text::known(full_name),
            },
        }
    }
}

fn map_key(key: Scalar, rules: &Rules) -> Option<String> {
    match scalar_value(key, "key", "", rules)? {
        Value::Text(text) => Some(text),
        other => Some(other.compact()),
    }
}

/// A scalar that obeys the rules and fits the field's name.
pub(in crate::emit) fn scalar_value(
    scalar: Scalar,
    name: &str,
    comment: &str,
    rules: &Rules,
) -> Option<Value> {
    if let Some(chosen) = rules.constant.clone().or_else(|| rules.one_of.first().cloned()) {
        return Some(chosen);
    }
    match scalar {
        Scalar::String => text::sample(name, comment, rules).map(Into::into),
        Scalar::Bool => Some(true.into()),
        Scalar::Bytes => {
            let least = usize::try_from(rules.min_length.unwrap_or(0)).ok()?;
            let most = usize::try_from(rules.max_length.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
            let bytes = b"treaty".iter().copied().cycle().take(least.max(6.min(most)));
            Some(BASE64_STANDARD.encode(bytes.collect::<Vec<_>>()).into())
        }
        Scalar::Float | Scalar::Double => numeric(rules, 0.5).map(Into::into),
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 | Scalar::Uint64 | Scalar::Fixed64 => {
            Some(Value::from(numeric(rules, 1.0)?).compact().into())
        }
        _ => numeric(rules, 1.0).map(Into::into),
    }
}

/// A number within the bounds: 1 if it is, else one next to a bound.
fn numeric(rules: &Rules, step: f64) -> Option<f64> {
    let bound = |value: &Option<Value>| value.as_ref().map(number);
    let (least, above) = (bound(&rules.minimum), bound(&rules.above));
    let (most, below) = (bound(&rules.maximum), bound(&rules.below));
    let candidates = [
        Some(1.0),
        least,
        above.map(|bound| bound + step),
        most,
        below.map(|bound| bound - step),
        least.map(|bound| bound + step),
        Some(0.0),
    ];
    let fits = |value: &f64| {
        least.is_none_or(|bound| *value >= bound)
            && above.is_none_or(|bound| *value > bound)
            && most.is_none_or(|bound| *value <= bound)
            && below.is_none_or(|bound| *value < bound)
            && !rules.none_of.iter().any(|one| number(one) == *value)
    };
    candidates.into_iter().flatten().find(fits)
}
