//! Comments of contracts, which people write as Markdown, as documents take them.
//!
//! A comment says what it says: HTML in it is text, and is shown, never run.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// The comment without the blank that protobuf leaves at the start of each line, and
/// without what no document may hold: control characters, and those that turn the
/// direction of writing.
pub(in crate::emit) fn plain(comment: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let comment = comment.replace('\t', "    ");
    let comment: String =
        comment.chars().filter(|c| *c == '\n' || !c.is_control() && !turns(*c)).collect();
    let filled = || comment.lines().filter(|line| !line.trim().is_empty());
    let indented = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let indentation = filled().map(indented).min().unwrap_or(0);
    let lines: Vec<_> =
        comment.lines().map(|line| line.get(indentation..).unwrap_or("").trim_end()).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// CommonMark in which nothing is HTML.
pub(in crate::emit) fn commonmark(comment: &str) -> String {
    let text = plain(comment);
    let mut safe = String::with_capacity(text.len());
    let mut copied = 0;
    for (event, range) in Parser::new_ext(&text, OPTIONS).into_offset_iter() {
        if matches!(event, Event::Html(_) | Event::InlineHtml(_)) && range.start >= copied {
            safe.push_str(&text[copied..range.start]);
            safe.push_str(&escape_markup(&text[range.clone()]));
            copied = range.end;
        }
    }
    safe.push_str(&text[copied..]);
    safe
}

const OPTIONS: Options = Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH);

/// Where HTML would begin, CommonMark reads a character reference as text.
fn escape_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// HTML of the comment: paragraphs, lists, code, tables; no headings, images, or
/// links that could run something.
pub(in crate::emit) fn html(comment: &str) -> String {
    let text = plain(comment);
    let mut events = Vec::new();
    let mut dropped_links = Vec::new();
    for event in Parser::new_ext(&text, OPTIONS) {
        match event {
            Event::Html(raw) | Event::InlineHtml(raw) => events.push(Event::Text(raw)),
            Event::Start(Tag::Heading { .. }) => {
                events.extend([Event::Start(Tag::Paragraph), Event::Start(Tag::Strong)]);
            }
            Event::End(TagEnd::Heading(_)) => {
                events.extend([Event::End(TagEnd::Strong), Event::End(TagEnd::Paragraph)]);
            }
            Event::Start(Tag::HtmlBlock) => events.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => events.push(Event::End(TagEnd::Paragraph)),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Link { ref dest_url, .. }) => {
                let safe = is_safe_link(dest_url);
                dropped_links.push(!safe);
                if safe {
                    events.push(event);
                }
            }
            Event::End(TagEnd::Link) => {
                if dropped_links.pop() == Some(false) {
                    events.push(event);
                }
            }
            other => events.push(other),
        }
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    out
}

fn is_safe_link(target: &CowStr<'_>) -> bool {
    ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

/// Text of the first sentence, without marks.
pub(in crate::emit) fn summary(comment: &str) -> String {
    let text = plain(comment);
    let mut words = String::new();
    for event in Parser::new_ext(&text, OPTIONS) {
        match event {
            Event::Text(part) | Event::Code(part) | Event::Html(part) | Event::InlineHtml(part) => {
                words.push_str(&part);
            }
            Event::SoftBreak | Event::HardBreak => words.push(' '),
            Event::End(
                TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::CodeBlock,
            ) => {
                break;
            }
            _ => {}
        }
    }
    first_sentence(words.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Ends at the first full stop that a new sentence follows.
fn first_sentence(text: String) -> String {
    let end = text.match_indices(". ").map(|(at, _)| at).find(|&at| {
        text[at + 2..].chars().next().is_some_and(|next| !next.is_lowercase())
            && !text[..at].ends_with("e.g")
            && !text[..at].ends_with("i.e")
    });
    let sentence = end.map_or(text.as_str(), |end| &text[..end]);
    sentence.trim_end_matches('.').to_owned()
}

/// Text in HTML, between tags or in a quoted attribute.
pub(in crate::emit) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_in_comments_is_text() {
        let comment =
            " A <script>alert(1)</script> | `a<b>` & \"quotes\".\n\n <div onclick=\"x\">\n";
        let safe = commonmark(comment);
        assert_eq!(
            safe,
            "A &lt;script>alert(1)&lt;/script> | `a<b>` & \"quotes\".\n\n&lt;div onclick=\"x\">"
        );
        let shown = html(comment);
        assert!(!shown.contains("<script") && !shown.contains("<div"), "{shown}");
        assert!(shown.contains("<code>a&lt;b&gt;</code>"), "{shown}");
        // What is safe to put into a document reads the same.
        assert_eq!(html(&safe), shown);
    }

    #[test]
    fn links_and_pictures_cannot_run_or_load_anything() {
        let shown =
            html("[a](javascript:alert(1)) ![b](http://example.org/b.png) [c](https://d.e)");
        assert_eq!(shown, "<p>a b <a href=\"https://d.e\">c</a></p>\n");
    }

    #[test]
    fn indentation_within_a_comment_stays() {
        assert_eq!(plain(" A list:\n\n   - one\n     two\n"), "A list:\n\n  - one\n    two");
        assert_eq!(plain(""), "");
        assert_eq!(plain("\n\n é\n"), "é");
        assert_eq!(plain(" a\u{202e}b\u{7}\tc"), "ab    c");
    }

    #[test]
    fn a_summary_is_the_first_sentence() {
        for (comment, expected) in [
            (
                " Returns `one` athlete,\n or *NOT_FOUND*. Never more.\n\n Really.",
                "Returns one athlete, or NOT_FOUND",
            ),
            ("Version 1.5 of a thing, e.g. This", "Version 1.5 of a thing, e.g. This"),
            ("", ""),
        ] {
            assert_eq!(summary(comment), expected);
        }
    }
}
