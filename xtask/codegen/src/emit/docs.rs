//! Comments of contracts as documentation of Rust.
//!
//! Comments are written for people and for other tools: brackets, angle brackets,
//! addresses and indented text are common in them, and each would be a link, a tag or a
//! test to rustdoc. What is meant as text stays text here, so that no contract can make
//! rustdoc or clippy complain.

use std::fmt::Write as _;

/// The lines of a doc comment, without the marks and the space behind them.
pub(super) fn lines(comment: &str) -> Vec<String> {
    let source: Vec<String> = comment.lines().map(clean).collect();
    let indents = source.iter().filter(|line| !line.is_empty()).map(|line| indent(line));
    let margin = indents.min().unwrap_or_default();
    let mut page = Page::default();
    for line in &source {
        page.add(line.get(margin..).unwrap_or_default());
    }
    page.finish()
}

/// One line without what no source file may hold: control characters, and those that
/// turn the direction of writing.
fn clean(line: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let line = line.replace('\t', "    ");
    let kept: String = line.chars().filter(|c| !c.is_control() && !turns(*c)).collect();
    kept.trim_end().to_owned()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// What the lines so far have opened.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
    /// A fenced block of the comment itself: its fence.
    fence: Option<String>,
    /// An indented block, which is shown in a fence of ours.
    indented: bool,
    /// Columns where the text of the open list items begins, in the comment and here.
    items: Vec<(usize, usize)>,
}

impl Page {
    fn add(&mut self, line: &str) {
        let text = line.trim_start_matches(' ');
        if let Some(fence) = &self.fence {
            if text.starts_with(fence.as_str()) && text.trim_start_matches(['`', '~']).is_empty() {
                self.fence = None;
                self.lines.push("```".to_owned());
            } else {
                // Text that looks like our own fence would end it.
                self.lines.push(line.replace("```", "'''"));
            }
            return;
        }
        if text.is_empty() {
            self.blank();
            return;
        }
        if self.is_code(line) {
            if !self.indented {
                self.indented = true;
                self.lines.push("```text".to_owned());
            }
            self.lines.push(line.get(4..).unwrap_or(text).replace("```", "'''"));
            return;
        }
        self.end_indented();
        if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| text.starts_with(mark)) {
            self.open_fence(text, mark);
        } else {
            self.prose(line, text);
        }
    }

    /// Whether a line is code by its indentation: a blank line before it and no list open.
    fn is_code(&self, line: &str) -> bool {
        let after_blank = self.lines.last().is_none_or(String::is_empty);
        self.items.is_empty() && indent(line) >= 4 && (self.indented || after_blank)
    }

    fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    fn end_indented(&mut self) {
        if std::mem::take(&mut self.indented) {
            while self.lines.last().is_some_and(String::is_empty) {
                self.lines.pop();
            }
            self.lines.extend(["```".to_owned(), String::new()]);
        }
    }

    /// Opens a block of code. Rust, and what names no language, would be a test.
    fn open_fence(&mut self, text: &str, mark: &str) {
        let width = text.len() - text.trim_start_matches(['`', '~']).len();
        let language = text.get(width..).unwrap_or_default().trim();
        if text.get(..1) == Some("`") && language.contains('`') {
            // A span of code on one line, not a fence.
            self.prose(text, text);
            return;
        }
        let plain = !language.is_empty() && language.chars().all(|c| c.is_ascii_alphanumeric());
        let known = [
            "proto", "protobuf", "json", "yaml", "sql", "sh", "bash", "go", "python", "java",
            "xml", "html",
        ];
        let language = if plain && known.contains(&language) { language } else { "text" };
        self.items.clear();
        self.lines.push(format!("```{language}"));
        self.fence = Some(mark.to_owned());
    }

    fn prose(&mut self, line: &str, text: &str) {
        let column = indent(line);
        if let Some(width) = marker(text) {
            while self.items.last().is_some_and(|(source, _)| column < *source) {
                self.items.pop();
            }
            let own = self.items.last().map_or(0, |(_, here)| *here);
            let content = text.get(width..).unwrap_or_default().trim_start();
            let mark = text.get(..width).unwrap_or_default();
            self.lines.push(format!("{:own$}{mark} {}", "", escape(content)));
            self.items.push((column + width + 1, own + width + 1));
            return;
        }
        // After a blank line, text at the margin ends the list; text right below an item
        // belongs to it, wherever it begins.
        let after_blank = self.lines.last().is_none_or(String::is_empty);
        if after_blank {
            while self.items.last().is_some_and(|(source, _)| column < *source) {
                self.items.pop();
            }
        }
        let own = self.items.last().map_or(0, |(_, here)| *here);
        self.lines.push(format!("{:own$}{}", "", escape(text)));
    }

    fn finish(mut self) -> Vec<String> {
        self.end_indented();
        if self.fence.take().is_some() {
            self.lines.push("```".to_owned());
        }
        while self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        self.lines
    }
}

