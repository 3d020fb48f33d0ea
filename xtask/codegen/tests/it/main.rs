//! The generator as a whole: contracts in, files or diagnostics out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod bad_input;
mod breaking;
mod clients;
mod documents;
mod emitters;
mod foreign;
mod fuzz;
mod image;
mod keywords;
mod prost;
mod support;
mod writing;
