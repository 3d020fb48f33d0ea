//! The package and the ports of `contracts/`, as the generator of this very build writes
//! them, and tests of what they do: over real connections, against tonic's own stubs.

// Ports reach packages by the name of their crate.
extern crate self as proof_echo_v1;

include!(concat!(env!("OUT_DIR"), "/packages/proof-echo-v1/src/included.rs"));

/// The port of the deployable that calls.
pub mod caller_port {
    include!(concat!(env!("OUT_DIR"), "/ports/caller-port/src/included.rs"));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