/// Width of a list item's mark, when the line begins with one and text follows.
fn marker(text: &str) -> Option<usize> {
    let width = match text.chars().next()? {
        '-' | '*' | '+' => 1,
        first if first.is_ascii_digit() => {
            let digits = text.chars().take_while(char::is_ascii_digit).count();
            (digits <= 9 && text.get(digits..)?.starts_with(['.', ')'])).then_some(digits + 1)?
        }
        _ => return None,
    };
    let rest = text.get(width..)?;
    (rest.starts_with(' ') && !rest.trim().is_empty()).then_some(width)
}

/// Text that Markdown shows as it stands: spans of code and links stay.
fn escape(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + 8);
    let mut rest = text;
    if let Some(tail) = rest.strip_prefix('>') {
        output.push_str("\\>");
        rest = tail;
    }
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '`' => code(rest, &mut output),
            '[' => link(rest, &mut output),
            'h' => address(rest, &mut output),
            '\\' => escaped(rest, &mut output),
            _ => None,
        };
        let taken = taken.unwrap_or_else(|| {
            if matches!(first, '`' | '[' | ']' | '<') {
                output.push('\\');
            }
            output.push(first);
            first.len_utf8()
        });
        rest = rest.get(taken..).unwrap_or_default();
    }
    output
}

/// Copies a character that the comment itself escapes.
fn escaped(text: &str, output: &mut String) -> Option<usize> {
    let next = text.chars().nth(1).filter(char::is_ascii_punctuation)?;
    output.extend(['\\', next]);
    Some(1 + next.len_utf8())
}

/// Copies a span of code that ends on this line.
fn code(text: &str, output: &mut String) -> Option<usize> {
    let width = text.len() - text.trim_start_matches('`').len();
    let fence = text.get(..width)?;
    let inner = text.get(width..)?;
    let length = inner.find(fence).filter(|length| *length > 0)?;
    let end = width + length + width;
    if text.get(end..).is_some_and(|tail| tail.starts_with('`')) {
        return None;
    }
    output.push_str(text.get(..end)?);
    Some(end)
}

/// Copies a link to an address; a link to another element of the contract, which is no
/// path of Rust, becomes code.
fn link(text: &str, output: &mut String) -> Option<usize> {
    let close = text.find(']')?;
    let label = text.get(1..close).filter(|label| !label.contains(['[', '<', '\\']))?;
    let after = text.get(close + 1..)?;
    let (open, shut) = (after.chars().next()?, if after.starts_with('(') { ')' } else { ']' });
    if !matches!(open, '(' | '[') {
        return None;
    }
    let end = after.find(shut)?;
    let target = after.get(1..end)?;
    let is_address = target.starts_with("http://") || target.starts_with("https://");
    if open == '(' && is_address && !target.contains([' ', '<', '(']) && !is_url(label) {
        let label = if balanced(label) { label.to_owned() } else { label.replace('`', "") };
        let _ = write!(output, "[{label}]({target})");
    } else if !label.is_empty() && !label.contains('`') {
        let _ = write!(output, "`{label}`");
    } else if balanced(label) {
        output.push_str(label);
    } else {
        return None;
    }
    Some(close + 1 + end + 1)
}

fn balanced(label: &str) -> bool {
    label.matches('`').count().is_multiple_of(2)
}

fn is_url(text: &str) -> bool {
    text.contains("http://") || text.contains("https://")
}

/// Copies an address as a link.
fn address(text: &str, output: &mut String) -> Option<usize> {
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return None;
    }
    let stop = |c: char| c.is_whitespace() || "<>()[]{}\"'`\\|,;*".contains(c);
    let length = text.find(stop).unwrap_or(text.len());
    let url = text.get(..length)?.trim_end_matches(['.', ':', '!', '?']);
    let has_host = url.split_once("://").is_some_and(|(_, rest)| !rest.is_empty());
    if !has_host {
        return None;
    }
    let _ = write!(output, "<{url}>");
    Some(url.len())
}

#[cfg(test)]
mod tests;
