//! Types that an `Any` may hold.

use std::collections::{BTreeSet, HashMap};

use crate::Fields;
use crate::well_known::AnyCodec;

/// The types that readers and writers find behind the type URL of a
/// `google.protobuf.Any`. The well-known types are always known.
///
/// There is no global one: each generated crate has a function `register_types`, which
/// adds its own messages and those of the crates it builds on, and a program registers
/// what it wants to be sent.
#[derive(Debug, Default)]
pub struct Registry {
    types: HashMap<&'static str, AnyCodec>,
    packages: BTreeSet<&'static str>,
}

impl Registry {
    /// A registry of the well-known types alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a package is still to be added. It counts as added from now on, for two
    /// crates may build on a third.
    pub fn begin(&mut self, package: &'static str) -> bool {
        self.packages.insert(package)
    }

    /// Adds a message under its full name.
    pub fn add<M: Fields + prost::Message + Default>(&mut self, full_name: &'static str) {
        // No message is made to ask it for its name: of one that requires itself, which
        // proto2 lets pass, there is none.
        self.types.insert(full_name, AnyCodec::of_fields::<M>());
    }

    pub(crate) fn get(&self, full_name: &str) -> Option<AnyCodec> {
        self.types.get(full_name).copied()
    }
}
