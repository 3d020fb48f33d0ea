//! All rules.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use codegen::breaking::RULES;
use serde_json::json;

use super::buf;
use super::report::Format;

/// Every rule with what it finds, ours first.
pub(super) fn list(buf: &Path, format: Format) -> Result<String> {
    let foreign = buf::rules(buf)?;
    if format == Format::Json {
        let ours = RULES.iter().map(|rule| {
            json!({
                "rule": rule.name, "category": rule.category.to_string(), "finds": rule.finds,
                "breaks": rule.breaks, "safely": rule.safely,
            })
        });
        let theirs = foreign
            .iter()
            .map(|rule| json!({"rule": rule.name, "category": "WIRE_JSON", "finds": rule.purpose}));
        let all: Vec<_> = ours.chain(theirs).collect();
        return Ok(format!("{:#}\n", json!(all)));
    }
    let mut text = String::new();
    for rule in RULES {
        let _ = writeln!(text, "{:<44}{:<12}{}", rule.name, rule.category.to_string(), rule.finds);
    }
    for rule in foreign {
        let _ = writeln!(text, "{:<44}{:<12}{}", rule.name, "WIRE_JSON", rule.purpose);
    }
    Ok(text)
}
