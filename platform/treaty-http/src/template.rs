//! Path templates as generated constants, and what their variables stand for in a
//! path.

use std::borrow::Cow;

use crate::percent::{self, Keep, Malformed};

/// A path template of `google.api.http`, parsed when generating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// As the contract writes it.
    pub text: &'static str,
    /// Segments from the left, those inside of variables included. At most one is
    /// [`Segment::Rest`], and only literals follow it.
    pub segments: &'static [Segment],
    /// Variables, each with the segments that it spans.
    pub variables: &'static [Variable],
    /// What a request's path must end in, after a colon.
    pub verb: Option<&'static str>,
}

/// A segment of a path template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This text, without escapes.
    Literal(&'static str),
    /// `*`: one segment, not empty.
    One,
    /// `**`: any number of segments, also none.
    Rest,
}

impl Segment {
    pub(crate) fn literal(&self) -> Option<&'static str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::One | Self::Rest => None,
        }
    }
}

/// A variable of a path template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Path of the request's field, for example `book.name`.
    pub field: &'static str,
    /// Index of its first segment.
    pub start: usize,
    /// Index after its last segment.
    pub end: usize,
}

impl Template {
    /// The text that a variable stands for in a path which this template matches.
    ///
    /// Escapes are decoded; in a variable of several segments `%2F` stays, because it
    /// would become a separator (`google/api/http.proto`, "Path template syntax").
    ///
    /// # Errors
    /// When that part of the path is not percent-encoded text.
    pub fn value<'p>(&self, variable: &Variable, path: &'p str) -> Result<Cow<'p, str>, Malformed> {
        let path = self.without_verb(path);
        let one = variable.end - variable.start == 1
            && self.segments.get(variable.start) == Some(&Segment::One);
        let keep = if one { Keep::Nothing } else { Keep::Slash };
        percent::decode(self.span(variable, path), keep)
    }

    /// The path without the leading slash and this template's verb.
    fn without_verb<'p>(&self, path: &'p str) -> &'p str {
        let path = path.strip_prefix('/').unwrap_or(path);
        let verb = self.verb.map_or(0, |verb| verb.len() + 1);
        path.get(..path.len().saturating_sub(verb)).unwrap_or(path)
    }

    /// The part of a matching path that a variable spans. Segments before `**` are
    /// counted from the left, those after it from the right.
    fn span<'p>(&self, variable: &Variable, path: &'p str) -> &'p str {
        let rest = self.segments.iter().position(|segment| *segment == Segment::Rest);
        let from_left = |count: usize| match count.checked_sub(1) {
            None => 0,
            Some(last) => path
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'/')
                .nth(last)
                .map_or(path.len(), |(at, _)| at + 1),
        };
        let start = if rest.is_some_and(|rest| variable.start > rest) {
            let after = self.segments.len() - variable.start;
            let mut slashes = path.bytes().enumerate().rev().filter(|(_, byte)| *byte == b'/');
            slashes.nth(after - 1).map_or(0, |(at, _)| at + 1)
        } else {
            from_left(variable.start)
        };
        let end = match rest {
            Some(rest) if variable.end > rest => match self.segments.len() - variable.end {
                0 => path.len(),
                after => {
                    let mut slashes =
                        path.bytes().enumerate().rev().filter(|(_, byte)| *byte == b'/');
                    slashes.nth(after - 1).map_or(start, |(at, _)| at)
                }
            },
            _ => match from_left(variable.end) {
                end if end == path.len() && !path.ends_with('/') => end,
                end => end.saturating_sub(1),
            },
        };
        path.get(start..end.max(start)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use Segment::{Literal, One, Rest};

    use super::*;

    fn values(template: &Template, path: &str) -> Vec<String> {
        let variables = template.variables.iter();
        variables.map(|one| template.value(one, path).unwrap().into_owned()).collect()
    }

    const fn variable(start: usize, end: usize) -> Variable {
        Variable { field: "f", start, end }
    }

    #[test]
    fn variables_span_their_segments() {
        let one = Template {
            text: "/a/{x}/c/{y=d/*}",
            segments: &[Literal("a"), One, Literal("c"), Literal("d"), One],
            variables: const { &[variable(1, 2), variable(3, 5)] },
            verb: None,
        };
        assert_eq!(values(&one, "/a/b%2Fb/c/d/e%2Fe%20e"), ["b/b", "d/e%2Fe e"]);
        let verb = Template { verb: Some("go:now"), ..one };
        assert_eq!(values(&verb, "/a/b/c/d/e:f:go:now"), ["b", "d/e:f"]);
    }

    #[test]
    fn rest_takes_what_the_others_leave() {
        let rest = Template {
            text: "/{x}/{y=a/**}/b/{z=c}",
            segments: &[One, Literal("a"), Rest, Literal("b"), Literal("c")],
            variables: const { &[variable(0, 1), variable(1, 3), variable(4, 5)] },
            verb: None,
        };
        assert_eq!(values(&rest, "/1/a/2/3/b/c"), ["1", "a/2/3", "c"]);
        assert_eq!(values(&rest, "/1/a/b/c"), ["1", "a", "c"]);
        assert_eq!(values(&rest, "/1/a//b/c"), ["1", "a/", "c"]);
        let all = Template {
            text: "/{x=**}",
            segments: &[Rest],
            variables: const { &[variable(0, 1)] },
            verb: None,
        };
        assert_eq!(values(&all, "/"), [""]);
        assert_eq!(values(&all, "/a/b/"), ["a/b/"]);
        let tail = Template {
            text: "/a/{x=**}",
            segments: &[Literal("a"), Rest],
            variables: const { &[variable(1, 2)] },
            verb: None,
        };
        assert_eq!(values(&tail, "/a"), [""]);
        assert_eq!(values(&tail, "/a/b%2fc/+"), ["b%2fc/+"]);
    }
}
