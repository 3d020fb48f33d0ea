//! Rules of strings. Lengths are counted in characters (Unicode code points).

use super::{Family, shown};
use crate::formats;
use crate::{Field, Kind, Report, cel};

/// `string`.
pub const STRING: Family = Family::new("string", 14, Kind::String);

const fn leaf(number: u32, name: &'static str, kind: Kind) -> Field {
    Field::new(number, name, kind)
}

/// `const`: the text is this one.
#[inline]
pub fn equals(report: &mut Report, value: &str, only: &str) {
    if value != only {
        let leaf = leaf(1, "const", Kind::String);
        report.broken(&STRING, leaf, "const", format!("must equal `{only}`"));
    }
}

/// `len`: the text has exactly so many characters.
#[inline]
pub fn len(report: &mut Report, value: &str, exactly: u64) {
    if value.chars().count() as u64 != exactly {
        let leaf = leaf(19, "len", Kind::Uint64);
        report.broken(&STRING, leaf, "len", format!("must be {exactly} characters"));
    }
}

/// `min_len`: the text has at least so many characters.
#[inline]
pub fn min_len(report: &mut Report, value: &str, least: u64) {
    // A text has at most as many characters as bytes, and at least a quarter of them.
    let bytes = value.len() as u64;
    if bytes < least || (bytes / 4 < least && (value.chars().count() as u64) < least) {
        let leaf = leaf(2, "min_len", Kind::Uint64);
        report.broken(&STRING, leaf, "min_len", format!("must be at least {least} characters"));
    }
}

/// `max_len`: the text has at most so many characters.
#[inline]
pub fn max_len(report: &mut Report, value: &str, most: u64) {
    if value.len() as u64 > most && value.chars().count() as u64 > most {
        let leaf = leaf(3, "max_len", Kind::Uint64);
        report.broken(&STRING, leaf, "max_len", format!("must be at most {most} characters"));
    }
}

/// `len_bytes`: the text has exactly so many bytes.
#[inline]
pub fn len_bytes(report: &mut Report, value: &str, exactly: u64) {
    if value.len() as u64 != exactly {
        let leaf = leaf(20, "len_bytes", Kind::Uint64);
        report.broken(&STRING, leaf, "len_bytes", format!("must be {exactly} bytes"));
    }
}

/// `min_bytes`: the text has at least so many bytes.
#[inline]
pub fn min_bytes(report: &mut Report, value: &str, least: u64) {
    if (value.len() as u64) < least {
        let leaf = leaf(4, "min_bytes", Kind::Uint64);
        report.broken(&STRING, leaf, "min_bytes", format!("must be at least {least} bytes"));
    }
}

/// `max_bytes`: the text has at most so many bytes.
#[inline]
pub fn max_bytes(report: &mut Report, value: &str, most: u64) {
    if value.len() as u64 > most {
        let leaf = leaf(5, "max_bytes", Kind::Uint64);
        report.broken(&STRING, leaf, "max_bytes", format!("must be at most {most} bytes"));
    }
}

/// `pattern`: the text matches the regular expression.
#[inline]
pub fn pattern(report: &mut Report, value: &str, pattern: &cel::Pattern) {
    if !pattern.matches(value) {
        let leaf = leaf(6, "pattern", Kind::String);
        let message = format!("does not match regex pattern `{pattern}`");
        report.broken(&STRING, leaf, "pattern", message);
    }
}

/// `prefix`: the text begins so.
#[inline]
pub fn prefix(report: &mut Report, value: &str, prefix: &str) {
    if !value.starts_with(prefix) {
        let leaf = leaf(7, "prefix", Kind::String);
        report.broken(&STRING, leaf, "prefix", format!("does not have prefix `{prefix}`"));
    }
}

/// `suffix`: the text ends so.
#[inline]
pub fn suffix(report: &mut Report, value: &str, suffix: &str) {
    if !value.ends_with(suffix) {
        let leaf = leaf(8, "suffix", Kind::String);
        report.broken(&STRING, leaf, "suffix", format!("does not have suffix `{suffix}`"));
    }
}

/// `contains`: this is somewhere in the text.
#[inline]
pub fn contains(report: &mut Report, value: &str, part: &str) {
    if !value.contains(part) {
        let leaf = leaf(9, "contains", Kind::String);
        report.broken(&STRING, leaf, "contains", format!("does not contain substring `{part}`"));
    }
}

/// `not_contains`: this is nowhere in the text.
#[inline]
pub fn not_contains(report: &mut Report, value: &str, part: &str) {
    if value.contains(part) {
        let leaf = leaf(23, "not_contains", Kind::String);
        report.broken(&STRING, leaf, "not_contains", format!("contains substring `{part}`"));
    }
}

/// `in`: the text is one of these.
#[inline]
pub fn one_of(report: &mut Report, value: &str, allowed: &[&str]) {
    if !allowed.contains(&value) {
        let message = format!("must be in list {}", shown(allowed));
        report.broken(&STRING, leaf(10, "in", Kind::String), "in", message);
    }
}

/// `not_in`: the text is none of these.
#[inline]
pub fn none_of(report: &mut Report, value: &str, forbidden: &[&str]) {
    if forbidden.contains(&value) {
        let message = format!("must not be in list {}", shown(forbidden));
        report.broken(&STRING, leaf(11, "not_in", Kind::String), "not_in", message);
    }
}

