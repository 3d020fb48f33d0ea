//! Adding to Rust sources and manifests. What is added is put where it belongs; rustfmt lays it out.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::scan::{closing, words};

/// Adds an import beside the first one; rustfmt sorts them.
pub(super) fn import(text: &str, path: &str) -> String {
    let line = format!("use {path};\n");
    if text.contains(&line) {
        return text.to_owned();
    }
    // Beside one of its kind, so that it lands in the right group.
    let family = path.split("::").next().unwrap_or(path).split('_').next().unwrap_or(path);
    let near = text.find(&format!("\nuse {family}")).or_else(|| text.find("\nuse "));
    let at = near.map_or(0, |at| at + 1);
    format!("{}{line}{}", &text[..at], &text[at..])
}

/// Declares a module beside those that are there, or before the first item.
pub(super) fn module(text: &str, declaration: &str) -> String {
    let last = text.lines().rfind(|line| is_module(line)).map(str::to_owned);
    match last.and_then(|last| text.rfind(&last).map(|at| at + last.len())) {
        Some(at) => format!("{}\n{declaration}{}", &text[..at], &text[at..]),
        None => {
            let header = text.lines().take_while(|line| line.starts_with("//!")).count();
            let lines: Vec<_> = text.lines().collect();
            let (head, tail) = lines.split_at(header);
            format!("{}\n\n{declaration}\n{}\n", head.join("\n"), tail.join("\n"))
        }
    }
}

fn is_module(line: &str) -> bool {
    let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
    line.starts_with("mod ") && line.ends_with(';')
}

/// Adds items at the end.
pub(super) fn append(text: &str, items: &str) -> String {
    format!("{}\n{items}", text.trim_end())
}

/// Adds a line at the end of the block that follows a header, such as a field to a struct.
pub(super) fn add_to_block(text: &str, header: &str, lines: &str) -> Result<String> {
    let (_, close) = block(text, header)?;
    Ok(format!("{}{lines}{}", &text[..close], &text[close..]))
}

/// Adds statements at the end of a function, before the `Ok(())` that it may end with.
pub(super) fn add_statements(text: &str, function: &str, statements: &str) -> Result<String> {
    let (open, close) = block(text, &format!("fn {function}"))?;
    let body = text[open..close].trim_end();
    let at = open + body.strip_suffix("Ok(())").map_or(body.len(), str::len);
    Ok(format!("{}\n{}\n{}", text[..at].trim_end(), statements.trim_end(), &text[at..]))
}

/// Whether the last that a function says is `Ok(())`: only then can statements be added at its end.
pub(super) fn ends_with_ok(text: &str, function: &str) -> bool {
    let found = block(text, &format!("fn {function}"));
    found.is_ok_and(|(open, close)| text[open..close].trim_end().ends_with("Ok(())"))
}

/// Whether a file has a function with parameters of these names.
pub(super) fn has_function(text: &str, function: &str, parameters: &[&str]) -> bool {
    let Some(at) = words(text, &format!("fn {function}")).into_iter().next() else { return false };
    let Some(open) = text[at..].find('(').map(|open| at + open) else { return false };
    let Some(close) = closing(text, open) else { return false };
    let given = &text[open..close];
    parameters
        .iter()
        .all(|name| words(given, name).iter().any(|at| given[at + name.len()..].starts_with(':')))
}

fn block(text: &str, header: &str) -> Result<(usize, usize)> {
    let missing = || format!("`{header}` with its block was not found");
    let at = words(text, header).into_iter().next().with_context(missing)?;
    let open = text[at..].find('{').map(|open| at + open).with_context(missing)?;
    let close = closing(text, open).with_context(missing)?;
    Ok((open + 1, close))
}

/// The inside of every block by which something implements a trait of this name.
pub(super) fn implementations(text: &str, name: &str) -> Vec<(usize, usize)> {
    let headers = words(text, "impl").into_iter().filter_map(|at| {
        let open = text[at..].find('{').map(|open| at + open)?;
        let (implemented, _) = text[at..open].split_once(" for ")?;
        let last = implemented.rsplit("::").next()?.rsplit(' ').next()?;
        (last == name).then_some(open)
    });
    headers.filter_map(|open| Some((open + 1, closing(text, open)?))).collect()
}

/// How a file names something: by its last segment where it is imported, else by its path.
pub(super) fn name_in(text: &str, path: &str) -> String {
    let (parent, last) = path.rsplit_once("::").unwrap_or(("", path));
    let imports = words(text, "use").into_iter().filter_map(|at| {
        text[at..].split_once(';').map(|(line, _)| line.trim_start_matches("use").trim())
    });
    let imported = imports
        .filter_map(|line| line.strip_prefix(parent)?.strip_prefix("::"))
        .any(|rest| !words(rest, last).is_empty() && (rest.starts_with('{') || rest == last));
    if imported { last.to_owned() } else { path.to_owned() }
}

