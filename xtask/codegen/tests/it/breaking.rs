//! Every rule about breaking changes: a change that breaks it, and one of the same kind that does
//! not.

mod cases;
mod validation;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use codegen::breaking::{self, Break, RULES};
use codegen::lower::Places;
use codegen::model::Model;
use tempfile::TempDir;

use crate::support;
use cases::{BREAKS, Change, FINE};

/// The contracts before the change.
fn before() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/breaking")
}

fn lowered(directory: &Path) -> (Model, Places) {
    let contracts = support::load(directory).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let model = codegen::lower::lower(&contracts).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    (model, Places::of(&contracts))
}

/// Applies edits to copies of the contracts; each must change something.
fn edited(edits: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    let package = "acme/shop/v1";
    fs::create_dir_all(directory.path().join(package)).unwrap();
    let mut texts: Vec<(PathBuf, String)> = fs::read_dir(before().join(package))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (directory.path().join(package).join(path.file_name().unwrap()), path))
        .map(|(to, from)| (to, fs::read_to_string(from).unwrap()))
        .collect();
    for (find, replace) in edits {
        let changed = texts.iter_mut().filter(|(_, text)| text.contains(find)).map(|(_, text)| {
            *text = text.replacen(find, replace, 1);
        });
        assert_eq!(changed.count(), 1, "`{find}` stands in one file");
    }
    for (path, text) in texts {
        fs::write(path, text).unwrap();
    }
    directory
}

fn breaks(change: &Change) -> (Vec<Break>, &'static Places, Places) {
    static BEFORE: OnceLock<(Model, Places)> = OnceLock::new();
    let (old, before) = BEFORE.get_or_init(|| lowered(&before()));
    let directory = match change {
        Change::Text(edits) => edited(edits),
        Change::Model(_) => edited(&[]),
    };
    let (mut new, places) = lowered(directory.path());
    if let Change::Model(change) = change {
        change(&mut new);
    }
    (breaking::compare(old, &new), before, places)
}

#[test]
fn each_change_breaks_its_rule_and_no_other() {
    let mut text = String::new();
    for (rule, what, change) in BREAKS {
        let (breaks, before, after) = breaks(change);
        let _ = writeln!(text, "# {what}");
        for found in &breaks {
            let (side, place) = breaking::place(&found.element, before, &after).unwrap();
            let file = place.file.rsplit('/').next().unwrap();
            let _ = writeln!(
                text,
                "{side:?} {file}:{}:{} {} {}: {}",
                place.line, place.column, found.rule.name, found.element, found.message
            );
        }
        let names: Vec<_> = breaks.iter().map(|found| found.rule.name).collect();
        assert_eq!(names, [*rule], "{what}");
        text.push('\n');
    }
    insta::with_settings!({omit_expression => true}, { insta::assert_snapshot!(text) });
}

#[test]
fn changes_of_the_same_kind_that_break_nobody_are_let_through() {
    for (rule, what, change) in FINE {
        let (breaks, _, _) = breaks(change);
        let found: Vec<_> =
            breaks.iter().map(|found| format!("{} {}", found.rule.name, found.message)).collect();
        assert!(found.is_empty(), "{what} ({rule}): {found:?}");
    }
}

#[test]
fn every_rule_is_tried_both_ways() {
    let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len(), "two rules share a name");
    for (kind, cases) in [("breaks", BREAKS), ("is fine", FINE)] {
        let tried: BTreeSet<_> = cases.iter().map(|(rule, _, _)| *rule).collect();
        let missing: Vec<_> = names.symmetric_difference(&tried).collect();
        assert!(missing.is_empty(), "no case that {kind}, or an unknown rule: {missing:?}");
    }
}

#[test]
fn elements_are_found_around_a_position() {
    let (_, places) = lowered(&before());
    let file = "acme/shop/v1/shop.proto";
    let at = |element: &str| places.nearest(element).unwrap().clone();
    let method = at("acme.shop.v1.Shop.GetOrder");
    let around = |line, column| places.around(file, line, column).unwrap().to_owned();
    assert_eq!(around(method.line, method.column), "acme.shop.v1.Shop.GetOrder");
    assert_eq!(around(method.line + 1, 5), "acme.shop.v1.Shop.GetOrder");
    let service = at("acme.shop.v1.Shop");
    assert_eq!(around(service.line, service.column), "acme.shop.v1.Shop");
    let field = at("acme.shop.v1.Order.buyer");
    assert_eq!(around(field.line, field.column), "acme.shop.v1.Order.buyer");
    assert_eq!(at("acme.shop.v1.Shop.Gone"), service);
    assert_eq!(places.around(file, 1, 1), None);
    assert!(places.nearest("deployable:gone").is_none());
}
