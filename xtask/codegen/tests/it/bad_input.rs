//! Contracts with a mistake: each is told with its place and advice, and nothing is written.

/// Compares with the reviewed snapshot. The expression would only repeat the test.
macro_rules! review {
    ($said:expr) => {
        insta::with_settings!({omit_expression => true}, {
            insta::assert_snapshot!($said);
        })
    };
}

mod names;
mod routes;
mod semantics;
mod syntax;
mod traffic;
mod validation;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use codegen::Diagnostics;
use tempfile::TempDir;

use crate::support::{generate, load};

/// The first ten lines of a contract; the eleventh is blank, so that positions are easy to count.
const HEAD: &str = r#"syntax = "proto3";

package acme.shop.v1;

import "google/api/annotations.proto";
import "google/protobuf/empty.proto";
import "treaty/v1/deployable.proto";
import "treaty/v1/event.proto";
import "treaty/v1/method.proto";
import "treaty/v1/workflow.proto";

"#;

/// An RPC that nothing is wrong with, for services that need one.
const FINE: &str = "rpc Fine(google.protobuf.Empty) returns (google.protobuf.Empty) {\n    \
                    option (treaty.v1.method) = {access: [ACCESS_PUBLIC]};\n  }";

/// A contract with the usual head.
fn contract(body: &str) -> Vec<(&'static str, String)> {
    vec![("acme/shop/v1/shop.proto", format!("{HEAD}{}", body.replace("FINE", FINE)))]
}

/// What is said about contracts, given as paths and texts.
fn mistakes(files: &[(&str, String)]) -> String {
    let directory = TempDir::new().unwrap();
    let (contracts, output) = (directory.path().join("contracts"), directory.path().join("gen"));
    for (path, text) in files {
        let path = contracts.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir(&output).unwrap();
    fs::write(output.join("earlier"), "output").unwrap();
    let said = match run(&contracts, &output) {
        Ok(()) => "nothing is wrong".to_owned(),
        Err(mistakes) => mistakes.to_string(),
    };
    let left: Vec<_> = fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [output.join("earlier")], "the output was touched");
    assert_eq!(fs::read(&left[0]).unwrap(), b"output");
    said.replace(&directory.path().display().to_string(), "")
}

/// The whole road, as the command walks it.
fn run(contracts: &Path, output: &Path) -> Result<(), Diagnostics> {
    let files = generate(&load(contracts)?)?;
    codegen::write::write(output, &files).unwrap();
    Ok(())
}

/// A table of contracts and what is said about each.
fn table<'a>(cases: impl IntoIterator<Item = (&'a str, Vec<(&'static str, String)>)>) -> String {
    let mut text = String::new();
    for (name, files) in cases {
        let _ = write!(text, "# {name}\n{}\n\n", mistakes(&files));
    }
    text
}

/// A table of contracts with the usual head.
fn bodies(cases: &[(&str, &str)]) -> String {
    table(cases.iter().map(|(name, body)| (*name, contract(body))))
}
