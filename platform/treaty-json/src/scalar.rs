//! Scalars: numbers, booleans, texts, bytes. The wrapper messages are the same, for prost
//! makes a `google.protobuf.Int32Value` an `i32`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::{Error, Json, Reader, Writer};

/// A scalar: without presence, its default is the same as its absence.
pub trait Scalar: Json {
    /// Whether it has its default. Negative zero has not.
    fn is_default(&self) -> bool;
}

macro_rules! integers {
    ($($integer:ident $write:ident),*) => {$(
        impl Json for $integer {
            #[inline]
            fn write_json(&self, writer: &mut Writer<'_>) {
                writer.$write(*self);
            }

            #[inline]
            fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
                let integer = reader.integer()?;
                match integer.narrow() {
                    Some(value) => {
                        *self = value;
                        Ok(())
                    }
                    None => Err(reader.out_of_range()),
                }
            }
        }

        impl Scalar for $integer {
            #[inline]
            fn is_default(&self) -> bool {
                *self == 0
            }
        }
    )*};
}

// 64 bits are quoted, because JavaScript's numbers are exact up to 53 bits only.
integers!(i32 bare, u32 bare, i64 in_quotes, u64 in_quotes);

macro_rules! floats {
    ($($float:ident),*) => {$(
        impl Json for $float {
            fn write_json(&self, writer: &mut Writer<'_>) {
                if self.is_nan() {
                    writer.raw("\"NaN\"");
                } else if *self == $float::INFINITY {
                    writer.raw("\"Infinity\"");
                } else if *self == $float::NEG_INFINITY {
                    writer.raw("\"-Infinity\"");
                } else {
                    let mut buffer = zmij::Buffer::new();
                    let text = buffer.format_finite(*self);
                    writer.raw(text.strip_suffix(".0").unwrap_or(text));
                }
            }

            fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
                let (text, is_quoted, at) = reader.float()?;
                *self = match &*text {
                    "NaN" => $float::NAN,
                    "Infinity" => $float::INFINITY,
                    "-Infinity" => $float::NEG_INFINITY,
                    text => {
                        // Rust reads more than JSON has, such as `+1` and `inf`.
                        let is_number = !is_quoted
                            || crate::read::number_end(text.as_bytes(), 0) == Some(text.len());
                        match text.parse::<$float>() {
                            Ok(value) if is_number && value.is_finite() => value,
                            Ok(_) if is_number => {
                                return Err(reader.wrong(at, "the number is out of range"));
                            }
                            _ => return Err(reader.wrong(at, "expected a number")),
                        }
                    }
                };
                Ok(())
            }
        }

        impl Scalar for $float {
            #[inline]
            fn is_default(&self) -> bool {
                self.to_bits() == 0
            }
        }
    )*};
}

floats!(f32, f64);

impl Json for bool {
    fn write_json(&self, writer: &mut Writer<'_>) {
        writer.raw(if *self { "true" } else { "false" });
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        *self = reader.boolean()?;
        Ok(())
    }
}

impl Scalar for bool {
    fn is_default(&self) -> bool {
        !self
    }
}

impl Json for String {
    fn write_json(&self, writer: &mut Writer<'_>) {
        writer.string(self);
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        *self = reader.string()?.into_owned();
        Ok(())
    }
}

impl Scalar for String {
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Json for Vec<u8> {
    fn write_json(&self, writer: &mut Writer<'_>) {
        let base64 = base64::engine::general_purpose::STANDARD.encode(self);
        writer.quoted(&base64);
    }

    fn read_json(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let at = reader.position();
        let text = reader.string()?;
        let is_url = text.bytes().any(|byte| matches!(byte, b'-' | b'_'));
        let engine = if is_url { &URL_SAFE } else { &STANDARD };
        *self = engine.decode(&*text).map_err(|_| reader.wrong(at, "expected base64"))?;
        Ok(())
    }
}

impl Scalar for Vec<u8> {
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

/// Readers take both alphabets, with or without padding, whatever the last bits are.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

impl Reader<'_> {
    /// Reads `true` or `false`.
    fn boolean(&mut self) -> Result<bool, Error> {
        let at = self.position();
        if self.is_textual() {
            return match &*self.string()? {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(self.wrong(at, "expected true or false")),
            };
        }
        self.bare_boolean()
    }

    #[cold]
    fn out_of_range(&mut self) -> Error {
        let at = self.last();
        self.wrong(at, "the number is out of range")
    }
}

/// A key of a map. Whatever its type, JSON has it as a name.
pub trait MapKey: Ord + Sized {
    /// Writes it with its quotes.
    fn write(&self, writer: &mut Writer<'_>);

    /// Reads it from the name.
    ///
    /// # Errors
    /// When the name is none of the type, with what was expected.
    fn parse(name: &str) -> Result<Self, &'static str>;
}

macro_rules! integer_keys {
    ($($integer:ident),*) => {$(
        impl MapKey for $integer {
            fn write(&self, writer: &mut Writer<'_>) {
                writer.in_quotes(*self);
            }

            fn parse(name: &str) -> Result<Self, &'static str> {
                let integer = crate::read::Integer::parse(name).map_err(|why| why.describe())?;
                integer.narrow().ok_or("the number is out of range")
            }
        }
    )*};
}

integer_keys!(i32, u32, i64, u64);

impl MapKey for bool {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.raw(if *self { "\"true\"" } else { "\"false\"" });
    }

    fn parse(name: &str) -> Result<Self, &'static str> {
        match name {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("expected true or false"),
        }
    }
}

impl MapKey for String {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.string(self);
    }

    fn parse(name: &str) -> Result<Self, &'static str> {
        Ok(name.to_owned())
    }
}
