//! `cargo xtask new` on a copy of the workspace.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What of the workspace a copy needs; `xtask` and `e2e` because the manifest names them.
const PARTS: [&str; 15] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
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

const VERBS: [&[&str]; 7] = [
    &["service", "billing", "--rpc", "GetInvoice", "--http", "get /v1/invoices/{invoice_id}"],
    &[
        "rpc",
        "BillingService",
        "CancelInvoice",
        "--http",
        "post /v1/invoices/{invoice_id}/cancel",
        "--access",
        "callers",
    ],
    &["rpc", "AthletesService", "CountAthletes", "--access", "public"],
    &[
        "event",
        "InvoicePaid",
        "--stream",
        "athlete",
        "--publisher",
        "billing",
        "--handler",
        "consumer",
        "--handler",
        "billing",
    ],
    &["service", "mailer", "--handles", "AthleteSyncEnded"],
    &[
        "event",
        "InvoiceDue",
        "--stream",
        "invoice",
        "--package",
        "stravasync.billing.v1",
        "--publisher",
        "billing",
        "--handler",
        "mailer",
    ],
    &["workflow", "SendReminders", "--activity", "SendPage"],
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
    for check in ["rules", "lint"] {
        let (ok, _, err) = xtask(&root, &[check]);
        assert!(ok, "{check}: {err}");
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
    cargo(&[
        "fmt",
        "--check",
        "--package",
        "billing",
        "--package",
        "mailer",
        "--package",
        "worker",
    ]);
    let said = cargo(&["test", "--package", "billing", "--package", "mailer"]);
    assert!(!said.contains("warning: "), "{said}");
    for test in [
        "cancel_invoice::it_is_for_those_who_declare_that_they_call",
        "get_invoice::it_is_for_operators",
        "handlers::athlete_sync_ended::tests::an_event_is_set_aside_until_it_is_handled",
        "handlers::invoice_paid::tests::an_event_is_set_aside_until_it_is_handled",
        "http::a_call_reaches_the_handler",
        "process::it_lives_refuses_strangers_and_ends_well_when_told_to",
        "process::without_nats_it_lives_is_not_ready_and_ends_well",
    ] {
        assert!(said.contains(&format!("test {test} ... ok")), "{test}:\n{said}");
    }
    let said = cargo(&["test", "--package", "worker", "--lib"]);
    for test in [
        "activities::send_page::tests::it_fails_for_good_until_it_is_implemented",
        "workflows::send_reminders::tests::the_worker_runs_what_the_contract_declares",
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
        (&["service", "Billing"], "write it as `billing`"),
        (&["service", "mailer", "--handles", "Gone"], "there is no event `Gone`; there are: "),
        (
            &["service", "billing", "--http", "get /v1/athletes/{billing_id}"],
            "stravasync/billing/v1/billing.proto:13:5: route `GET /v1/athletes/{billing_id}` matches",
        ),
        (&["rpc", "GoneService", "GetThing"], "there is no service `GoneService`; there are: "),
        (&["rpc", "AthletesService", "GetAthlete"], "has an RPC GetAthlete already"),
        (&["rpc", "AthletesService", "count"], "write it as `Count`"),
        (&["rpc", "AthletesService", "CountThem", "--http", "fetch /v1/x"], "`fetch` is no verb"),
        (&["event", "Lost", "--stream", "gone"], "say with --package where to declare it"),
        (&["event", "Lost", "--stream", "athlete", "--handler", "api"], "by hand"),
        (&["event", "Lost", "--stream", "athlete", "--handler", "gone"], "there is no deployable"),
        (&["event", "SyncAthlete", "--stream", "athlete"], "SyncAthlete"),
        (&["workflow", "Sweep", "--activity", "Sweep"], "need two names"),
        (
            &["workflow", "DispatchSyncs", "--activity", "Sweep"],
            "services/worker/src/workflows/dispatch_syncs.rs",
        ),
    ] {
        let (ok, out, err) = xtask(root, &[&["new"], arguments].concat());
        assert!(!ok, "new {arguments:?}: {out}");
        assert!(err.contains(said), "new {arguments:?}: {err}");
        assert!(files(root, &PARTS) == before, "new {arguments:?} changed something");
    }
    let shown = new(root, &["--dry-run", "service", "billing"]);
    assert!(shown.contains("would create  services/billing/src/app.rs"), "{shown}");
    assert!(files(root, &PARTS) == before, "--dry-run changed something");
}
