//! Generated code at work.

mod interop;
mod mocks;
mod redaction;
mod repeats;
mod streams;
mod support;
mod validation;
