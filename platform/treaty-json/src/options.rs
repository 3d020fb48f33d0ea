//! What a reader or a writer may be asked to do differently.

use crate::Registry;

/// What to do with names that the contract does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// They are an error: most likely somebody has misspelt something.
    #[default]
    Refuse,
    /// Unknown fields are left out, and so are fields, elements and entries with the
    /// name of an enum value that is not known: for readers older than their writers.
    Ignore,
}

/// How JSON is read.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions<'a> {
    /// Names that the contract does not have.
    pub unknown: Unknown,
    /// Nesting of objects and lists beyond which a text is refused; 100 by default,
    /// as in the reference implementation.
    pub max_depth: u32,
    /// Types that an `Any` may hold besides the well-known ones.
    pub registry: Option<&'a Registry>,
}

impl ReadOptions<'_> {
    /// Strict, and without types for `Any`.
    pub const DEFAULT: Self =
        ReadOptions { unknown: Unknown::Refuse, max_depth: 100, registry: None };
}

impl Default for ReadOptions<'_> {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How JSON is written. The defaults are the canonical form.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions<'a> {
    /// Also fields without presence that have their default, empty lists and maps.
    pub defaults: bool,
    /// Field names as in the contract instead of in camel case.
    pub proto_names: bool,
    /// Enums as numbers instead of names.
    pub enum_numbers: bool,
    /// Types that an `Any` may hold besides the well-known ones.
    pub registry: Option<&'a Registry>,
}

impl WriteOptions<'_> {
    /// The canonical form, and without types for `Any`.
    pub const DEFAULT: Self =
        WriteOptions { defaults: false, proto_names: false, enum_numbers: false, registry: None };
}

impl Default for WriteOptions<'_> {
    fn default() -> Self {
        Self::DEFAULT
    }
}
