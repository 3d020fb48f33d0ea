//! The words and signs of CEL.

use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Sign(&'static str),
    Ident(String),
    Bool(bool),
    Null,
    Int(i64),
    /// Only as `-9223372036854775808`.
    TooLarge,
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
}

impl Token {
    pub(super) fn is(&self, sign: &str) -> bool {
        match self {
            Self::Sign(own) => *own == sign,
            Self::Ident(name) => name == "in" && sign == "in",
            _ => false,
        }
    }

    pub(super) fn is_literal(&self) -> bool {
        !matches!(self, Self::Sign(_) | Self::Ident(_) | Self::TooLarge)
    }

    /// A number with the other sign.
    pub(super) fn negated(&self) -> Option<Self> {
        match self {
            Self::Int(value) => Some(Self::Int(-value)),
            Self::TooLarge => Some(Self::Int(i64::MIN)),
            Self::Double(value) => Some(Self::Double(-value)),
            _ => None,
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sign(sign) => write!(f, "`{sign}`"),
            Self::Ident(name) => write!(f, "`{name}`"),
            Self::Bool(value) => write!(f, "`{value}`"),
            Self::Null => f.write_str("`null`"),
            Self::Int(value) => write!(f, "`{value}`"),
            Self::TooLarge => f.write_str("a number that is too large"),
            Self::Uint(value) => write!(f, "`{value}u`"),
            Self::Double(value) => write!(f, "`{value}`"),
            Self::String(_) => f.write_str("a string"),
            Self::Bytes(_) => f.write_str("bytes"),
        }
    }
}

/// Signs, those of two characters first.
const SIGNS: [&str; 26] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")",
    "[", "]", "{", "}", ".", ",", "=", "$",
];

/// Splits an expression; with each token comes its place in bytes.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (token, length) = one(rest).map_err(|why| format!("{why} at position {}", at + 1))?;
        found.push((at, token));
        at += length;
    }
    Ok(found)
}

fn one(rest: &str) -> Result<(Token, usize), String> {
    if let Some((token, length)) = quoted(rest)? {
        return Ok((token, length));
    }
    let first = rest.chars().next().unwrap_or_default();
    let second = rest.chars().nth(1).unwrap_or_default();
    if first.is_ascii_digit() || (first == '.' && second.is_ascii_digit()) {
        return number(rest);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let word = &rest[..end.unwrap_or(rest.len())];
        let token = match word {
            "true" => Token::Bool(true),
            "false" => Token::Bool(false),
            "null" => Token::Null,
            _ => Token::Ident(word.to_owned()),
        };
        return Ok((token, word.len()));
    }
    let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
    sign.map(|sign| (Token::Sign(sign), sign.len())).ok_or(format!("unexpected `{first}`"))
}

fn number(rest: &str) -> Result<(Token, usize), String> {
    if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let end = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        let value = u64::from_str_radix(&hex[..end], 16).map_err(|_| "no number".to_owned())?;
        return whole(value, &hex[end..], end + 2);
    }
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits(0);
    let mut is_double = false;
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end += 1 + digits(end + 1);
        is_double = true;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            end += 1 + sign + exponent;
            is_double = true;
        }
    }
    if is_double {
        let value = rest[..end].parse().map_err(|_| "no number".to_owned())?;
        return Ok((Token::Double(value), end));
    }
    let value = rest[..end].parse().map_err(|_| "the number is too large".to_owned())?;
    whole(value, &rest[end..], end)
}

/// A whole number, which a `u` makes unsigned.
fn whole(value: u64, after: &str, length: usize) -> Result<(Token, usize), String> {
    if after.starts_with(['u', 'U']) {
        return Ok((Token::Uint(value), length + 1));
    }
    match i64::try_from(value) {
        Ok(value) => Ok((Token::Int(value), length)),
        Err(_) if value == 1 << 63 => Ok((Token::TooLarge, length)),
        Err(_) => Err("the number is too large".to_owned()),
    }
}

/// A string or bytes: `'…'`, `"…"`, each also in threes, after `r`, `b` or both.
fn quoted(rest: &str) -> Result<Option<(Token, usize)>, String> {
    let prefix = rest.len() - rest.trim_start_matches(['r', 'R', 'b', 'B']).len();
    if prefix > 2 {
        return Ok(None);
    }
    let (marks, body) = rest.split_at(prefix);
    let Some(quote) = ["'''", "\"\"\"", "'", "\""].into_iter().find(|q| body.starts_with(q)) else {
        return Ok(None);
    };
    let is_raw = marks.contains(['r', 'R']);
    let is_bytes = marks.contains(['b', 'B']);
    let inner = &body[quote.len()..];
    let mut bytes = Vec::new();
    let mut at = 0;
    loop {
        let left = &inner[at..];
        if left.starts_with(quote) {
            at += quote.len();
            break;
        }
        let Some(c) = left.chars().next() else {
            return Err("a string has no end".to_owned());
        };
        if c == '\\' && !is_raw {
            at += escape(left, is_bytes, &mut bytes)?;
        } else {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            at += c.len_utf8();
        }
    }
    let token = if is_bytes {
        Token::Bytes(bytes)
    } else {
        Token::String(String::from_utf8(bytes).map_err(|_| "a string is not UTF-8".to_owned())?)
    };
    Ok(Some((token, prefix + quote.len() + at)))
}

/// Reads an escape, adds what it stands for, and gives its length.
fn escape(text: &str, is_bytes: bool, bytes: &mut Vec<u8>) -> Result<usize, String> {
    let wrong = || "unknown escape in a string".to_owned();
    let kind = text.chars().nth(1).ok_or_else(wrong)?;
    let simple = match kind {
        'a' => Some(7),
        'b' => Some(8),
        'f' => Some(12),
        'n' => Some(b'\n'),
        'r' => Some(b'\r'),
        't' => Some(b'\t'),
        'v' => Some(11),
        '\\' | '?' | '"' | '\'' | '`' => u8::try_from(kind).ok(),
        _ => None,
    };
    if let Some(byte) = simple {
        bytes.push(byte);
        return Ok(2);
    }
    let (skip, digits, radix) = match kind {
        'x' | 'X' => (2, 2, 16),
        'u' if !is_bytes => (2, 4, 16),
        'U' if !is_bytes => (2, 8, 16),
        '0'..='3' => (1, 3, 8),
        _ => return Err(wrong()),
    };
    let number = text.get(skip..skip + digits).ok_or_else(wrong)?;
    let number = u32::from_str_radix(number, radix).map_err(|_| wrong())?;
    if is_bytes {
        bytes.push(u8::try_from(number).map_err(|_| wrong())?);
    } else {
        let c = char::from_u32(number).ok_or_else(wrong)?;
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(skip + digits)
}
