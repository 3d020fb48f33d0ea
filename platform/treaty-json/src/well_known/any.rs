//! `google.protobuf.Any`: the fields of what it holds, and `@type`.

use prost_types::Any;

use crate::error::{Segment, shown};
use crate::read::{Sought, TYPE_NAME, duplicate};
use crate::{Error, Fields, Json, Reader, Unknown, Writer};

/// How a type is held by an `Any`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnyCodec {
    /// Writes the members after `@type` from the type's binary form.
    write: fn(&[u8], &mut Writer<'_>) -> Result<(), prost::DecodeError>,
    /// Reads the object, or the value of its member `value`, to the binary form.
    read: fn(&mut Reader<'_>) -> Result<Vec<u8>, Error>,
    /// Whether its JSON is not an object of fields, so that a member `value` has it.
    has_value: bool,
}

impl AnyCodec {
    /// For messages whose JSON is an object of their fields.
    pub(crate) fn of_fields<M: Fields + prost::Message + Default>() -> Self {
        Self {
            write: |bytes, writer| {
                M::decode(bytes)?.write_fields(writer);
                Ok(())
            },
            read: |reader| {
                let mut message = M::default();
                reader.fields(&mut message, true)?;
                Ok(message.encode_to_vec())
            },
            has_value: false,
        }
    }

    /// For types with a JSON of their own.
    fn of_value<T: Json + prost::Message + Default>() -> Self {
        Self {
            write: |bytes, writer| {
                let value = T::decode(bytes)?;
                writer.member("value", &value);
                Ok(())
            },
            read: |reader| {
                let mut value = T::default();
                value.read_json(reader)?;
                Ok(value.encode_to_vec())
            },
            has_value: true,
        }
    }
}

/// The well-known type of this name.
fn well_known(full_name: &str) -> Option<AnyCodec> {
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "Any" => AnyCodec::of_value::<Any>(),
        "Timestamp" => AnyCodec::of_value::<prost_types::Timestamp>(),
        "Duration" => AnyCodec::of_value::<prost_types::Duration>(),
        "FieldMask" => AnyCodec::of_value::<prost_types::FieldMask>(),
        "Struct" => AnyCodec::of_value::<prost_types::Struct>(),
        "Value" => AnyCodec::of_value::<prost_types::Value>(),
        "ListValue" => AnyCodec::of_value::<prost_types::ListValue>(),
        "DoubleValue" => AnyCodec::of_value::<f64>(),
        "FloatValue" => AnyCodec::of_value::<f32>(),
        "Int64Value" => AnyCodec::of_value::<i64>(),
        "UInt64Value" => AnyCodec::of_value::<u64>(),
        "Int32Value" => AnyCodec::of_value::<i32>(),
        "UInt32Value" => AnyCodec::of_value::<u32>(),
        "BoolValue" => AnyCodec::of_value::<bool>(),
        "StringValue" => AnyCodec::of_value::<String>(),
        "BytesValue" => AnyCodec::of_value::<Vec<u8>>(),
        "Empty" => AnyCodec::of_fields::<()>(),
        _ => return None,
    })
}

/// The codec of a type URL: its last segment is the type's full name.
fn codec(url: &str, registry: Option<&crate::Registry>) -> Result<AnyCodec, String> {
    let name = match url.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() => name,
        _ => {
            let url = shown(url);
            return Err(format!("{url:?} is no type URL such as type.googleapis.com/full.Name"));
        }
    };
    let registered = || registry.and_then(|registry| registry.get(name));
    well_known(name)
        .or_else(registered)
        .ok_or_else(|| format!("the type {} is not registered", shown(name)))
}

impl Json for Any {
    fn write_json(&self, writer: &mut Writer<'_>) {
        if self.type_url.is_empty() && self.value.is_empty() {
            return writer.raw("{}");
        }
        let codec = match codec(&self.type_url, writer.options().registry) {
            Ok(codec) => codec,
            Err(why) => return writer.fail(why),
        };
        let start = writer.position();
        writer.member(TYPE_NAME, &self.type_url);
        writer.deeper(|writer| {
            if (codec.write)(&self.value, writer).is_err() {
                writer.fail(format!("no valid value of {}", shown(&self.type_url)));
            }
        });
        writer.close(start, b'{', b'}');
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let (start, depth) = (reader.position(), reader.depth());
        let Some(url) = type_url(reader)? else {
            *self = Self::default();
            return Ok(());
        };
        let codec = codec(&url, reader.options().registry)
            .map_err(|why| reader.wrong(start, why).within(Segment::Field(TYPE_NAME)))?;
        reader.rewind(start, depth);
        self.value = if codec.has_value { value(reader, codec)? } else { (codec.read)(reader)? };
        self.type_url = url;
        Ok(())
    }
}

/// Looks for `@type`, wherever it stands, and stops behind it; nothing for an object
/// without members.
fn type_url(reader: &mut Reader<'_>) -> Result<Option<String>, Error> {
    let start = reader.position();
    match reader.seek(TYPE_NAME)? {
        Sought::Text(url) => Ok(Some(url.into_owned())),
        Sought::Empty => Ok(None),
        Sought::Missing => Err(reader.wrong(start, "an Any without @type")),
    }
}

/// Reads the object of a type that stands in the member `value`.
fn value(reader: &mut Reader<'_>, codec: AnyCodec) -> Result<Vec<u8>, Error> {
    let start = reader.position();
    let mut types = 0;
    let mut value = None;
    reader.entries("an object", &mut |reader, name| {
        let at = reader.position();
        match &*name {
            TYPE_NAME => {
                types += 1;
                if types > 1 { Err(duplicate(at)) } else { reader.skip() }
            }
            "value" if value.is_some() => Err(duplicate(at)),
            "value" => {
                value = Some((codec.read)(reader)?);
                Ok(())
            }
            _ if reader.options().unknown == Unknown::Ignore => reader.skip(),
            _ => Err(reader.wrong(at, "unknown field")),
        }
    })?;
    value.ok_or_else(|| reader.wrong(start, "an Any without value"))
}
