//! The contract as our generator writes it. Its paths begin at the crate, so it has one.

#![allow(warnings, clippy::all)]

include!(concat!(env!("OUT_DIR"), "/packages/bench-v1/src/included.rs"));
