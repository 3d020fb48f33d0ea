//! Adding to contracts. What is added is put where it belongs; `buf format` lays it out.

use anyhow::{Context as _, Result};

use super::scan::{closing, words};

/// The option by which a file declares a deployable.
const DEPLOYABLE: &str = "option (treaty.v1.deployable) =";

/// Adds an import unless it is there.
pub(super) fn import(text: &str, file: &str) -> String {
    let line = format!("import \"{file}\";");
    if text.contains(&line) {
        return text.to_owned();
    }
    let anchor = text.rfind("\nimport ").or_else(|| text.find("\npackage "));
    let at = anchor.and_then(|at| text[at + 1..].find('\n').map(|end| at + 1 + end + 1));
    let at = at.unwrap_or(text.len());
    let gap = if text.contains("\nimport ") { "" } else { "\n" };
    format!("{}{gap}{line}\n{}", &text[..at], &text[at..])
}

/// Adds an option of the file, below its imports.
pub(super) fn option(text: &str, option: &str) -> String {
    let anchor = text.rfind("\nimport ").or_else(|| text.find("\npackage "));
    let at = anchor.and_then(|at| text[at + 1..].find('\n').map(|end| at + 1 + end + 1));
    let at = at.unwrap_or(text.len());
    format!("{}\n{option}{}", &text[..at], &text[at..])
}

/// Adds definitions at the end.
pub(super) fn append(text: &str, definitions: &str) -> String {
    format!("{}\n\n{}", text.trim_end(), definitions.trim_start())
}

/// Adds an RPC at the end of a service.
pub(super) fn add_rpc(text: &str, service: &str, rpc: &str) -> Result<String> {
    let header = format!("service {service}");
    let (_, end) = block(text, &header)?;
    Ok(format!("{}\n{}{}", text[..end].trim_end_matches(' '), rpc, &text[end..]))
}

/// Adds a name to one of the lists of a deployable.
pub(super) fn add_to_list(text: &str, list: &str, name: &str) -> Result<String> {
    let (start, end) = block(text, DEPLOYABLE)?;
    let inside = &text[start..end];
    let key = words(inside, list).into_iter().find(|at| depth(&inside[..*at]) == 0);
    let open = key.and_then(|at| {
        let colon = at + list.len();
        let value = inside[colon..].trim_start_matches([':', ' ', '\n']);
        value.starts_with('[').then(|| start + inside.len() - value.len())
    });
    match open {
        Some(open) => {
            let close = closing(text, open).context("a list of the deployable never closes")?;
            let comma = if text[open + 1..close].trim().is_empty() { "" } else { ", " };
            let kept = text[..close].trim_end();
            Ok(format!("{kept}{comma}\"{name}\"{}", &text[close..]))
        }
        None => add_to_deployable(text, &format!("  {list}: [\"{name}\"]\n")),
    }
}

/// Adds entries at the end of a deployable.
pub(super) fn add_to_deployable(text: &str, entries: &str) -> Result<String> {
    let (_, end) = block(text, DEPLOYABLE)?;
    Ok(format!("{}{}{}", &text[..end], entries, &text[end..]))
}

/// Where the inside of the block begins and ends that follows a header.
fn block(text: &str, header: &str) -> Result<(usize, usize)> {
    let missing = || format!("`{header}` with its block is not in the contract");
    let at = words(text, header).into_iter().next().with_context(missing)?;
    let open = text[at..].find('{').map(|open| at + open).with_context(missing)?;
    let close = closing(text, open).with_context(missing)?;
    Ok((open + 1, close))
}

/// How many braces are open at the end of a text.
fn depth(text: &str) -> i32 {
    text.bytes().map(|byte| i32::from(byte == b'{') - i32::from(byte == b'}')).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "syntax = \"proto3\";\n\npackage a.v1;\n\nimport \"b.proto\";\n\n\
        // Says service A { in a comment.\nservice A {\n  rpc B(C) returns (D);\n}\n";

    const SHOP: &str = "option (treaty.v1.deployable) = {\n  name: \"shop\"\n  \
        handles: {publishes: 1}\n  serves: [\n    \"a.A\"\n  ]\n};\n";

    #[test]
    fn imports_follow_those_that_are_there() {
        let text = import(FILE, "c.proto");
        assert!(text.contains("import \"b.proto\";\nimport \"c.proto\";\n"), "{text}");
        assert_eq!(import(&text, "c.proto"), text);
        let text = import("syntax = \"proto3\";\n\npackage a.v1;\n", "c.proto");
        assert!(text.ends_with("package a.v1;\n\nimport \"c.proto\";\n"), "{text}");
    }

    #[test]
    fn rpcs_come_last_in_their_service() {
        let text = add_rpc(FILE, "A", "  rpc E(F) returns (G);\n").unwrap();
        assert!(text.ends_with("returns (D);\n\n  rpc E(F) returns (G);\n}\n"), "{text}");
        assert!(add_rpc(FILE, "Other", "").is_err());
    }

    #[test]
    fn lists_grow_and_begin() {
        let text = add_to_list(SHOP, "serves", "a.B").unwrap();
        assert!(text.contains("\"a.A\", \"a.B\"]"), "{text}");
        let text = add_to_list(SHOP, "publishes", "a.E").unwrap();
        assert!(text.contains("]\n  publishes: [\"a.E\"]\n}"), "{text}");
        let empty = SHOP.replace("\n    \"a.A\"\n  ", "");
        assert!(add_to_list(&empty, "serves", "a.B").unwrap().contains("serves: [\"a.B\"]"));
        assert!(add_to_list(FILE, "serves", "a.B").is_err());
    }
}
