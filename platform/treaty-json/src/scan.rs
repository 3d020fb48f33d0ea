//! Scanning of string contents, eight bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = ONES << 7;

/// The first byte from `at` on that cannot stand in a JSON string as it is: a quote, a
/// backslash, a control character. The length when there is none.
pub(crate) fn plain_run(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let special = special(u64::from_le_bytes(*chunk));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|byte| !is_special(*byte)) {
        at += 1;
    }
    at
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The high bit of each byte that is special. Bytes above the first such one may be
/// marked wrongly, because of borrows; nobody looks at them.
fn special(word: u64) -> u64 {
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zeros(word ^ (ONES * b'"' as u64));
    let backslashes = zeros(word ^ (ONES * b'\\' as u64));
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_at_every_place() {
        for special in (0..=255).filter(|byte| is_special(*byte)) {
            for place in 0..20 {
                let mut text = vec![b'\xff'; 20];
                text[place] = special;
                assert_eq!(plain_run(&text, 0), place, "{special}");
                assert_eq!(plain_run(&text, place + 1), 20, "{special}");
            }
        }
        for plain in (0..=255).filter(|byte| !is_special(*byte)) {
            assert_eq!(plain_run(&[plain; 17], 0), 17, "{plain}");
        }
    }
}
