//! What all pages have in common.

use super::html::{escape, link};
use super::links;
use crate::model::Model;

/// All pages together.
pub(super) struct Site<'a> {
    model: &'a Model,
    title: String,
}

/// A page.
pub(super) struct Page<'p> {
    /// Its path below the top of the reference.
    pub(super) path: &'p str,
    pub(super) title: &'p str,
    pub(super) body: String,
}

impl<'a> Site<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        Self { model, title: title(model) }
    }

    /// Name of what the contracts are about.
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// The whole of a page.
    pub(super) fn render(&self, page: &Page<'_>) -> String {
        let top = if page.path.contains('/') { "../" } else { "" };
        let title = escape(page.title);
        let site = escape(&self.title);
        let nav = self.navigation(page.path, top);
        let body = &page.body;
        format!(
            "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>{title} · {site}</title>
<link rel=\"stylesheet\" href=\"{top}reference.css\">
<script src=\"{top}theme.js\"></script>
<script defer src=\"{top}search-index.js\"></script>
<script defer src=\"{top}reference.js\"></script>
</head>
<body data-top=\"{top}\">
<a class=\"skip\" href=\"#main\">Skip to the content</a>
<header class=\"bar\">
<a class=\"brand\" href=\"{top}index.html\"><svg viewBox=\"0 0 24 24\" width=\"22\" height=\"22\" aria-hidden=\"true\"><path d=\"M4 7h9a4 4 0 0 1 0 8H8\"/><path d=\"M20 17h-9a4 4 0 0 1 0-8h5\"/></svg><span>{site}</span></a>
<div class=\"search\" role=\"search\" hidden>
<input type=\"search\" id=\"search\" placeholder=\"Search\" autocomplete=\"off\" spellcheck=\"false\" role=\"combobox\" aria-label=\"Search the reference\" aria-expanded=\"false\" aria-controls=\"results\" aria-autocomplete=\"list\"><kbd aria-hidden=\"true\">/</kbd>
<ul id=\"results\" role=\"listbox\" aria-label=\"Results\" hidden></ul>
</div>
<button type=\"button\" id=\"theme\" hidden aria-label=\"Switch between light and dark\"><svg viewBox=\"0 0 24 24\" width=\"18\" height=\"18\" aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" r=\"8\"/><path d=\"M12 4a8 8 0 0 1 0 16z\"/></svg></button>
</header>
<div class=\"columns\">
<nav class=\"side\" aria-label=\"Reference\">
{nav}</nav>
<main id=\"main\" tabindex=\"-1\">
{body}</main>
</div>
</body>
</html>
"
        )
    }

    fn navigation(&self, current: &str, top: &str) -> String {
        let mut general = vec![("index.html", "Overview"), ("routes.html", "HTTP routes")];
        general.extend([("events.html", "Events and streams"), ("workflows.html", "Workflows")]);
        let mut out = String::from("<ul>\n");
        let item = |path: &str, text: &str, out: &mut String| {
            let here = if path == current { " aria-current=\"page\"" } else { "" };
            out.push_str(&format!(
                "<li><a href=\"{top}{}\"{here}>{}</a></li>\n",
                escape(path),
                escape(text)
            ));
        };
        for (path, text) in general {
            item(path, text, &mut out);
        }
        out.push_str("</ul>\n");
        let groups = [
            (
                "Deployables",
                self.model
                    .deployables
                    .iter()
                    .map(|one| (links::deployable(&one.name), &one.name))
                    .collect::<Vec<_>>(),
            ),
            (
                "Packages",
                self.model
                    .packages
                    .iter()
                    .map(|one| (links::package(&one.name), &one.name))
                    .collect(),
            ),
        ];
        for (title, entries) in groups.iter().filter(|(_, entries)| !entries.is_empty()) {
            out.push_str(&format!("<h2>{title}</h2>\n<ul>\n"));
            for (path, text) in entries {
                item(path, text, &mut out);
            }
            out.push_str("</ul>\n");
        }
        out
    }
}

/// The first word that all packages have in common.
fn title(model: &Model) -> String {
    let mut firsts = model.packages.iter().filter_map(|package| package.name.split('.').next());
    match firsts.next() {
        Some(first) if firsts.all(|other| other == first) => first.to_owned(),
        _ => "Contracts".to_owned(),
    }
}

/// The way from the top to a page.
pub(super) fn trail(top: &str, name: &str) -> String {
    format!("<p class=\"trail\">{} / {}</p>\n", link("../index.html", top), escape(name))
}
