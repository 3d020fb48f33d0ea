//! Whole-system and fault tests.
