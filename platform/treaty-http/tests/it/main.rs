//! Routes in the shape of generated ones, called as a client would.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documents;
mod failures;
mod orders;
mod requests;
mod serving;
mod stopping;
