//! The runtime under generated proto3 JSON.
//!
//! The mapping is that of <https://protobuf.dev/programming-guides/json/>, whole: the
//! official conformance suite judges it. Messages are prost's; generated code implements
//! [`Fields`] for each, as one line a field, and this crate does the rest: a [`Writer`]
//! straight into a buffer, a pull [`Reader`] straight from the bytes, no tree and no serde
//! in between.
//!
//! ```ignore
//! let athlete: Athlete = treaty_json::from_slice(body)?;
//! let body = treaty_json::to_vec(&athlete)?;
//! ```

#![forbid(unsafe_code)]

mod error;
mod http_body;
mod options;
mod part;
mod read;
mod registry;
mod scalar;
mod scan;
mod schema;
#[cfg(feature = "serde")]
pub mod serde;
mod walk;
mod well_known;
mod write;

pub use error::{Error, ErrorKind};
pub use http_body::HttpBody;
pub use options::{ReadOptions, Unknown, WriteOptions};
pub use part::{from_text, read_field, read_text};
pub use read::Reader;
pub use registry::Registry;
pub use scalar::{MapKey, Scalar};
pub use schema::{Enum, EnumSchema, Field, Fields, Json, Schema};
pub use walk::{mask_of, takes_list, write_field};
pub use write::Writer;

/// Most answers fit without growing.
const CAPACITY: usize = 512;

/// Reads a message, strictly: names that the contract does not have are errors.
///
/// # Errors
/// When the bytes are not JSON, or not of this message.
pub fn from_slice<T: Json>(json: &[u8]) -> Result<T, Error> {
    from_slice_with(json, &ReadOptions::DEFAULT)
}

/// Reads a message as asked for.
///
/// # Errors
/// When the bytes are not JSON, or not of this message.
pub fn from_slice_with<T: Json>(json: &[u8], options: &ReadOptions<'_>) -> Result<T, Error> {
    let mut message = T::default();
    Reader::from_bytes(json, options)?.whole(&mut message)?;
    Ok(message)
}

/// Writes a message in the canonical form.
///
/// # Errors
/// When it holds a value without one, such as a timestamp in the year 10000.
pub fn to_vec<T: Json>(message: &T) -> Result<Vec<u8>, Error> {
    to_vec_with(message, &WriteOptions::DEFAULT)
}

/// Writes a message as asked for.
///
/// # Errors
/// When it holds a value without a JSON form.
pub fn to_vec_with<T: Json>(message: &T, options: &WriteOptions<'_>) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::new(Vec::with_capacity(CAPACITY), options);
    message.write_json(&mut writer);
    writer.finish()
}

/// Writes a message in the canonical form.
///
/// # Errors
/// When it holds a value without one, such as a timestamp in the year 10000.
pub fn to_string<T: Json>(message: &T) -> Result<String, Error> {
    let json = to_vec(message)?;
    String::from_utf8(json).map_err(|_| Error::message("not UTF-8"))
}
