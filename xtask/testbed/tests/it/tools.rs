use std::process::Command;

use testbed::{Tool, Tools};

#[test]
fn buf_runs() {
    let buf = Tools::new().unwrap().ensure(Tool::Buf).unwrap();
    let output = Command::new(buf).arg("--version").output().unwrap();
    assert!(output.status.success());
}

/// Each plugin of `cargo xtask clients` is there in the version that its pin says.
#[test]
fn plugins_tell_the_pinned_version() {
    let tools = Tools::new().unwrap();
    for tool in [Tool::ProtocGenEs, Tool::ProtocGenGo, Tool::ProtocGenGoGrpc, Tool::ProtocGenGrpcio]
    {
        let output = Command::new(tools.ensure(tool).unwrap()).arg("--version").output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let findings = tools.doctor();
        let finding = findings.iter().find(|finding| finding.tool == tool).unwrap();
        let version = finding.version.unwrap().to_string();
        assert!(output.status.success() && told.contains(&version), "{tool}: {told} {finding}");
    }
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
