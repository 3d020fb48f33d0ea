//! Well-known forms of texts, by the grammars that protovalidate names.

mod host;
mod ip;
mod uri;

pub(crate) use host::{is_address, is_email, is_host_and_port, is_hostname};
pub(crate) use ip::{is_ip, is_ip_prefix};
pub(crate) use uri::{is_uri, is_uri_ref};

/// RFC 9562 section 4: groups of 8, 4, 4, 4 and 12 hexadecimal digits.
pub(crate) fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A UUID without hyphens.
pub(crate) fn is_tuuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The ULID specification: 26 characters of Crockford's base 32, of which the first
/// carries three bits.
pub(crate) fn is_ulid(text: &str) -> bool {
    let digit = |byte: u8| {
        byte.is_ascii_digit()
            || (byte.is_ascii_alphabetic()
                && !matches!(byte.to_ascii_uppercase(), b'I' | b'L' | b'O' | b'U'))
    };
    text.len() == 26 && text.as_bytes()[0] <= b'7' && text.bytes().all(digit)
}

/// A full name without a leading dot, as `google.protobuf.Timestamp`.
pub(crate) fn is_protobuf_name(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// A full name with a leading dot, as `.google.protobuf.Timestamp`.
pub(crate) fn is_dotted_protobuf_name(text: &str) -> bool {
    text.strip_prefix('.').is_some_and(is_protobuf_name)
}

/// RFC 9110 section 5.1, with HTTP/2's leading colon. From `*` to `.` all characters are
/// allowed, as in protovalidate's expression.
pub(crate) fn is_header_name(text: &str) -> bool {
    let name = text.strip_prefix(':').unwrap_or(text);
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*'..=b'.' | b'^')
            || matches!(byte, b'_' | b'|' | b'~' | b'`')
    };
    !name.is_empty() && name.bytes().all(allowed)
}

/// No line ends and no NUL.
pub(crate) fn is_loose_header_name(text: &str) -> bool {
    !text.is_empty() && is_loose_header_value(text)
}

/// RFC 9110 section 5.5: no control characters but the tab.
pub(crate) fn is_header_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || !byte.is_ascii_control())
}

/// No line ends and no NUL.
pub(crate) fn is_loose_header_value(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, 0 | b'\n' | b'\r'))
}
