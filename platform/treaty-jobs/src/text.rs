//! Text for a terminal.

use std::fmt::Write as _;
use std::time::SystemTime;

/// Bytes of a payload that are printed.
const DUMPED: usize = 1024;

/// What others wrote, with its control characters as escapes: it must not move the cursor
/// of the operator's terminal.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// RFC 3339, in UTC, to the second.
pub fn time(time: SystemTime) -> String {
    let exact = prost_types::Timestamp::from(time);
    prost_types::Timestamp { nanos: 0, ..exact }.to_string()
}

/// Bytes as numbers and letters, sixteen a line.
pub fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (index, line) in bytes[..bytes.len().min(DUMPED)].chunks(16).enumerate() {
        let mut numbers = String::new();
        for byte in line {
            let _ = write!(numbers, "{byte:02x} ");
        }
        let letters: String = line
            .iter()
            .map(
                |&byte| {
                    if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '.' }
                },
            )
            .collect();
        let _ = writeln!(text, "  {:06x}  {numbers:<48} {letters}", index * 16);
    }
    if bytes.len() > DUMPED {
        let _ = writeln!(text, "  … and {} more", bytes.len() - DUMPED);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_could_steer_it() {
        assert_eq!(visible("a\u{1b}[2Jb\u{9b}c — d"), "a\\u{1b}[2Jb\\u{9b}c — d");
        assert_eq!(time(UNIX_EPOCH + Duration::from_millis(1_500)), "1970-01-01T00:00:01Z");
        let dumped = dump(b"\x1bhello, this is more");
        let lines: Vec<_> = dumped.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].starts_with("  000000  1b 68 65") && lines[0].ends_with(".hello, this is ")
        );
        assert!(dump(&[0; 2_000]).ends_with("  … and 976 more\n"));
    }
}
