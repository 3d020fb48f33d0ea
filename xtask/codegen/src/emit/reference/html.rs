//! Pieces of HTML. Whatever comes from a contract goes through [`escape`] or
//! [`markdown::html`].

pub(super) use crate::emit::document::markdown::escape;

use crate::emit::document::markdown;

/// A comment as paragraphs.
pub(super) fn comment(text: &str) -> String {
    let html = markdown::html(text);
    if html.is_empty() { html } else { format!("<div class=\"prose\">\n{html}</div>\n") }
}

/// A comment within a table's cell or a list's item.
pub(super) fn brief(text: &str) -> String {
    let html = markdown::html(text);
    let html = html.trim();
    let inner = html.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
    match inner {
        Some(inner) if !inner.contains("<p>") => inner.to_owned(),
        _ => html.to_owned(),
    }
}

/// Code.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// A link whose text is a name.
pub(super) fn link(target: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escape(target), escape(text))
}

/// A link whose text is code.
pub(super) fn code_link(target: &str, text: &str) -> String {
    format!("<a href=\"{}\"><code>{}</code></a>", escape(target), escape(text))
}

/// A word in a frame.
pub(super) fn badge(kind: &str, text: &str) -> String {
    format!("<span class=\"badge {kind}\">{}</span>", escape(text))
}

/// A heading that can be linked to.
pub(super) fn heading(level: u8, id: &str, name: &str, badges: &str) -> String {
    let id = escape(id);
    let name = escape(name);
    format!(
        "<h{level} id=\"{id}\">{name}{badges}<a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to \
         {name}\">#</a></h{level}>\n"
    )
}

/// A table; nothing without rows.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = String::from("<div class=\"table\"><table>\n<thead><tr>");
    for cell in head {
        out.push_str(&format!("<th scope=\"col\">{}</th>", escape(cell)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            out.push_str(&format!("<td>{cell}</td>"));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    out
}

/// Terms with what they are; nothing without any.
pub(super) fn facts(facts: &[(&str, String)]) -> String {
    if facts.is_empty() {
        return String::new();
    }
    let mut out = String::from("<dl class=\"facts\">\n");
    for (term, fact) in facts {
        out.push_str(&format!("<div><dt>{}</dt><dd>{fact}</dd></div>\n", escape(term)));
    }
    out.push_str("</dl>\n");
    out
}

/// Items one after the other; a dash without any.
pub(super) fn inline_list(items: Vec<String>) -> String {
    if items.is_empty() { "<span class=\"none\">none</span>".to_owned() } else { items.join(", ") }
}

/// A part of a page that is shown when asked for.
pub(super) fn details(summary: &str, inner: &str) -> String {
    format!("<details><summary>{}</summary>\n{inner}</details>\n", escape(summary))
}

/// A block of code.
pub(super) fn block(text: &str) -> String {
    format!("<pre><code>{}</code></pre>\n", escape(text))
}
