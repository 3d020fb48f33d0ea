//! Path templates (`google/api/http.proto`, section "Path template syntax").
//!
//! Two things go beyond that grammar, as the transcoder of Google's own proxies has
//! it: the path `/`, and literals after `**`.

use crate::model::{Segment, Template, Variable};

/// What is wrong with a template, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub advice: &'static str,
}

fn wrong<T>(message: impl Into<String>, advice: &'static str) -> Result<T, TemplateError> {
    Err(TemplateError { message: message.into(), advice })
}

/// Reads a path template.
///
/// # Errors
/// When the text is none.
pub fn parse(text: &str) -> Result<Template, TemplateError> {
    let Some(path) = text.strip_prefix('/') else {
        return wrong(
            format!("path `{text}` does not begin with `/`"),
            "Write for example \"/v1/things\".",
        );
    };
    let mut parser = Parser { whole: text, template: Template::default() };
    if path.is_empty() {
        return Ok(parser.template);
    }
    let (path, verb) = split_verb(path);
    if let Some(verb) = verb {
        parser.template.verb = Some(parser.literal(verb, "verb after `:`")?);
    }
    parser.path(path)?;
    parser.check_rest()?;
    Ok(parser.template)
}

/// A colon in the last segment begins the verb: the first one after a variable, else
/// the last one.
fn split_verb(path: &str) -> (&str, Option<&str>) {
    let begin = path.rfind(['/', '}']).map_or(0, |at| at + 1);
    let Some(tail) = path.get(begin..) else { return (path, None) };
    let after_variable = path[..begin].ends_with('}');
    let colon = if after_variable { tail.find(':') } else { tail.rfind(':') };
    match colon {
        Some(at) => (&path[..begin + at], Some(&path[begin + at + 1..])),
        None => (path, None),
    }
}

struct Parser<'a> {
    whole: &'a str,
    template: Template,
}

impl<'a> Parser<'a> {
    fn path(&mut self, mut rest: &'a str) -> Result<(), TemplateError> {
        loop {
            rest = if let Some(inside) = rest.strip_prefix('{') {
                let Some((variable, after)) = inside.split_once('}') else {
                    return wrong(
                        format!("path `{}` has a `{{` without its `}}`", self.whole),
                        "Write `{field}` or `{field=segments}`.",
                    );
                };
                self.variable(variable, after.is_empty())?;
                after
            } else {
                let end = rest.find('/').unwrap_or(rest.len());
                let (segment, after) = rest.split_at(end);
                self.segment(segment)?;
                after
            };
            rest = match rest.strip_prefix('/') {
                Some(next) => next,
                None if rest.is_empty() => return Ok(()),
                None => {
                    return wrong(
                        format!("path `{}` has `{rest}` right after a variable", self.whole),
                        "A variable is one or several whole segments.",
                    );
                }
            };
        }
    }

    fn variable(&mut self, text: &str, is_last: bool) -> Result<(), TemplateError> {
        let (field, segments) = text.split_once('=').unwrap_or((text, "*"));
        let field: Vec<String> = field.split('.').map(str::to_owned).collect();
        if !field.iter().all(|name| is_identifier(name)) {
            return wrong(
                format!("path `{}` has a variable `{{{text}}}` that names no field", self.whole),
                "Write the field's name in the contract, with dots into messages: `{book.name}`.",
            );
        }
        if self.template.variables.iter().any(|known| known.field == field) {
            return wrong(
                format!("path `{}` has variable `{}` twice", self.whole, field.join(".")),
                "Let each variable stand for another field.",
            );
        }
        let start = self.template.segments.len();
        for segment in segments.split('/') {
            self.segment(segment)?;
        }
        let (_, last) = segments.rsplit_once('/').unwrap_or(("", segments));
        if is_last && last.contains(':') {
            return wrong(
                format!("path `{}` has a verb inside of a variable", self.whole),
                "Write the verb after the variable: `{name=things/*}:verb`.",
            );
        }
        let end = self.template.segments.len();
        self.template.variables.push(Variable { field, start, end });
        Ok(())
    }

    fn segment(&mut self, text: &str) -> Result<(), TemplateError> {
        let segment = match text {
            "*" => Segment::One,
            "**" => Segment::Rest,
            literal => Segment::Literal(self.literal(literal, "segment")?),
        };
        self.template.segments.push(segment);
        Ok(())
    }

