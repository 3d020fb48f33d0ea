//! IP addresses and prefixes.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An IP address of version 4, 6, or either for 0. One of version 6 may name a zone
/// (RFC 4007 section 11).
pub(crate) fn is_ip(text: &str, version: i64) -> bool {
    match version {
        0 => is_ipv4(text) || is_ipv6(text),
        4 => is_ipv4(text),
        6 => is_ipv6(text),
        _ => false,
    }
}

fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

fn is_ipv6(text: &str) -> bool {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    zone.is_none_or(|zone| !zone.is_empty() && !zone.contains('\0'))
        && address.parse::<Ipv6Addr>().is_ok()
}

/// `address/length` (RFC 4632 section 3.1, RFC 4291 section 2.3); with `strict`, no bit
/// is set beyond the length.
pub(crate) fn is_ip_prefix(text: &str, version: i64, strict: bool) -> bool {
    match version {
        0 => is_ipv4_prefix(text, strict) || is_ipv6_prefix(text, strict),
        4 => is_ipv4_prefix(text, strict),
        6 => is_ipv6_prefix(text, strict),
        _ => false,
    }
}

fn is_ipv4_prefix(text: &str, strict: bool) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let (Ok(address), Some(length)) = (address.parse::<Ipv4Addr>(), length_of(length, 32)) else {
        return false;
    };
    !strict || address.to_bits().checked_shl(length).unwrap_or(0) == 0
}

fn is_ipv6_prefix(text: &str, strict: bool) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let (Ok(address), Some(length)) = (address.parse::<Ipv6Addr>(), length_of(length, 128)) else {
        return false;
    };
    !strict || address.to_bits().checked_shl(length).unwrap_or(0) == 0
}

/// A length without sign and leading zeros.
fn length_of(text: &str, longest: u32) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    text.parse().ok().filter(|length| plain && *length <= longest)
}
