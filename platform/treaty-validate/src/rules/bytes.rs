//! Rules of bytes.

use super::Family;
use crate::{Field, Kind, Problem, Report, Violation, cel};

/// `bytes`.
pub const BYTES: Family = Family::new("bytes", 15, Kind::Bytes);

const fn leaf(number: u32, name: &'static str, kind: Kind) -> Field {
    Field::new(number, name, kind)
}

fn list(values: &[&[u8]]) -> String {
    let texts: Vec<_> = values.iter().map(|value| cel::hex(value)).collect();
    format!("[{}]", texts.join(", "))
}

/// `const`: the bytes are these.
#[inline]
pub fn equals(report: &mut Report, value: &[u8], only: &[u8]) {
    if value != only {
        let leaf = leaf(1, "const", Kind::Bytes);
        report.broken(&BYTES, leaf, "const", format!("must be {}", cel::hex(only)));
    }
}

/// `len`: there are exactly so many bytes.
#[inline]
pub fn len(report: &mut Report, value: &[u8], exactly: u64) {
    if value.len() as u64 != exactly {
        let leaf = leaf(13, "len", Kind::Uint64);
        report.broken(&BYTES, leaf, "len", format!("must be {exactly} bytes"));
    }
}

/// `min_len`: there are at least so many bytes.
#[inline]
pub fn min_len(report: &mut Report, value: &[u8], least: u64) {
    if (value.len() as u64) < least {
        let leaf = leaf(2, "min_len", Kind::Uint64);
        report.broken(&BYTES, leaf, "min_len", format!("must be at least {least} bytes"));
    }
}

/// `max_len`: there are at most so many bytes.
#[inline]
pub fn max_len(report: &mut Report, value: &[u8], most: u64) {
    if value.len() as u64 > most {
        let leaf = leaf(3, "max_len", Kind::Uint64);
        report.broken(&BYTES, leaf, "max_len", format!("must be at most {most} bytes"));
    }
}

/// `pattern`: the bytes are a text in UTF-8 that matches the regular expression. Bytes
/// that are no text leave the rule undecided, as protovalidate has it.
#[inline]
pub fn pattern(report: &mut Report, value: &[u8], pattern: &cel::Pattern) {
    let leaf = leaf(4, "pattern", Kind::String);
    match std::str::from_utf8(value) {
        Ok(text) if pattern.matches(text) => {}
        Ok(_) => {
            let message = format!("must match regex pattern `{pattern}`");
            report.broken(&BYTES, leaf, "pattern", message);
        }
        Err(_) => {
            let rule = vec![leaf.element(None), BYTES.element()];
            let mut violation = Violation::new("bytes.pattern".into(), rule, "");
            violation.problem = Problem::Undecided(cel::Error::Conversion("string"));
            report.add(violation);
        }
    }
}

/// `prefix`: the bytes begin so.
#[inline]
pub fn prefix(report: &mut Report, value: &[u8], prefix: &[u8]) {
    if !value.starts_with(prefix) {
        let leaf = leaf(5, "prefix", Kind::Bytes);
        report.broken(&BYTES, leaf, "prefix", format!("does not have prefix {}", cel::hex(prefix)));
    }
}

/// `suffix`: the bytes end so.
#[inline]
pub fn suffix(report: &mut Report, value: &[u8], suffix: &[u8]) {
    if !value.ends_with(suffix) {
        let leaf = leaf(6, "suffix", Kind::Bytes);
        report.broken(&BYTES, leaf, "suffix", format!("does not have suffix {}", cel::hex(suffix)));
    }
}

/// `contains`: these are somewhere in the bytes.
#[inline]
pub fn contains(report: &mut Report, value: &[u8], part: &[u8]) {
    if !cel::bytes_contain(value, part) {
        let leaf = leaf(7, "contains", Kind::Bytes);
        report.broken(&BYTES, leaf, "contains", format!("does not contain {}", cel::hex(part)));
    }
}

/// `in`: the bytes are one of these.
#[inline]
pub fn one_of(report: &mut Report, value: &[u8], allowed: &[&[u8]]) {
    if !allowed.contains(&value) {
        let message = format!("must be in list {}", list(allowed));
        report.broken(&BYTES, leaf(8, "in", Kind::Bytes), "in", message);
    }
}

/// `not_in`: the bytes are none of these.
#[inline]
pub fn none_of(report: &mut Report, value: &[u8], forbidden: &[&[u8]]) {
    if forbidden.contains(&value) {
        let message = format!("must not be in list {}", list(forbidden));
        report.broken(&BYTES, leaf(9, "not_in", Kind::Bytes), "not_in", message);
    }
}

/// A well-known form of bytes, which is a length.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    leaf: Field,
    noun: &'static str,
    lengths: [usize; 2],
}

/// The bytes have a well-known form.
#[inline]
pub fn format(report: &mut Report, value: &[u8], format: &Format) {
    if !format.lengths.contains(&value.len()) {
        ill_formed(report, value.is_empty(), format);
    }
}

#[cold]
fn ill_formed(report: &mut Report, is_empty: bool, format: &Format) {
    let Format { leaf, noun, .. } = *format;
    if is_empty {
        let message = format!("value is empty, which is not a valid {noun}");
        report.broken(&BYTES, leaf, &format!("{}_empty", leaf.name), message);
    } else {
        report.broken(&BYTES, leaf, leaf.name, format!("must be a valid {noun}"));
    }
}

/// `ip`.
pub const IP: Format =
    Format { leaf: leaf(10, "ip", Kind::Bool), noun: "IP address", lengths: [4, 16] };
/// `ipv4`.
pub const IPV4: Format =
    Format { leaf: leaf(11, "ipv4", Kind::Bool), noun: "IPv4 address", lengths: [4, 4] };
/// `ipv6`.
pub const IPV6: Format =
    Format { leaf: leaf(12, "ipv6", Kind::Bool), noun: "IPv6 address", lengths: [16, 16] };
/// `uuid`.
pub const UUID: Format =
    Format { leaf: leaf(15, "uuid", Kind::Bool), noun: "UUID", lengths: [16, 16] };