    /// A literal is made of the characters that RFC 3986 allows in a segment. Escapes are
    /// taken away: `%41` and `A` are the same.
    fn literal(&self, text: &str, what: &str) -> Result<String, TemplateError> {
        if text.is_empty() {
            return wrong(
                format!("path `{}` has an empty {what}", self.whole),
                "Take the doubled or trailing `/`, or the `:`, out.",
            );
        }
        match unescaped(text) {
            Some(plain) if !plain.bytes().all(|byte| byte == b'*' || byte == b'.') => Ok(plain),
            _ => wrong(
                format!("path `{}` has a {what} `{text}` that no request can have", self.whole),
                "Write letters, digits, `-._~!$&'()+,;=@`, or escapes such as `%20`.",
            ),
        }
    }

    /// What follows `**` must have a fixed length, or the match would not be one.
    fn check_rest(&self) -> Result<(), TemplateError> {
        let segments = &self.template.segments;
        let rest = segments.iter().position(|segment| *segment == Segment::Rest);
        let after = rest.and_then(|at| segments.get(at + 1..)).unwrap_or_default();
        if after.iter().all(|segment| matches!(segment, Segment::Literal(_))) {
            return Ok(());
        }
        wrong(
            format!("path `{}` has `*` or `**` after `**`", self.whole),
            "Only literals may follow `**`.",
        )
    }
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The text that a segment (`1*pchar` of RFC 3986, section 3.3) stands for.
fn unescaped(segment: &str) -> Option<String> {
    let mut plain = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            _ if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) => byte,
            _ => return None,
        });
    }
    String::from_utf8(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.to_owned())
    }

    fn variable(field: &str, start: usize, end: usize) -> Variable {
        Variable { field: field.split('.').map(str::to_owned).collect(), start, end }
    }

    #[test]
    fn every_form_of_the_grammar_is_read() {
        let template = parse("/v1/{book.name=shelves/*/books/**}/pages/*:read").unwrap_err();
        assert!(template.message.contains("after `**`"), "{}", template.message);
        let template = parse("/v1/{parent.name=shelves/*}/{id}/rest/**:read").unwrap();
        assert_eq!(
            template.segments,
            [
                literal("v1"),
                literal("shelves"),
                Segment::One,
                Segment::One,
                literal("rest"),
                Segment::Rest
            ]
        );
        assert_eq!(template.variables, [variable("parent.name", 1, 3), variable("id", 3, 4)]);
        assert_eq!(template.verb.as_deref(), Some("read"));
        assert_eq!(parse("/").unwrap(), Template::default());
        assert_eq!(parse("/a/{b=c/**}/d/e").unwrap().segments.len(), 5);
    }

    #[test]
    fn a_colon_begins_a_verb_in_the_last_segment_alone() {
        let verb = |text| parse(text).unwrap().verb;
        assert_eq!(verb("/v1/a:b/c"), None);
        assert_eq!(verb("/v1/a:b:c").as_deref(), Some("c"));
        assert_eq!(verb("/v1/{a}:b:c").as_deref(), Some("b:c"));
        assert_eq!(verb("/v1/{a=b:c/*}"), None);
        assert_eq!(verb("/v1/{a=b/c:d}/e"), None);
    }

    #[test]
    fn what_is_no_template_is_refused_with_advice() {
        for bad in [
            "",
            "v1/a",
            "//",
            "/a/",
            "/a//b",
            "/:verb",
            "/a:",
            "/{a}:",
            "/{a",
            "/{}",
            "/{a.}",
            "/{a-b}",
            "/{a=}",
            "/{a=b/}",
            "/{a={b}}",
            "/{a=b/c:d}",
            "/{a=b:c}:d",
            "/{a}b",
            "/b{a}",
            "/a b",
            "/a?b",
            "/%2",
            "/a/%zz",
            "/***",
            "/a/**/*",
            "/a/**/**",
            "/a/**/b/*",
            "/{a}/{a}",
            "/a/..",
            "/é",
        ] {
            let error = parse(bad).unwrap_err();
            assert!(!error.advice.is_empty(), "{bad:?}");
        }
    }

    #[test]
    fn random_texts_do_no_harm() {
        // A small generator of our own: the same texts at every run.
        let alphabet: Vec<char> = "/{}=*:.%ab2é_".chars().collect();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..200_000 {
            let mut text = String::from("/");
            for _ in 0..(state % 16) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let index = usize::try_from(state % alphabet.len() as u64).unwrap();
                text.push(alphabet[index]);
            }
            state = state.wrapping_add(0x9e37_79b9);
            if let Ok(template) = parse(&text) {
                let end = template.segments.len();
                assert!(template.variables.iter().all(|one| one.start < one.end && one.end <= end));
            }
        }
    }
}
