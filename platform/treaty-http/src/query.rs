//! Query strings, decoded strictly.

use std::borrow::Cow;

use treaty_error::{Code, Error};

/// The names and values of a query string, in order.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = Result<Pair<'_>, Error>> {
    query.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Ok((decode(name)?, decode(value)?))
    })
}

/// A name and a value.
pub(crate) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

fn decode(text: &str) -> Result<Cow<'_, str>, Error> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let malformed =
        || Error::new(Code::InvalidArgument, "the query is not percent-encoded UTF-8 text");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (decoded, tail) = escape(tail).ok_or_else(malformed)?;
                rest = tail;
                decoded
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|error| malformed().with_source(error))
}

/// Reads the two digits after a percent sign.
fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], tail) = text.split_first_chunk::<2>()?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(high)? << 4 | digit(low)?, tail))
}

/// Whether every percent sign of a path begins an escape. The router decodes what
/// it can and leaves the rest as it is, which would let two spellings pass for
/// different things.
pub(crate) fn is_well_escaped(path: &str) -> bool {
    path.split('%').skip(1).all(|part| escape(part.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Option<Vec<(String, String)>> {
        pairs(query)
            .map(|pair| pair.map(|(name, value)| (name.into_owned(), value.into_owned())))
            .collect::<Result<_, _>>()
            .ok()
    }

    fn owned(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn pairs_are_decoded_in_order() {
        assert_eq!(read(""), owned(&[]));
        assert_eq!(read("a=1&&b&a=2="), owned(&[("a", "1"), ("b", ""), ("a", "2=")]));
        assert_eq!(read("q=a+b%2Bc%C3%A9"), owned(&[("q", "a b+cé")]));
    }

    #[test]
    fn what_is_not_percent_encoded_text_is_refused() {
        for bad in ["a=%", "a=%2", "a=%zz", "a=%ff", "%C3=1", "a=%+1"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn paths_with_half_an_escape_are_noticed() {
        assert!(is_well_escaped("/v1/a%20b"));
        assert!(!is_well_escaped("/v1/a%2"));
        assert!(!is_well_escaped("/v1/%zz"));
    }
}
