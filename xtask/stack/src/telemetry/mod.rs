//! What the services tell of themselves: their traces, by a receiver as a collector has one,
//! and their metrics.

mod receiver;
mod tree;

pub use receiver::{Receiver, Span};
pub use tree::Trace;
