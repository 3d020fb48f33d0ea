//! `google.protobuf.Struct`, `Value` and `ListValue`: any JSON.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

use crate::read::duplicate;
use crate::{Error, Json, Reader, Writer};

impl Json for Struct {
    fn write_json(&self, writer: &mut Writer<'_>) {
        writer.entries(&self.fields);
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        self.fields.clear();
        reader.entries("an object", &mut |reader, name| {
            let at = reader.position();
            let mut value = Value::default();
            value.read_json(reader)?;
            let known = self.fields.insert(name.into_owned(), value);
            known.map_or(Ok(()), |_| Err(duplicate(at)))
        })
    }
}

impl Json for ListValue {
    fn write_json(&self, writer: &mut Writer<'_>) {
        writer.list(&self.values);
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        self.values.clear();
        reader.elements("a list", &mut |reader, _index| {
            self.values.push(Value::default());
            self.values.last_mut().map_or(Ok(()), |value| value.read_json(reader))
        })
    }
}

impl Json for Value {
    const ACCEPTS_NULL: bool = true;

    fn write_json(&self, writer: &mut Writer<'_>) {
        match &self.kind {
            Some(Kind::NullValue(_)) => writer.raw("null"),
            Some(Kind::NumberValue(number)) if !number.is_finite() => {
                writer.fail("NaN and the infinities are no values of JSON");
            }
            Some(Kind::NumberValue(number)) => number.write_json(writer),
            Some(Kind::StringValue(text)) => writer.string(text),
            Some(Kind::BoolValue(value)) => value.write_json(writer),
            Some(Kind::StructValue(value)) => value.write_json(writer),
            Some(Kind::ListValue(value)) => value.write_json(writer),
            None => writer.fail("a value of no kind"),
        }
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        self.kind = Some(match reader.next_byte() {
            Some(b'"') => Kind::StringValue(reader.string()?.into_owned()),
            Some(b'{') => {
                let mut value = Struct::default();
                value.read_json(reader)?;
                Kind::StructValue(value)
            }
            Some(b'[') => {
                let mut value = ListValue::default();
                value.read_json(reader)?;
                Kind::ListValue(value)
            }
            Some(b't' | b'f') => Kind::BoolValue(reader.bare_boolean()?),
            _ if reader.null()? => Kind::NullValue(0),
            _ => {
                let mut number = 0.0_f64;
                number.read_json(reader)?;
                Kind::NumberValue(number)
            }
        });
        Ok(())
    }
}
