//! Rules of `google.protobuf.Duration`: `equals`, `one_of`, `none_of` and `range` of the
//! module above with this family and [`crate::cel::Duration`].

use super::Family;

/// `duration`.
pub const DURATION: Family = Family::shifted("duration", 21);
