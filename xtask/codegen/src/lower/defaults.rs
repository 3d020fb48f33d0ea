//! Defaults that proto2 declares, as prost's attribute `default` has them.

use prost_reflect::{FieldDescriptor, Kind};

use super::names;

/// The declared default of a field.
pub(super) fn of(field: &FieldDescriptor) -> Option<String> {
    let text = field.field_descriptor_proto().default_value.as_deref()?;
    match field.kind() {
        Kind::Enum(enumeration) => {
            let value = enumeration.get_value_by_name(text)?;
            names::variants(&enumeration).remove(&value.number())
        }
        Kind::Bytes => {
            let value = field.default_value();
            let bytes = value.as_bytes()?.iter().copied().flat_map(std::ascii::escape_default);
            Some(format!("b\"{}\"", bytes.map(char::from).collect::<String>()))
        }
        _ => Some(text.to_owned()),
    }
}
