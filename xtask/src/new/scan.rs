//! Finding blocks in source text, protobuf's and Rust's: text, comments and literals are told apart,
//! so that a brace in a comment ends nothing.

/// The index of what closes the bracket at `open`.
pub(super) fn closing(text: &str, open: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (opener, closer) = match bytes.get(open)? {
        b'{' => (b'{', b'}'),
        b'[' => (b'[', b']'),
        b'(' => (b'(', b')'),
        _ => return None,
    };
    let mut depth = 0_usize;
    let mut at = open;
    while at < bytes.len() {
        let next = skip(text, at);
        if next == at + 1 {
            depth += usize::from(bytes[at] == opener);
            if bytes[at] == closer {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        at = next;
    }
    None
}

/// The places of a word that stands as code, between characters that are no part of a name.
pub(super) fn words(text: &str, word: &str) -> Vec<usize> {
    let part_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let next = skip(text, at);
        let starts = bytes[at..].starts_with(word.as_bytes());
        let before = at.checked_sub(1).is_none_or(|before| !part_of_a_name(bytes[before]));
        let after = bytes.get(at + word.len()).is_none_or(|after| !part_of_a_name(*after));
        if next == at + 1 && starts && before && after {
            found.push(at);
        }
        at = next;
    }
    found
}

/// The index after the comment or literal at `at`, or after the one byte that stands there.
fn skip(text: &str, at: usize) -> usize {
    let rest = &text.as_bytes()[at..];
    let after = |marker: &str, from: usize| {
        let tail = text.get(at + from..).unwrap_or_default();
        tail.find(marker).map_or(text.len(), |found| at + from + found + marker.len())
    };
    if rest.starts_with(b"//") {
        return after("\n", 2);
    }
    if rest.starts_with(b"/*") {
        return after("*/", 2);
    }
    if let Some(hashes) = raw_string(rest) {
        return after(&format!("\"{}", "#".repeat(hashes)), 2 + hashes);
    }
    match rest[0] {
        b'"' => at + quoted(rest),
        // What follows a lifetime's quote is not closed by another.
        b'\'' if rest.get(1) == Some(&b'\\') || rest.get(2) == Some(&b'\'') => at + quoted(rest),
        _ => at + 1,
    }
}

/// The number of hashes of a raw string that begins here.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let tail = rest.strip_prefix(b"r")?;
    let hashes = tail.iter().take_while(|byte| **byte == b'#').count();
    (tail.get(hashes) == Some(&b'"')).then_some(hashes)
}

/// The length of a literal in quotes, with both of them.
fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == rest[0] => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_comments_and_literals_close_nothing() {
        let text = "fn f<'a>() { // }\n  let c = ('}', \"}\\\"}\", r#\"}\"#); /* } */ { } } after";
        let open = text.find('{').unwrap();
        assert_eq!(closing(text, open), text.rfind('}'));
        assert_eq!(closing("{ {", 0), None);
        assert_eq!(closing("[1, [2]]", 0), Some(7));
    }

    #[test]
    fn words_stand_alone_and_as_code() {
        let text = "service A {} // service A\nservice AB {}\nservice A";
        assert_eq!(words(text, "service A"), [0, text.rfind("service A").unwrap()]);
    }
}
