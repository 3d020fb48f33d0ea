//! What HTTP asks of messages besides reading and writing them: one field as a body,
//! whether a parameter may stand twice, and what a partial update touches.

use crate::error::Segment;
use crate::{Error, Fields, ReadOptions, Reader, WriteOptions, Writer};

/// Appends the value of one field of a message as JSON, by its name in the contract: the
/// body of an answer with `response_body: "field"`. A field that is not set is written
/// with its default, a message as `null`.
///
/// # Errors
/// When it holds a value without a JSON form.
pub fn write_field(
    message: &dyn Fields,
    field: &str,
    mut buffer: Vec<u8>,
    options: &WriteOptions<'_>,
) -> Result<Vec<u8>, Error> {
    let Some(field) = message.schema().fields.iter().find(|known| known.name == field) else {
        return Err(Error::message(format!("there is no field {field}")));
    };
    let name = if options.proto_names { field.name } else { field.json };
    for defaults in [options.defaults, true] {
        let options = WriteOptions { defaults, ..*options };
        let mut writer = Writer::new(Vec::new(), &options);
        writer.object(message);
        let json = writer.finish()?;
        let json = std::str::from_utf8(&json).unwrap_or_default();
        if let Some(value) = member(json, name)? {
            buffer.extend_from_slice(value.as_bytes());
            return Ok(buffer);
        }
    }
    buffer.extend_from_slice(b"null");
    Ok(buffer)
}

/// The text of one member of an object.
fn member<'a>(json: &'a str, wanted: &str) -> Result<Option<&'a str>, Error> {
    let mut found = None;
    Reader::new(json, &ReadOptions::DEFAULT).entries("an object", &mut |reader, name| {
        let start = reader.position();
        reader.skip()?;
        if name == wanted {
            found = Some(start..reader.at());
        }
        Ok(())
    })?;
    Ok(found.and_then(|range| json.get(range)))
}

/// Whether the field at this path takes a list, so that a parameter may stand several
/// times. The message is one to try it on.
pub fn takes_list(message: &mut dyn Fields, path: &str) -> bool {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let Some(index) = message.schema().find(name) else { return false };
    match rest {
        Some(rest) => message.child(index).is_some_and(|child| takes_list(child, rest)),
        None => message.read_field(index, &mut Reader::new("[]", &ReadOptions::DEFAULT)).is_ok(),
    }
}

/// The JSON form of the `google.protobuf.FieldMask` of everything that a JSON object for
/// one field of a message sets, relative to that field. Lists, maps and well-known types
/// are named as a whole.
///
/// # Errors
/// When the text is not a JSON object of that field's message.
pub fn mask_of(
    message: &mut dyn Fields,
    field: &str,
    json: &[u8],
    options: &ReadOptions<'_>,
) -> Result<String, Error> {
    let mut mask = String::new();
    let index = message.schema().find(field);
    if let Some(child) = index.and_then(|index| message.child(index)) {
        let mut reader = Reader::from_bytes(json, options)?;
        if !reader.null()? {
            walk(child, &mut reader, &mut Vec::new(), &mut mask)?;
        }
    }
    Ok(mask)
}

fn walk(
    message: &mut dyn Fields,
    reader: &mut Reader<'_>,
    path: &mut Vec<&'static str>,
    mask: &mut String,
) -> Result<(), Error> {
    let schema = message.schema();
    reader.entries("an object", &mut |reader, name| {
        let Some((index, field)) = schema
            .find(&name)
            .and_then(|index| schema.fields.get(index).map(|field| (index, field)))
        else {
            return reader.skip();
        };
        path.push(field.json);
        let child = if reader.opens_object() { message.child(index) } else { None };
        let outcome = match child {
            Some(child) => walk(child, reader, path, mask),
            None => {
                if !mask.is_empty() {
                    mask.push(',');
                }
                mask.push_str(&path.join("."));
                reader.skip()
            }
        };
        path.pop();
        outcome.map_err(|error| error.within(Segment::Field(field.json)))
    })
}
