//! Scanning of string contents, eight bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = ONES << 7;

/// The first byte from `at` on that cannot stand in a JSON string as it is: a quote, a
/// backslash, a control character. The length when there is none.
#[inline]
pub(crate) fn plain_run(bytes: &[u8], mut at: usize) -> usize {
    let (chunks, rest) = bytes.get(at..).unwrap_or_default().as_chunks::<8>();
    for chunk in chunks {
        let special = special(u64::from_le_bytes(*chunk));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + rest.iter().take_while(|byte| !is_special(**byte)).count()
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The high bit of each byte that is special. Bytes above the first such one may be
/// marked wrongly, because of borrows; nobody looks at them.
#[inline]
fn special(word: u64) -> u64 {
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    // With that bit turned, a quote (0x22) follows on the control characters (up to 0x1f),
    // and what was 0x20 and 0x21 is above both.
    let controls_and_quotes = below(word ^ (ONES << 1), 0x21);
    let backslashes = below(word ^ (ONES * u64::from(b'\\')), 1);
    (controls_and_quotes | backslashes) & HIGH_BITS
}

/// Whether a text begins so. Names are short, which makes eight bytes at a time quicker
/// than a call of the general comparison.
#[inline]
pub(crate) fn starts_with(text: &[u8], start: &[u8]) -> bool {
    let Some(text) = text.get(..start.len()) else { return false };
    let (Some(text_end), Some(start_end)) = (text.last_chunk::<8>(), start.last_chunk::<8>())
    else {
        return text.iter().zip(start).all(|(a, b)| a == b);
    };
    // The last eight may have been looked at before, in part.
    let (texts, starts) = (text.as_chunks::<8>().0, start.as_chunks::<8>().0);
    texts.iter().zip(starts).all(|(a, b)| a == b) && text_end == start_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_start_counts() {
        let text: Vec<u8> = (0..40).collect();
        for length in 0..=40 {
            let mut start = text[..length].to_vec();
            assert!(starts_with(&text, &start), "{length}");
            assert!(!starts_with(&text[..length.max(1) - 1], &text[..length.max(1)]), "{length}");
            for place in 0..length {
                start[place] ^= 0x80;
                assert!(!starts_with(&text, &start), "{length} {place}");
                start[place] ^= 0x80;
            }
        }
    }

    #[test]
    fn every_byte_is_found_at_every_place() {
        for special in (0..=255).filter(|byte| is_special(*byte)) {
            for place in 0..50 {
                let mut text = vec![b'\xff'; 50];
                text[place] = special;
                assert_eq!(plain_run(&text, 0), place, "{special}");
                assert_eq!(plain_run(&text, place + 1), 50, "{special}");
            }
        }
        for plain in (0..=255).filter(|byte| !is_special(*byte)) {
            assert_eq!(plain_run(&[plain; 41], 0), 41, "{plain}");
        }
    }
}
