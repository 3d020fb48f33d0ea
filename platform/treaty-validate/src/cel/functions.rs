//! Functions of strings and bytes. Positions are counted in characters.

use std::fmt::Write as _;

use super::{Error, Result};
use crate::formats;

/// `text.size()`
#[inline]
#[must_use]
pub fn size(text: &str) -> i64 {
    length(text.chars().count())
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// `bytes.contains(part)`
#[must_use]
pub fn bytes_contain(value: &[u8], part: &[u8]) -> bool {
    part.is_empty() || value.windows(part.len()).any(|window| window == part)
}

/// Bytes as `%x` shows them.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `text.isHostname()`
#[must_use]
pub fn is_hostname(text: &str) -> bool {
    formats::is_hostname(text)
}

/// `text.isEmail()`
#[must_use]
pub fn is_email(text: &str) -> bool {
    formats::is_email(text)
}

/// `text.isIp(version)`
#[must_use]
pub fn is_ip(text: &str, version: i64) -> bool {
    formats::is_ip(text, version)
}

/// `text.isIpPrefix(version, strict)`
#[must_use]
pub fn is_ip_prefix(text: &str, version: i64, strict: bool) -> bool {
    formats::is_ip_prefix(text, version, strict)
}

/// `text.isUri()`
#[must_use]
pub fn is_uri(text: &str) -> bool {
    formats::is_uri(text)
}

/// `text.isUriRef()`
#[must_use]
pub fn is_uri_ref(text: &str) -> bool {
    formats::is_uri_ref(text)
}

/// `text.isHostAndPort(port_required)`
#[must_use]
pub fn is_host_and_port(text: &str, port_required: bool) -> bool {
    formats::is_host_and_port(text, port_required)
}

/// `number.isInf(sign)`: of either sign for 0.
#[must_use]
pub fn is_inf(number: f64, sign: i64) -> bool {
    number.is_infinite() && (sign == 0 || (sign > 0) == (number > 0.0))
}

/// `text.lowerAscii()`
#[must_use]
pub fn lower_ascii(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// `text.upperAscii()`
#[must_use]
pub fn upper_ascii(text: &str) -> String {
    text.to_ascii_uppercase()
}

/// `text.trim()`
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim()
}

/// `text.replace(from, to)`
#[must_use]
pub fn replace(text: &str, from: &str, to: &str) -> String {
    text.replace(from, to)
}

/// `text.split(separator)`
#[must_use]
pub fn split(text: &str, separator: &str) -> Vec<String> {
    if separator.is_empty() {
        return text.chars().map(String::from).collect();
    }
    text.split(separator).map(str::to_owned).collect()
}

/// `list.join(separator)`
pub fn join<T: AsRef<str>>(items: impl Iterator<Item = T>, separator: &str) -> String {
    let mut joined = String::new();
    for (index, item) in items.enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(item.as_ref());
    }
    joined
}

/// Byte offset of a character; the end of the text is one too.
fn offset(text: &str, index: i64) -> Result<usize> {
    let index = usize::try_from(index).map_err(|_| Error::NoSuchIndex)?;
    let ends = std::iter::once(text.len());
    text.char_indices().map(|(at, _)| at).chain(ends).nth(index).ok_or(Error::NoSuchIndex)
}

/// `text.charAt(index)`
///
/// # Errors
/// The text is shorter.
pub fn char_at(text: &str, index: i64) -> Result<String> {
    let rest = &text[offset(text, index)?..];
    Ok(rest.chars().next().map(String::from).unwrap_or_default())
}

/// `text.substring(from)`
///
/// # Errors
/// The text is shorter.
pub fn substring_from(text: &str, from: i64) -> Result<&str> {
    Ok(&text[offset(text, from)?..])
}

/// `text.substring(from, to)`
///
/// # Errors
/// The text is shorter, or the end before the beginning.
pub fn substring(text: &str, from: i64, to: i64) -> Result<&str> {
    text.get(offset(text, from)?..offset(text, to)?).ok_or(Error::NoSuchIndex)
}

/// `text.indexOf(part)`; -1 when it is not there.
#[must_use]
pub fn index_of(text: &str, part: &str) -> i64 {
    text.find(part).map_or(-1, |at| size(&text[..at]))
}

/// `text.lastIndexOf(part)`; -1 when it is not there.
#[must_use]
pub fn last_index_of(text: &str, part: &str) -> i64 {
    text.rfind(part).map_or(-1, |at| size(&text[..at]))
}
