//! Whole-system and fault tests; see `tests/it`.
