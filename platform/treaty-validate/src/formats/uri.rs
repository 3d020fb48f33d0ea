//! URIs and references to them (RFC 3986 appendix A, RFC 6874).

use super::is_ip;

/// `URI = scheme ":" hier-part [ "?" query ] [ "#" fragment ]`
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    is_scheme(scheme) && is_hierarchical(rest)
}

/// `URI-reference = URI / relative-ref`
pub(crate) fn is_uri_ref(text: &str) -> bool {
    // The first segment of a relative path has no colon, or it would be a scheme.
    let first = text.split(['/', '?', '#']).next().unwrap_or_default();
    is_uri(text) || (!first.contains(':') && is_hierarchical(text))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// What follows a scheme: authority, path, query and fragment.
fn is_hierarchical(text: &str) -> bool {
    let (text, fragment) = split(text, '#');
    let (text, query) = split(text, '?');
    let path = match text.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            if !is_authority(authority) {
                return false;
            }
            path
        }
        None => text,
    };
    consists_of(path, |byte| is_pchar(byte) || byte == b'/')
        && [query, fragment]
            .into_iter()
            .flatten()
            .all(|part| consists_of(part, |byte| is_pchar(byte) || matches!(byte, b'/' | b'?')))
}

fn split(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// `authority = [ userinfo "@" ] host [ ":" port ]`
fn is_authority(text: &str) -> bool {
    let (user, host_and_port) = match text.split_once('@') {
        Some((user, rest)) => (user, rest),
        None => ("", text),
    };
    let user_ok = consists_of(user, |b| is_unreserved(b) || is_sub_delim(b) || b == b':');
    user_ok && is_host_and_port(host_and_port)
}

fn is_host_and_port(text: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = text.strip_prefix('[') {
        let Some((literal, after)) = rest.split_once(']') else { return false };
        let port = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
        return port && (is_ipv6_literal(literal) || is_ip_future(literal));
    }
    let (host, port) = split(text, ':');
    port.is_none_or(is_port) && is_name(host)
}

/// `reg-name`, whose escapes must give UTF-8 (RFC 3986 section 3.2.2).
fn is_name(text: &str) -> bool {
    consists_of(text, |byte| is_unreserved(byte) || is_sub_delim(byte)) && unescapes(text)
}

/// `IPv6address` or `IPv6addrz = IPv6address "%25" ZoneID` (RFC 6874 section 2).
fn is_ipv6_literal(text: &str) -> bool {
    match text.split_once('%') {
        None => is_ip(text, 6),
        Some((address, zone)) => zone.strip_prefix("25").is_some_and(|zone| {
            is_ip(address, 6)
                && !zone.is_empty()
                && consists_of(zone, is_unreserved)
                && unescapes(zone)
        }),
    }
}

/// `IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`
fn is_ip_future(text: &str) -> bool {
    let Some((version, address)) =
        text.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.'))
    else {
        return false;
    };
    let allowed = |byte: u8| is_unreserved(byte) || is_sub_delim(byte) || byte == b':';
    !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !address.is_empty()
        && address.bytes().all(allowed)
}

/// Whether a part holds nothing but these characters and escapes (`%41`).
fn consists_of(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        if byte == b'%' {
            let digits = bytes.get(index + 1..index + 3);
            if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                return false;
            }
            index += 3;
        } else if allowed(byte) {
            index += 1;
        } else {
            return false;
        }
    }
    true
}

/// Whether a part is a text once its escapes are resolved.
fn unescapes(text: &str) -> bool {
    if !text.contains('%') {
        return true;
    }
    let mut bytes = text.bytes();
    let mut unescaped = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16)).unwrap_or(0);
            let value = digit() * 16 + digit();
            unescaped.push(u8::try_from(value).unwrap_or(0));
        } else {
            unescaped.push(byte);
        }
    }
    std::str::from_utf8(&unescaped).is_ok()
}

/// `pchar = unreserved / pct-encoded / sub-delims / ":" / "@"`
fn is_pchar(byte: u8) -> bool {
    is_unreserved(byte) || is_sub_delim(byte) || matches!(byte, b':' | b'@')
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn is_sub_delim(byte: u8) -> bool {
    b"!$&'()*+,;=".contains(&byte)
}
