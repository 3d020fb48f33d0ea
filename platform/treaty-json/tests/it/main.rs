//! The mapping as callers meet it: texts in, texts out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod any;
mod hostile;
mod options;
mod orders;
mod parts;
mod random;
mod refusals;
mod well_known;
