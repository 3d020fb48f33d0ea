//! `cargo xtask new` on a copy of the workspace.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What of the workspace a copy needs; `xtask` and `e2e` because the manifest names them.
const PARTS: [&str; 16] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "buf.gen.yaml",
    "buf.yaml",
    "clippy.toml",
    "contracts",
    "e2e",
    "gen",
    "migrations",
    "platform",
    "rustfmt.toml",
    "services",
    "sim",
    "tools",
    "xtask",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every file below some parts of a workspace.
fn files(root: &Path, parts: &[&str]) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut pending: Vec<_> = parts.iter().map(|part| root.join(part)).collect();
    while let Some(path) = pending.pop() {
        if path.ends_with("target") {
            continue; // What Cargo has built of a workspace inside of this one.
        }
        if path.is_dir() {
            pending.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() {
            let relative = path.strip_prefix(root).unwrap().to_path_buf();
            found.insert(relative, fs::read(path).unwrap());
        }
    }
    found
}

/// Makes a directory a copy of the workspace. What is the same already is not touched, so that
/// Cargo finds what it has built of it.
fn copy_into(target: &Path) {
    let wanted = files(&workspace(), &PARTS);
    for (path, _) in files(target, &PARTS) {
        if !wanted.contains_key(&path) {
            let path = target.join(path);
            fs::remove_file(&path).unwrap();
            // What Cargo would take for a crate without a manifest goes too.
            let mut folder = path.parent();
            while let Some(empty) = folder.filter(|folder| fs::remove_dir(folder).is_ok()) {
                folder = empty.parent();
            }
        }
    }
    for (path, bytes) in &wanted {
        let to = target.join(path);
        if fs::read(&to).is_ok_and(|present| present == *bytes) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
}

fn xtask(root: &Path, arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .env("TREATY_WORKSPACE", root)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// Runs a verb that must succeed.
fn new(root: &Path, arguments: &[&str]) -> String {
    let (ok, out, err) = xtask(root, &[&["new"], arguments].concat());
    assert!(ok, "new {arguments:?}: {err}");
    out
}

/// Names that nobody gives to what a workspace really has, so that it may grow.
const VERBS: [&[&str]; 7] = [
    &["service", "specimen", "--rpc", "GetSpecimen", "--http", "get /v1/specimens/{specimen_id}"],
    &[
        "rpc",
        "SpecimenService",
        "DiscardSpecimen",
        "--http",
        "post /v1/specimens/{specimen_id}/discard",
        "--access",
        "callers",
    ],
    &["rpc", "AthletesService", "CountSpecimens", "--access", "public"],
    &[
        "event",
        "SpecimenFound",
        "--stream",
        "athlete",
        "--publisher",
        "specimen",
        "--handler",
        "consumer",
        "--handler",
        "specimen",
    ],
    &["service", "specimen-mailer", "--handles", "AthleteSyncEnded"],
    &[
        "event",
        "SpecimenLost",
        "--stream",
        "specimen",
        "--package",
        "stravasync.specimen.v1",
        "--publisher",
        "specimen",
        "--handler",
        "specimen-mailer",
    ],
    &["workflow", "CollectSpecimens", "--activity", "WeighSpecimen"],
];

/// A crate that no contract knows.
const LEDGER: &str = "[package]\nname = \"ledger\"\nedition.workspace = true\n";

/// Every verb, on a workspace that stays: Cargo builds of it what is new.
#[test]
fn what_is_written_passes_every_check_and_its_own_tests() {
    let binary = std::env::current_exe().unwrap();
    let target = binary.ancestors().nth(3).unwrap();
    let root = target.join("scaffold");
    copy_into(&root);
    let mut said = String::new();
    for arguments in VERBS {
        said += &format!("$ cargo xtask new {}\n{}\n", arguments.join(" "), new(&root, arguments));
    }
    insta::with_settings!({omit_expression => true}, { insta::assert_snapshot!("said", said); });
    for check in [&["rules"][..], &["lint"], &["codegen", "--check"], &["clients", "--check"]] {
        let (ok, _, err) = xtask(&root, check);
        assert!(ok, "{check:?}: {err}");
    }
    let cargo = |arguments: &[&str]| {
        let output = stack::cargo()
            .args(arguments)
            .current_dir(&root)
            .env("CARGO_TARGET_DIR", target)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "cargo {arguments:?}: {said}");
        said + &String::from_utf8_lossy(&output.stdout)
    };
    let of = |packages: [&'static str; 4]| packages.map(|name| ["--package", name]).concat();
    let touched = of(["specimen", "specimen-mailer", "consumer", "worker"]);
    cargo(&[&["fmt", "--check"], &*touched].concat());
    let lint = ["clippy", "--quiet", "--all-targets"];
    cargo(&[&lint, &*touched, &["--", "--deny", "warnings"]].concat());
    let said = cargo(&["test", "--package", "specimen", "--package", "specimen-mailer"]);
    for test in [
        "discard_specimen::it_is_for_those_who_declare_that_they_call",
        "get_specimen::it_is_for_operators",
        "handlers::athlete_sync_ended::tests::an_event_is_set_aside_until_it_is_handled",
        "handlers::specimen_found::tests::an_event_is_set_aside_until_it_is_handled",
        "http::a_call_reaches_the_handler",
        "process::it_lives_refuses_strangers_and_ends_well_when_told_to",
        "process::without_nats_it_lives_is_not_ready_and_ends_well",
    ] {
        assert!(said.contains(&format!("test {test} ... ok")), "{test}:\n{said}");
    }
    let said = cargo(&["test", "--package", "worker", "--lib"]);
    for test in [
        "activities::weigh_specimen::tests::it_fails_for_good_until_it_is_implemented",
        "workflows::collect_specimens::tests::the_worker_runs_what_the_contract_declares",
    ] {
        assert!(said.contains(&format!("test {test} ... ok")), "{test}:\n{said}");
    }
}

#[test]
fn what_cannot_be_added_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    copy_into(root);
    fs::create_dir_all(root.join("services/ledger/src")).unwrap();
    fs::write(root.join("services/ledger/Cargo.toml"), LEDGER).unwrap();
    fs::write(root.join("services/ledger/src/lib.rs"), "//! Somebody's beginning.\n").unwrap();
    // Cargo notes the new crate in the lock file when it is first asked.
    let noted = stack::cargo()
        .args(["metadata", "--format-version", "1", "--offline"])
        .current_dir(root)
        .output();
    assert!(noted.unwrap().status.success());
    let before = files(root, &PARTS);
    for (arguments, said) in [
        (&["service", "worker"][..], "there is a deployable `worker` already"),
        (&["service", "ledger"], "services/ledger is there already"),
        (&["service", "Specimen"], "write it as `specimen`"),
        (&["service", "fn"], "Rust keeps for itself"),
        (&["service", "tokio"], "the name of a crate"),
        (
            &["service", "athletes"],
            "contracts/stravasync/athletes/v1/athletes.proto is there already",
        ),
        (
            &["service", "specimen-mailer", "--handles", "Gone"],
            "there is no event `Gone`; there are: ",
        ),
        (
            &["service", "specimen", "--http", "get /v1/athletes/{specimen_id}"],
            "stravasync/specimen/v1/specimen.proto:13:5: route `GET /v1/athletes/{specimen_id}` matches",
        ),
        (&["rpc", "GoneService", "GetThing"], "there is no service `GoneService`; there are: "),
        (&["rpc", "AthletesService", "GetAthlete"], "has an RPC GetAthlete already"),
        (&["rpc", "AthletesService", "count"], "write it as `Count`"),
        (&["rpc", "AthletesService", "Type"], "`type` in Rust"),
        (&["rpc", "AthletesService", "CountThem", "--http", "get /v1/{x.y}"], "each names one"),
        (&["rpc", "AthletesService", "CountThem", "--http", "fetch /v1/x"], "`fetch` is no verb"),
        (&["event", "Lost", "--stream", "gone"], "say with --package where to declare it"),
        (&["event", "Lost", "--stream", "athlete", "--handler", "api"], "by hand"),
        (&["event", "Lost", "--stream", "athlete", "--handler", "gone"], "there is no deployable"),
        (&["event", "Lost", "--stream", "athlete", "--handler", "worker"], "by hand"),
        (
            &["event", "Lost", "--stream", "athlete", "--publisher", "gone"],
            "there is no deployable",
        ),
        (&["event", "Lost", "--stream", "athlete", "--key", "Bad Key"], "write it as `bad_key`"),
        (&["event", "Lost", "--stream", "athlete", "--key", "request_id"], "choose another key"),
        (
            &["event", "Lost", "--stream", "athlete", "--publisher", "api", "--publisher", "api"],
            "`api` is named twice",
        ),
        (&["event", "Error", "--stream", "athlete"], "calls something else"),
        (&["event", "SyncAthlete", "--stream", "athlete"], "SyncAthlete already"),
        (&["workflow", "Sweep", "--activity", "Sweep"], "need two names"),
        (
            &["workflow", "DispatchSyncs", "--activity", "Sweep"],
            "stravasync.sync.v1.DispatchSyncsRequest already",
        ),
    ] {
        let (ok, out, err) = xtask(root, &[&["new"], arguments].concat());
        assert!(!ok, "new {arguments:?}: {out}");
        assert!(err.contains(said), "new {arguments:?}: {err}");
        assert!(files(root, &PARTS) == before, "new {arguments:?} changed something");
    }
    let shown = new(root, &["--dry-run", "service", "specimen"]);
    assert!(shown.contains("would create  services/specimen/src/app.rs"), "{shown}");
    assert!(files(root, &PARTS) == before, "--dry-run changed something");
}
