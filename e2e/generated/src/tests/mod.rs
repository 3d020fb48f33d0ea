//! Generated code at work.

mod gateway;
mod interop;
mod library;
mod mocks;
mod redaction;
mod repeats;
mod streams;
mod support;
mod validation;
