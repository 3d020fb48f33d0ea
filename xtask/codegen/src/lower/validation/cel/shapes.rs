//! How what an expression reads is stored.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::super::super::{messages, names};
use crate::load::Contracts;
use crate::model::{
    CelField, CelShape, CelStored, CelType, FieldCardinality, FieldType, Scalar, wrapped,
};

pub(super) fn shape_type(shape: &CelShape) -> CelType {
    match shape {
        CelShape::One(stored) => stored.ty(),
        CelShape::List(item) => CelType::List(Box::new(item.ty())),
        CelShape::Map(key, value) => CelType::Map(key.clone(), value.clone()),
    }
}

/// How the values of a field are stored; of a list or map, its items or values.
pub(in super::super) fn stored(field: &FieldDescriptor) -> CelStored {
    match field.kind() {
        Kind::Message(entry) if entry.is_map_entry() => stored(&entry.map_entry_value_field()),
        Kind::Message(message) => stored_message(&message),
        Kind::Enum(_) => CelStored::Enum,
        _ => CelStored::Scalar(scalar(field).unwrap_or(Scalar::Bytes)),
    }
}

pub(super) fn stored_message(message: &MessageDescriptor) -> CelStored {
    match message.full_name() {
        "google.protobuf.Duration" => CelStored::Duration,
        "google.protobuf.Timestamp" => CelStored::Timestamp,
        name => match wrapped(name) {
            Some(scalar) => CelStored::Wrapper(scalar),
            None => CelStored::Message(name.to_owned()),
        },
    }
}

fn scalar(field: &FieldDescriptor) -> Option<Scalar> {
    match messages::field_type(field) {
        FieldType::Scalar(scalar) => Some(scalar),
        FieldType::Message { .. } | FieldType::Enum { .. } => None,
    }
}

/// A field as an expression reads it.
pub(in super::super) fn field_of(contracts: &Contracts, field: &FieldDescriptor) -> CelField {
    let shape = match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            CelShape::Map(stored(&entry.map_entry_key_field()), stored(field))
        }
        _ if field.is_list() => CelShape::List(stored(field)),
        _ => CelShape::One(stored(field)),
    };
    let oneof = names::oneof_of(field);
    let oneof = oneof.map(|oneof| {
        let mut members = names::members(field.parent_message()).oneofs;
        (members.remove(oneof.name()).unwrap_or_default(), names::oneof_type(&oneof))
    });
    CelField {
        rust_name: names::field(field),
        optional: messages::cardinality(&contracts.features, field) == FieldCardinality::Explicit,
        shape,
        oneof,
    }
}
