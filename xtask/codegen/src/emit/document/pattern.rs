//! Regular expressions of contracts, which are RE2's, as JSON Schema has them
//! (ECMA-262 with the flag `u`), and a text that each matches.

use std::fmt::Write as _;

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look, Repetition};

/// A parsed regular expression.
pub(in crate::emit) struct Pattern(Hir);

impl Pattern {
    /// Reads an expression; none when it is not one.
    pub(in crate::emit) fn parse(expression: &str) -> Option<Self> {
        regex_syntax::ParserBuilder::new()
            .build()
            .parse(&with_ascii_classes(expression))
            .ok()
            .map(Self)
    }

    /// The same expression for JSON Schema; none when it has no equal there.
    pub(in crate::emit) fn ecma(&self) -> Option<String> {
        let mut text = String::new();
        write(&self.0, &mut text)?;
        Some(text)
    }

    /// A short text that matches.
    pub(in crate::emit) fn sample(&self) -> String {
        let mut text = String::new();
        sample(&self.0, &mut text);
        text
    }
}

/// `\d`, `\w` and `\s` are ASCII in RE2.
fn with_ascii_classes(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len());
    let mut chars = expression.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('w') => out.push_str("[0-9A-Za-z_]"),
            Some('W') => out.push_str("[^0-9A-Za-z_]"),
            Some('s') => out.push_str(r"[\t\n\f\r ]"),
            Some('S') => out.push_str(r"[^\t\n\f\r ]"),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

fn write(hir: &Hir, out: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Literal(literal) => {
            for c in std::str::from_utf8(&literal.0).ok()?.chars() {
                write_char(c, out);
            }
        }
        HirKind::Class(Class::Unicode(class)) => write_class(class, out),
        HirKind::Class(Class::Bytes(class)) => write_class(&class.to_unicode_class()?, out),
        HirKind::Look(Look::Start) => out.push('^'),
        HirKind::Look(Look::End) => out.push('$'),
        HirKind::Look(Look::WordAscii) => out.push_str("\\b"),
        HirKind::Look(_) => return None,
        HirKind::Repetition(repetition) => write_repetition(repetition, out)?,
        HirKind::Capture(capture) => group(&capture.sub, out)?,
        HirKind::Concat(parts) => {
            for part in parts {
                // An alternation binds weaker than what stands around it.
                if matches!(part.kind(), HirKind::Alternation(_)) {
                    group(part, out)?;
                } else {
                    write(part, out)?;
                }
            }
        }
        HirKind::Alternation(parts) => {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                write(part, out)?;
            }
        }
    }
    Some(())
}

fn group(hir: &Hir, out: &mut String) -> Option<()> {
    out.push_str("(?:");
    write(hir, out)?;
    out.push(')');
    Some(())
}

fn write_repetition(repetition: &Repetition, out: &mut String) -> Option<()> {
    let single = match repetition.sub.kind() {
        HirKind::Class(_) => true,
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok()?.chars().count() == 1,
        _ => false,
    };
    if single {
        write(&repetition.sub, out)?;
    } else if let HirKind::Capture(capture) = repetition.sub.kind() {
        group(&capture.sub, out)?;
    } else {
        group(&repetition.sub, out)?;
    }
    match (repetition.min, repetition.max) {
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (0, Some(1)) => out.push('?'),
        (min, None) => write!(out, "{{{min},}}").ok()?,
        (min, Some(max)) if min == max => write!(out, "{{{min}}}").ok()?,
        (min, Some(max)) => write!(out, "{{{min},{max}}}").ok()?,
    }
    if !repetition.greedy {
        out.push('?');
    }
    Some(())
}

fn write_class(class: &ClassUnicode, out: &mut String) {
    out.push('[');
    for range in class.ranges() {
        write_char(range.start(), out);
        if range.start() != range.end() {
            if u32::from(range.end()) > u32::from(range.start()) + 1 {
                out.push('-');
            }
            write_char(range.end(), out);
        }
    }
    out.push(']');
}

/// A character outside and inside of classes; with the flag `u` only these may be
/// escaped, and `-` only within a class, where its number does as well.
fn write_char(c: char, out: &mut String) {
    if r"^$\.*+?()[]{}|/".contains(c) {
        out.extend(['\\', c]);
    } else if c.is_ascii_graphic() && c != '-' || c == ' ' {
        out.push(c);
    } else {
        // A text always takes it.
        let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
    }
}

fn sample(hir: &Hir, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.extend(member(class)),
        HirKind::Repetition(repetition) => {
            let times = match repetition.max {
                Some(max) => repetition.min.max(1).min(max),
                None => repetition.min.max(1),
            };
            for _ in 0..times {
                sample(&repetition.sub, out);
            }
        }
        HirKind::Capture(capture) => sample(&capture.sub, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| sample(part, out)),
        HirKind::Alternation(parts) => {
            if let Some(first) = parts.first() {
                sample(first, out);
            }
        }
    }
}

/// The member of a class that reads best: a letter or a digit if there is one.
fn member(class: &Class) -> Option<char> {
    let class = match class {
        Class::Unicode(class) => class.clone(),
        Class::Bytes(class) => class.to_unicode_class()?,
    };
    let holds =
        |c: char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c));
    let liked = ('a'..='z').chain('A'..='Z').chain('1'..='9').chain(['0', '-', '_', '.']);
    liked
        .into_iter()
        .find(|c| holds(*c))
        .or_else(|| class.ranges().first().map(|range| range.start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_the_same_and_have_a_sample() {
        for (expression, ecma, matching) in [
            (r"^[a-z0-9-]{3,20}$", r"^[\u{2d}0-9a-z]{3,20}$", "aaa"),
            (r"\A\d+(?:\.\d{2})?\z", r"^[0-9]+(?:\.[0-9]{2})?$", "1.11"),
            (r"(?i)ab|c/d", r"(?:[Aa][Bb]|[Cc]/[Dd])", "ab"),
            (r"[\w.]+@x_y", r"[\.0-9A-Z_a-z]+@x_y", "a@x_y"),
            (r"a(b|cd)*?é", r"a(?:b|(?:cd))*?\u{e9}", "abé"),
        ] {
            let pattern = Pattern::parse(expression).unwrap();
            assert_eq!(pattern.sample(), matching, "{expression}");
            let written = pattern.ecma().unwrap();
            let again = Pattern::parse(&written).unwrap_or_else(|| panic!("{written}"));
            assert_eq!(again.sample(), matching, "{ecma} {written}");
        }
        assert!(Pattern::parse("(").is_none());
        assert!(Pattern::parse(r"(?m)^a$").unwrap().ecma().is_none());
    }
}
