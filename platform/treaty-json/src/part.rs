//! Parts of messages: what HTTP puts into bodies, paths and queries.

use crate::error::Segment;
use crate::{Error, Fields, Json, ReadOptions, Reader};

/// Reads the value of one field of a message from JSON, by either name of the field:
/// the body of a route with `body: "field"`. False when there is no such field.
///
/// # Errors
/// When the text is not JSON, or not of the field's type. The field may then hold a part
/// of it.
pub fn read_field(
    message: &mut dyn Fields,
    field: &str,
    json: &[u8],
    options: &ReadOptions<'_>,
) -> Result<bool, Error> {
    let schema = message.schema();
    let Some(index) = schema.find(field) else { return Ok(false) };
    let mut reader = Reader::from_bytes(json, options)?;
    let located = |error: Error| match schema.fields.get(index) {
        Some(field) => error.within(Segment::Field(field.json)),
        None => error,
    };
    message.read_field(index, &mut reader).and_then(|()| reader.end()).map_err(located)?;
    Ok(true)
}

/// Reads a value from a text of a path or a query, as [`read_text`] reads a field's.
///
/// # Errors
/// When the text is none of the type.
pub fn from_text<T: Json>(text: &str) -> Result<T, Error> {
    let quoted = quoted(text)?;
    let mut value = T::default();
    Reader::textual(&quoted, &ReadOptions::DEFAULT).whole(&mut value)?;
    Ok(value)
}

/// Sets a field from a text of a path or a query, such as `page.size` from `10`. False
/// when there is no such field that a text can set.
///
/// Numbers, booleans, enums by name or number, bytes in base64, timestamps, durations,
/// field masks and wrappers are read as they are written in JSON, without quotes around
/// them. A text for a list becomes its next element. Messages on the way are made.
///
/// # Errors
/// When the text is none of the field's type.
pub fn read_text(
    message: &mut dyn Fields,
    path: &str,
    text: &str,
    options: &ReadOptions<'_>,
) -> Result<bool, Error> {
    descend(message, path, &mut Reader::textual(&quoted(text)?, options))
}

/// A text as a string of JSON. Within quotes, JSON has a form for everything that a text
/// can be but for booleans and the numbers of enums, which a textual reader takes too.
fn quoted(text: &str) -> Result<String, Error> {
    crate::to_string(&text.to_owned())
}

fn descend(message: &mut dyn Fields, path: &str, reader: &mut Reader<'_>) -> Result<bool, Error> {
    let schema = message.schema();
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let Some((index, field)) =
        schema.find(name).and_then(|index| schema.fields.get(index).map(|field| (index, field)))
    else {
        return Ok(false);
    };
    let outcome = match rest {
        Some(rest) => match message.child(index) {
            Some(child) => descend(child, rest, reader),
            None => return Ok(false),
        },
        None => message.read_field(index, reader).map(|()| true),
    };
    outcome.map_err(|error| error.within(Segment::Field(field.json)))
}