/// The name that a file gives a module by `use … as …`.
pub(super) fn alias<'a>(text: &'a str, path: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("use {path} as "))?;
    rest.split_once(';').map(|(alias, _)| alias.trim())
}

/// Adds a line to a section of a manifest, in its order, unless the key is there.
pub(super) fn dependency(manifest: &str, section: &str, line: &str) -> Result<String> {
    let key = |line: &str| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned();
    let mut lines: Vec<&str> = manifest.lines().collect();
    let header = lines.iter().position(|line| *line == section);
    let start = header.with_context(|| format!("the manifest has no {section}"))? + 1;
    let rest = lines[start..].iter();
    let length = rest.take_while(|line| !line.is_empty() && !line.starts_with('[')).count();
    let own = &lines[start..start + length];
    if own.iter().any(|known| key(known) == key(line)) {
        return Ok(manifest.to_owned());
    }
    let later = own.iter().position(|known| !known.starts_with('#') && key(known) > key(line));
    // A comment belongs to the line below it.
    let mut at = start + later.unwrap_or(length);
    while at > start && lines[at - 1].starts_with('#') {
        at -= 1;
    }
    lines.insert(at, line);
    Ok(lines.join("\n") + "\n")
}

/// Lays a source out as `cargo fmt` does.
pub(super) fn format(root: &Path, text: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run rustfmt: install it with `rustup component add rustfmt`")?;
    // The sources are smaller than a pipe holds, or rustfmt reads all before it writes.
    child.stdin.take().context("rustfmt has no input")?.write_all(text.as_bytes())?;
    let output = child.wait_with_output().context("rustfmt did not end")?;
    if !output.status.success() {
        bail!("rustfmt refuses:\n{}\n{text}", String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).context("rustfmt printed no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_come_before_the_end() {
        let text = "fn go(a: u8) -> Result<()> {\n    one();\n    Ok(())\n}\n\nfn other() {}\n";
        let added = add_statements(text, "go", "    two();").unwrap();
        assert!(added.contains("one();\n    two();\nOk(())\n}"), "{added}");
        let added = add_statements(text, "other", "    two();").unwrap();
        assert!(added.ends_with("fn other() {\n    two();\n}\n"), "{added}");
        assert!(ends_with_ok(text, "go") && !ends_with_ok(text, "other"));
        assert!(has_function(text, "go", &["a"]) && !has_function(text, "go", &["b"]));
    }

    #[test]
    fn implementations_are_found_by_the_traits_name() {
        let text = "impl proto::Shop for Rpc { fn a() {} }\nimpl Shop for Fake {\n}\n\
                    impl Rpc {}\nimpl ShopFront for Rpc {}\n";
        let found = implementations(text, "Shop");
        let inside: Vec<_> = found.iter().map(|(start, end)| text[*start..*end].trim()).collect();
        assert_eq!(inside, ["fn a() {}", ""]);
    }

    #[test]
    fn names_are_those_of_the_file() {
        let text =
            "use treaty_error::{Code, Error};\nuse treaty_rpc::Context;\nuse p::a_v1 as a;\n";
        assert_eq!(name_in(text, "treaty_error::Error"), "Error");
        assert_eq!(name_in(text, "treaty_error::Result"), "treaty_error::Result");
        assert_eq!(name_in(text, "treaty_rpc::Context"), "Context");
        assert_eq!(alias(text, "p::a_v1"), Some("a"));
        assert_eq!(alias(text, "p::b_v1"), None);
    }

    #[test]
    fn dependencies_keep_their_order() {
        let text = "[dependencies]\na.workspace = true\n# Why.\nc.workspace = true\n\n[lints]\n";
        let added = dependency(text, "[dependencies]", "b.workspace = true").unwrap();
        assert!(added.contains("a.workspace = true\nb.workspace = true\n# Why.\n"), "{added}");
        let added = dependency(text, "[dependencies]", "d.workspace = true").unwrap();
        assert!(added.contains("c.workspace = true\nd.workspace = true\n\n[lints]"), "{added}");
        let same = dependency(text, "[dependencies]", "c = { workspace = true }").unwrap();
        assert_eq!(same, text);
    }

    #[test]
    fn modules_stand_together() {
        let text = "//! Text.\n\nmod a;\npub mod b;\n\npub use a::A;\n";
        assert!(module(text, "mod c;").contains("pub mod b;\nmod c;\n\npub use"));
        assert_eq!(module("//! Text.\n", "mod c;"), "//! Text.\n\nmod c;\n\n");
    }
}
