//! Types as prost's attributes and as Rust, seen from one module.

use crate::emit::rust;
use crate::model::{Field, FieldType, Package, Scalar, TypeRef};

/// A module of a package's types.
pub(super) struct Scope<'a> {
    pub(super) package: &'a Package,
    /// Path below the package's own module; empty at the top.
    pub(super) module: &'a str,
}

impl Scope<'_> {
    /// The path of a type as seen from here.
    pub(super) fn path(&self, reference: &TypeRef) -> String {
        if reference.package != self.package.name || reference.is_well_known() {
            return rust::foreign_path(reference, self.package);
        }
        let own: Vec<_> = self.module.split("::").filter(|part| !part.is_empty()).collect();
        let target: Vec<_> = reference.path.split("::").collect();
        let modules = target.len().saturating_sub(1);
        let shared = own.iter().zip(&target[..modules]).take_while(|(a, b)| a == b).count();
        let up = std::iter::repeat_n("super", own.len() - shared);
        up.chain(target[shared..].iter().copied()).collect::<Vec<_>>().join("::")
    }

    /// Type of one value of a field.
    pub(super) fn rust_type(&self, field: &Field) -> String {
        let path = match &field.ty {
            FieldType::Scalar(kind) => return scalar(*kind).to_owned(),
            FieldType::Enum { .. } => return "i32".to_owned(),
            FieldType::Message { rust, .. } => self.path(rust),
        };
        if field.boxed { format!("::prost::alloc::boxed::Box<{path}>") } else { path }
    }

    /// How prost shall encode a field of a struct.
    pub(super) fn attribute(&self, field: &Field) -> String {
        match &field.ty {
            FieldType::Scalar(Scalar::Bytes) => "bytes = \"vec\"".to_owned(),
            _ => self.variant(field),
        }
    }

    /// How prost shall encode a variant of a oneof.
    pub(super) fn variant(&self, field: &Field) -> String {
        match &field.ty {
            FieldType::Scalar(kind) => attribute(*kind).to_owned(),
            FieldType::Enum { rust, .. } => format!("enumeration = \"{}\"", self.path(rust)),
            FieldType::Message { .. } if field.delimited => "group".to_owned(),
            FieldType::Message { .. } => "message".to_owned(),
        }
    }

    /// How prost shall encode the value of a map.
    pub(super) fn map_value(&self, field: &Field) -> String {
        match &field.ty {
            FieldType::Enum { rust, .. } => format!("enumeration({})", self.path(rust)),
            _ => self.variant(field),
        }
    }
}

/// A scalar in Rust.
pub(super) fn scalar(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Double => "f64",
        Scalar::Float => "f32",
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => "i32",
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => "i64",
        Scalar::Uint32 | Scalar::Fixed32 => "u32",
        Scalar::Uint64 | Scalar::Fixed64 => "u64",
        Scalar::Bool => "bool",
        Scalar::String => "::prost::alloc::string::String",
        Scalar::Bytes => "::prost::alloc::vec::Vec<u8>",
    }
}

/// A scalar in prost's attributes, which is its name in protobuf.
pub(super) fn attribute(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Double => "double",
        Scalar::Float => "float",
        Scalar::Int32 => "int32",
        Scalar::Int64 => "int64",
        Scalar::Uint32 => "uint32",
        Scalar::Uint64 => "uint64",
        Scalar::Sint32 => "sint32",
        Scalar::Sint64 => "sint64",
        Scalar::Fixed32 => "fixed32",
        Scalar::Fixed64 => "fixed64",
        Scalar::Sfixed32 => "sfixed32",
        Scalar::Sfixed64 => "sfixed64",
        Scalar::Bool => "bool",
        Scalar::String => "string",
        Scalar::Bytes => "bytes",
    }
}
