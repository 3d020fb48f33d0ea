//! The text of an edition's file as text of proto3, every token at its place.

/// What became of a text.
pub(super) enum Rewritten {
    /// It declares no edition.
    No,
    /// It declares one that is not known here.
    Unknown { edition: String, offset: usize },
    /// The text as proto3.
    Yes(String),
}

/// A token that matters here: where it stands and what it is.
struct Token<'a> {
    start: usize,
    text: &'a str,
}

/// The option that stands for `default`, which the grammar of proto3 refuses.
pub(super) const DEFAULT: &str = "dEfault";

/// Rewrites `edition = "2023"`, defaults, and reserved names without quotes.
pub(super) fn rewrite(text: &str) -> Rewritten {
    let tokens = tokens(text);
    let [edition, equals, value, ..] = tokens.as_slice() else { return Rewritten::No };
    if (edition.text, equals.text) != ("edition", "=") {
        return Rewritten::No;
    }
    let number = value.text.trim_matches(['"', '\'']);
    if number != "2023" {
        let (edition, offset) = (number.chars().take(32).collect(), edition.start);
        return Rewritten::Unknown { edition, offset };
    }
    let (start, end) = (edition.start, value.start + value.text.len());
    let mut output = text.to_owned();
    // From behind, so that what is still to come stays at its place.
    let mut changes: Vec<(usize, usize, String)> = Vec::new();
    changes.push((start, end, format!("{:width$}", "syntax=\"proto3\"", width = end - start)));
    for window in tokens.windows(3) {
        let [before, word, after] = window else { continue };
        if word.text == "default" && after.text == "=" && matches!(before.text, "[" | ",") {
            changes.push((word.start, word.start + word.text.len(), DEFAULT.to_owned()));
        }
    }
    for (index, token) in tokens.iter().enumerate() {
        let begins = index == 0 || matches!(tokens[index - 1].text, ";" | "{" | "}");
        let name = tokens.get(index + 1).is_some_and(|next| is_name(next.text));
        let after = tokens.get(index + 2).map_or("", |next| next.text);
        if token.text == "reserved" && begins && name && matches!(after, "," | ";") {
            let rest = tokens.iter().skip(index);
            let end = rest.take_while(|token| token.text != ";").last();
            let end = end.map_or(token.start, |last| last.start + last.text.len());
            // Lines stay, so that positions do.
            let blank = text.get(token.start..end).unwrap_or_default();
            let blank = blank.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            changes.push((token.start, end, blank));
        }
    }
    changes.sort();
    for (start, end, replacement) in changes.into_iter().rev() {
        output.replace_range(start..end, &replacement);
    }
    Rewritten::Yes(output)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Words, texts and single characters; without comments and white space.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = match first {
            b'/' if rest.starts_with(b"//") => until(rest, b"\n"),
            b'/' if rest.starts_with(b"/*") => until(rest, b"*/"),
            b'"' | b'\'' => quoted(rest, first),
            c if c.is_ascii_alphanumeric() || c == b'_' => {
                rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'_').count()
            }
            _ => 1,
        };
        let is_comment = first == b'/' && length > 1;
        // A character of several bytes stands alone only where no token can be.
        if let (false, false, Some(found)) =
            (first.is_ascii_whitespace(), is_comment, text.get(at..at + length))
        {
            tokens.push(Token { start: at, text: found });
        }
        at += length;
    }
    tokens
}

/// How far it is to the end of a comment.
fn until(rest: &[u8], end: &[u8]) -> usize {
    let found = rest.windows(end.len()).skip(2).position(|window| window == end);
    found.map_or(rest.len(), |position| position + 2 + end.len())
}

/// How far it is to the end of a text.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut length = 1;
    while let Some(&byte) = rest.get(length) {
        length += match byte {
            b'\\' => 2,
            byte if byte == quote || byte == b'\n' => return length + 1,
            _ => 1,
        };
    }
    rest.len()
}
