//! The generator as a whole: contracts in, files or diagnostics out.

mod bad_input;
mod emitters;
mod image;
mod support;
mod writing;
