//! Rules of booleans: `equals` of the module above with this family.

use super::Family;
use crate::Kind;

/// `bool`.
pub const BOOL: Family = Family::new("bool", 13, Kind::Bool);
