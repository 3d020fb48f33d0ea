//! Generated code at work.

mod interop;
mod redaction;
mod repeats;
mod streams;
mod support;
