//! The mapping as callers meet it: texts in, texts out.

#![allow(missing_docs)]

mod any;
mod options;
mod orders;
mod parts;
mod random;
mod refusals;
mod well_known;
