//! Rules of numbers: `equals`, `one_of`, `none_of` and `range` of the module above with
//! one of these families, and [`finite`].

use super::Family;
use crate::{Field, Kind, Report};

/// `float`.
pub const FLOAT: Family = Family::new("float", 1, Kind::Float);
/// `double`.
pub const DOUBLE: Family = Family::new("double", 2, Kind::Double);
/// `int32`.
pub const INT32: Family = Family::new("int32", 3, Kind::Int32);
/// `int64`.
pub const INT64: Family = Family::new("int64", 4, Kind::Int64);
/// `uint32`.
pub const UINT32: Family = Family::new("uint32", 5, Kind::Uint32);
/// `uint64`.
pub const UINT64: Family = Family::new("uint64", 6, Kind::Uint64);
/// `sint32`.
pub const SINT32: Family = Family::new("sint32", 7, Kind::Sint32);
/// `sint64`.
pub const SINT64: Family = Family::new("sint64", 8, Kind::Sint64);
/// `fixed32`.
pub const FIXED32: Family = Family::new("fixed32", 9, Kind::Fixed32);
/// `fixed64`.
pub const FIXED64: Family = Family::new("fixed64", 10, Kind::Fixed64);
/// `sfixed32`.
pub const SFIXED32: Family = Family::new("sfixed32", 11, Kind::Sfixed32);
/// `sfixed64`.
pub const SFIXED64: Family = Family::new("sfixed64", 12, Kind::Sfixed64);

/// `finite`: the value is neither infinite nor NaN.
#[inline]
pub fn finite(report: &mut Report, family: &Family, value: impl Into<f64>) {
    if !value.into().is_finite() {
        report.broken(family, Field::new(8, "finite", Kind::Bool), "finite", "must be finite");
    }
}
