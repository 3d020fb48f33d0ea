use std::process::Command;

use testbed::{Tool, Tools};

#[test]
fn buf_runs() {
    let buf = Tools::new().unwrap().ensure(Tool::Buf).unwrap();
    let output = Command::new(buf).arg("--version").output().unwrap();
    assert!(output.status.success());
}

#[test]
fn the_doctor_finds_what_was_ensured() {
    let tools = Tools::new().unwrap();
    let path = tools.ensure(Tool::Postgres).unwrap();
    let findings = tools.doctor();
    assert_eq!(findings.len(), Tool::ALL.len());
    let postgres = findings.iter().find(|finding| finding.tool == Tool::Postgres).unwrap();
    assert!(postgres.ok && postgres.path.as_ref() == Some(&path), "{postgres}");
}
