//! Names of hosts, and what is made of them.

use super::is_ip;

/// Longest name (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;

/// Longest label (RFC 1035 section 2.3.4).
const LONGEST_LABEL: usize = 63;

/// RFC 1123 section 2.1: labels of letters, digits and inner hyphens, of which the last
/// is not all digits, so that a name is never taken for an address. A dot may end it.
pub(crate) fn is_hostname(text: &str) -> bool {
    if text.len() > LONGEST_NAME {
        return false;
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let mut labels = name.rsplit('.');
    let last_is_number =
        labels.next().is_none_or(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    !last_is_number && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LONGEST_LABEL
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A name of a host or an IP address.
pub(crate) fn is_address(text: &str) -> bool {
    is_hostname(text) || is_ip(text, 0)
}

/// The HTML standard's valid e-mail address
/// (<https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address>).
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    !local.is_empty() && local.bytes().all(allowed) && domain.split('.').all(is_label)
}

/// `host:port`; `[address]:port` for IPv6.
pub(crate) fn is_host_and_port(text: &str, port_required: bool) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, after)) = rest.rsplit_once(']') else { return false };
        let port = if after.is_empty() {
            !port_required
        } else {
            after.strip_prefix(':').is_some_and(is_port)
        };
        return port && is_ip(address, 6);
    }
    let is_host = |host: &str| is_hostname(host) || is_ip(host, 4);
    match text.rsplit_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => !port_required && is_host(text),
    }
}

/// A port without leading zeros.
fn is_port(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (text.len() == 1 || !text.starts_with('0')) && text.parse::<u16>().is_ok()
}
