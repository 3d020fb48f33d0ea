//! Percent-encoding (RFC 3986, section 2.1), strictly.

use std::borrow::Cow;

/// The text is not percent-encoded UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not percent-encoded UTF-8 text")]
pub struct Malformed;

/// What stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Every escape is decoded.
    Nothing,
    /// `%2F` and `%2f` stay.
    Slash,
    /// Every escape is decoded, and `+` stands for a space
    /// (`application/x-www-form-urlencoded`).
    Form,
}

/// Decodes a text; one without escapes is not copied.
pub(crate) fn decode(text: &str, keep: Keep) -> Result<Cow<'_, str>, Malformed> {
    let special = |byte: u8| byte == b'%' || (byte == b'+' && keep == Keep::Form);
    let Some(first) = text.bytes().position(special) else {
        return Ok(Cow::Borrowed(text));
    };
    let (plain, mut rest) = text.as_bytes().split_at(first);
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend_from_slice(plain);
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' if keep == Keep::Form => bytes.push(b' '),
            b'%' => {
                let (digits, tail) = rest.split_first_chunk::<2>().ok_or(Malformed)?;
                let decoded = escape(*digits).ok_or(Malformed)?;
                if decoded == b'/' && keep == Keep::Slash {
                    bytes.extend([b'%', digits[0], digits[1]]);
                } else {
                    bytes.push(decoded);
                }
                rest = tail;
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Malformed)
}

fn escape([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_others_refused() {
        assert_eq!(decode("a+b%2Bc%C3%A9", Keep::Nothing), Ok("a+b+cé".into()));
        assert_eq!(decode("a+b%2Bc%2F", Keep::Form), Ok("a b+c/".into()));
        assert_eq!(decode("a%2fb%2Fc%20d", Keep::Slash), Ok("a%2fb%2Fc d".into()));
        assert!(matches!(decode("plain", Keep::Form), Ok(Cow::Borrowed("plain"))));
        for bad in ["%", "%2", "%zz", "%+1", "%ff", "%C3"] {
            assert_eq!(decode(bad, Keep::Nothing), Err(Malformed), "{bad:?}");
        }
    }
}
