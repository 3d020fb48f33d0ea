//! The same messages as prost-build makes them, checked by prost-protovalidate.

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

pub use stravasync::activities::v1::UpsertActivitiesRequest;
pub use stravasync::sync::v1::{AthleteSyncEnded, SyncAthlete};

pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));
    DescriptorPool::decode(bytes.as_slice()).expect("the build has written it")
});

/// Modules as packages are called, which is where the checks look for messages.
#[allow(warnings, clippy::all)]
mod stravasync {
    pub mod activities {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/stravasync.activities.v1.rs"));
        }
    }
    pub mod sync {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/stravasync.sync.v1.rs"));
        }
    }
}

#[allow(warnings, clippy::all)]
mod checks {
    use super::stravasync;

    include!(concat!(env!("OUT_DIR"), "/validate_impl.rs"));
}