/// A well-known form of texts.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    leaf: Field,
    suffix: &'static str,
    noun: &'static str,
    /// Whether an empty text is told apart from a wrong one.
    tells_empty: bool,
    is_valid: fn(&str) -> bool,
}

/// The text has a well-known form.
#[inline]
pub fn format(report: &mut Report, value: &str, format: &Format) {
    if !(format.is_valid)(value) {
        ill_formed(report, value.is_empty(), format);
    }
}

#[cold]
fn ill_formed(report: &mut Report, is_empty: bool, format: &Format) {
    let Format { leaf, suffix, noun, .. } = *format;
    if is_empty && format.tells_empty {
        let message = format!("value is empty, which is not a valid {noun}");
        report.broken(&STRING, leaf, &format!("{suffix}_empty"), message);
    } else {
        report.broken(&STRING, leaf, suffix, format!("must be a valid {noun}"));
    }
}

macro_rules! formats {
    ($($constant:ident: $number:literal $name:literal, $noun:literal, $is_valid:expr;)*) => {$(
        #[doc = concat!("`", $name, "`.")]
        pub const $constant: Format = Format {
            leaf: Field::new($number, $name, Kind::Bool),
            suffix: $name,
            noun: $noun,
            tells_empty: true,
            is_valid: $is_valid,
        };
    )*};
}

formats! {
    EMAIL: 12 "email", "email address", formats::is_email;
    HOSTNAME: 13 "hostname", "hostname", formats::is_hostname;
    IP: 14 "ip", "IP address", |text| formats::is_ip(text, 0);
    IPV4: 15 "ipv4", "IPv4 address", |text| formats::is_ip(text, 4);
    IPV6: 16 "ipv6", "IPv6 address", |text| formats::is_ip(text, 6);
    URI: 17 "uri", "URI", formats::is_uri;
    ADDRESS: 21 "address", "hostname, or ip address", formats::is_address;
    UUID: 22 "uuid", "UUID", formats::is_uuid;
    TUUID: 33 "tuuid", "trimmed UUID", formats::is_tuuid;
    IP_WITH_PREFIXLEN: 26 "ip_with_prefixlen", "IP prefix",
        |text| formats::is_ip_prefix(text, 0, false);
    IPV4_WITH_PREFIXLEN: 27 "ipv4_with_prefixlen", "IPv4 address with prefix length",
        |text| formats::is_ip_prefix(text, 4, false);
    IPV6_WITH_PREFIXLEN: 28 "ipv6_with_prefixlen", "IPv6 address with prefix length",
        |text| formats::is_ip_prefix(text, 6, false);
    IP_PREFIX: 29 "ip_prefix", "IP prefix", |text| formats::is_ip_prefix(text, 0, true);
    IPV4_PREFIX: 30 "ipv4_prefix", "IPv4 prefix", |text| formats::is_ip_prefix(text, 4, true);
    IPV6_PREFIX: 31 "ipv6_prefix", "IPv6 prefix", |text| formats::is_ip_prefix(text, 6, true);
    HOST_AND_PORT: 32 "host_and_port", "host (hostname or IP address) and port pair",
        |text| formats::is_host_and_port(text, true);
    ULID: 35 "ulid", "ULID", formats::is_ulid;
    PROTOBUF_FQN: 37 "protobuf_fqn", "fully-qualified Protobuf name",
        formats::is_protobuf_name;
    PROTOBUF_DOT_FQN: 38 "protobuf_dot_fqn",
        "fully-qualified Protobuf name with a leading dot", formats::is_dotted_protobuf_name;
}

/// `uri_ref`, which an empty text is.
pub const URI_REF: Format = Format {
    leaf: Field::new(18, "uri_ref", Kind::Bool),
    suffix: "uri_ref",
    noun: "URI Reference",
    tells_empty: false,
    is_valid: formats::is_uri_ref,
};

const KNOWN_REGEX: Field = Field::new(24, "well_known_regex", Kind::Enum);

/// `well_known_regex: KNOWN_REGEX_HTTP_HEADER_NAME`.
pub const HEADER_NAME: Format = Format {
    leaf: KNOWN_REGEX,
    suffix: "well_known_regex.header_name",
    noun: "HTTP header name",
    tells_empty: true,
    is_valid: formats::is_header_name,
};

/// The same with `strict: false`: nothing but line ends and NUL is refused.
pub const LOOSE_HEADER_NAME: Format =
    Format { is_valid: formats::is_loose_header_name, ..HEADER_NAME };

/// `well_known_regex: KNOWN_REGEX_HTTP_HEADER_VALUE`.
pub const HEADER_VALUE: Format = Format {
    leaf: KNOWN_REGEX,
    suffix: "well_known_regex.header_value",
    noun: "HTTP header value",
    tells_empty: false,
    is_valid: formats::is_header_value,
};

/// The same with `strict: false`: nothing but line ends and NUL is refused.
pub const LOOSE_HEADER_VALUE: Format =
    Format { is_valid: formats::is_loose_header_value, ..HEADER_VALUE };
