//! Where lines of JSON's code break: just where the formatter of the other files breaks
//! them. What fits on a line and the usual longer shapes are laid out here; the formatter is
//! asked about the rest, one statement at a time.

use std::fmt::Write as _;

/// Columns of a line of the formatter.
const WIDTH: usize = 89;

/// What stands behind a piece of code may or may not have to fit on its line too: the
/// formatter decides on lengths this close to the limit.
const UNSURE: usize = 2;

fn fits(indent: usize, line: &str) -> bool {
    indent + line.len() <= WIDTH
}

/// Whether a line is so long that it is broken in any case.
fn breaks(indent: usize, line: &str) -> bool {
    indent + line.len() > WIDTH + UNSURE
}

/// A statement of a function that is inside of an `impl` or of an `if`.
pub(super) fn statement(text: &mut String, code: &str) {
    if fits(8, code) {
        let _ = writeln!(text, "        {code}");
    } else {
        text.push_str(&formatted(&format!("fn function() {{ {code} }}"), 2, 2));
    }
}

/// A statement that matches what an option holds, by patterns and bodies.
pub(super) fn variants(
    text: &mut String,
    head: &str,
    arms: impl Iterator<Item = (String, String)>,
) {
    if fits(8, head) {
        let _ = writeln!(text, "        {head}");
        for (pattern, body) in arms {
            arm(text, &pattern, &body);
        }
        text.push_str("            None => {}\n        }\n");
    } else {
        let arms: String = arms.map(|(pattern, body)| format!("{pattern} => {body},")).collect();
        let code = format!("{head} {arms} None => {{}} }}");
        text.push_str(&formatted(&format!("fn function() {{ {code} }}"), 2, 2));
    }
}

/// An arm of a `match` in such a function.
pub(super) fn arm(text: &mut String, pattern: &str, body: &str) {
    let code = format!("{pattern} => {body},");
    if fits(12, &code) {
        let _ = writeln!(text, "            {code}");
    } else if breaks(12, &code) && fits(12 + " => {".len(), pattern) && fits(16, body) {
        let _ =
            writeln!(text, "            {pattern} => {{\n                {body}\n            }}");
    } else {
        formatted_arm(text, &code);
    }
}

/// An arm that calls a function with a member and a path, which never breaks.
pub(super) fn call_arm(text: &mut String, pattern: &str, call: &str, member: &str, path: &str) {
    let body = format!("{call}({member}, {path})");
    if !breaks(16, &body) || !fits(20 + UNSURE, member) {
        return arm(text, pattern, &body);
    }
    let _ = write!(
        text,
        "            {pattern} => {{\n                {call}(\n                    {member},\n\
         \x20                   {path},\n                )\n            }}\n"
    );
}

/// An arm that gives the message in a variant of a oneof, and makes it one first.
pub(super) fn variant_arm(text: &mut String, pattern: &str, member: &str, variant: &str) {
    let make = format!("|| {variant}(Default::default())");
    let head = format!("match self.{member}.get_or_insert_with({make}) {{");
    let take = format!("{variant}(value) => Some(value),");
    if fits(16, &head) && fits(20, &take) {
        let _ = write!(
            text,
            "            {pattern} => {{\n                {head}\n                    {take}\n\
             {0}#[allow(unreachable_patterns)]\n{0}_ => None,\n                }}\n\
             \x20           }}\n",
            "                    "
        );
    } else {
        let rest = "#[allow(unreachable_patterns)] _ => None, }";
        formatted_arm(text, &format!("{pattern} => {head} {take} {rest},"));
    }
}

/// The statement that registers a message.
pub(super) fn registration(text: &mut String, path: &str, full_name: &str) {
    let call = format!(".add::<{path}>({full_name});");
    let end = format!(">({full_name});");
    if breaks(16, &call) && breaks(12, &call) && fits(12, &end) {
        let _ = writeln!(
            text,
            "        registry\n            .add::<\n                {path},\n            {end}"
        );
    } else if breaks(16, &call) && fits(12, &call) {
        let _ = writeln!(text, "        registry\n            {call}");
    } else {
        statement(text, &format!("registry{call}"));
    }
}

/// A member of a constant, or an argument of the function that makes it, that is a list: all
/// on a line or each item on its own.
pub(super) fn list(text: &mut String, member: &str, items: &[String]) {
    let code = format!("{member}&[{}]", items.join(", "));
    // The comma behind it may stand out.
    if fits(8, &code) {
        let _ = writeln!(text, "        {code},");
    } else if items.iter().all(|item| fits(12 + UNSURE, item)) {
        let _ = writeln!(text, "        {member}&[");
        for item in items {
            let _ = writeln!(text, "            {item},");
        }
        text.push_str("        ],\n");
    } else {
        let (open, close) = if member.is_empty() { ('(', ')') } else { ('{', '}') };
        let value = format!("&Schema {open} name, {code} {close}");
        text.push_str(&formatted(&format!("const SCHEMA: &'static Schema = {value};"), 3, 2));
    }
}

/// A constant that is made by a function of a name and a list.
pub(super) fn schema(text: &mut String, call: &str, name: &str, items: &[String]) {
    let code = format!("{call}{name}, &[{}]);", items.join(", "));
    if fits(0, &code) {
        let _ = writeln!(text, "{code}");
        return;
    }
    let _ = writeln!(text, "{call}\n        {name},");
    list(text, "", items);
    text.push_str("    );\n");
}

/// The head of an implementation, with a blank line before it.
pub(super) fn implementation(text: &mut String, name: &str, path: &str) {
    let code = format!("impl {name} for {path} {{");
    let space = if fits(0, &code) { ' ' } else { '\n' };
    let _ = write!(text, "\nimpl {name}{space}for {path} {{\n");
}

fn formatted_arm(text: &mut String, code: &str) {
    text.push_str(&formatted(&format!("fn function() {{ match index {{ {code} }} }}"), 3, 3));
}

/// Has the formatter lay out what stands inside of an `impl`, and leaves out so many lines
/// before and after the part that is wanted.
///
/// # Panics
/// When the code is no Rust, which is a mistake of the emitter that its snapshot test would
/// show.
#[allow(clippy::expect_used, reason = "an emitter that writes no Rust is a bug found by its test")]
fn formatted(code: &str, before: usize, after: usize) -> String {
    let item = format!("impl Message {{ {code} }}");
    let parsed = syn::parse_str(&item).expect("emitters write Rust");
    let text = prettyplease::unparse(&parsed);
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    lines.get(before..lines.len() - after).unwrap_or_default().concat()
}
