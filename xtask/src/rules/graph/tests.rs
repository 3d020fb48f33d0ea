//! Made-up workspaces, each of which breaks one rule or none.

use serde_json::json;

use super::*;

/// A crate that depends on one other: a folder with `/` is a member of the workspace.
fn depends(folder: &str, on: &str, dev: bool) -> Vec<Member> {
    let last = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let member = on.contains('/') || ["e2e", "bench", "xtask"].contains(&on);
    let dependency = Dependency { name: last(on), folder: member.then(|| on.to_owned()), dev };
    vec![Member { name: last(folder), folder: folder.into(), dependencies: vec![dependency] }]
}

#[test]
fn each_rule_is_enforced() {
    let cases = [
        ("platform/treaty-nats", "gen/packages/a-v1", "platform is below"),
        ("platform/treaty-nats", "services/api", "platform is below"),
        ("gen/ports/api-port", "services/api", "generated code stands on"),
        ("gen/packages/a-v1", "xtask/testbed", "generated code stands on"),
        ("services/api", "services/worker", "its own port"),
        ("services/api", "gen/ports/worker-port", "its own port"),
        ("services/api", "gen/packages/a-v1", "its own port"),
        ("services/consumer", "gen/ports/api-port", "its own port"),
        ("services/consumer", "gen/schema/a-schema", "its own port"),
        ("services/consumer", "sim/strava", "its own port"),
        ("services/consumer", "xtask/testbed", "its own port"),
        ("services/apis", "gen/ports/api-port", "its own port"),
        ("sim/strava", "platform/treaty-error", "a stranger"),
        ("sim/strava", "gen/packages/a-v1", "a stranger"),
        ("xtask", "gen/ports/api-port", "the workshop"),
        ("xtask/stack", "sim/strava", "the workshop"),
        ("xtask", "e2e", "the workshop"),
        ("e2e", "services/api", "whole-system tests"),
        ("services/consumer", "sqlx", "owns the database"),
        ("platform/treaty-service", "sqlx", "owns the database"),
        ("gen/packages/a-v1", "sqlx-core", "owns the database"),
        ("services/worker", "async-nats", "through their port"),
        ("gen/packages/a-v1", "async-nats", "through their port"),
        ("services/api", "tonic", "only adapters"),
        ("services/api", "tonic-health", "only adapters"),
        ("gen/ports/api-port", "tonic", "only adapters"),
        ("platform/treaty-http", "tonic", "only adapters"),
        ("services/api", "temporalio-client", "run in the worker"),
        ("gen/packages/a-v1", "temporalio-sdk", "run in the worker"),
        ("services/api", "vaultrs", "whichever store"),
        ("tools/new", "serde", "no rule covers"),
    ];
    for (folder, on, reason) in cases {
        let found = violations(&depends(folder, on, false));
        assert_eq!(found.len(), 1, "{folder} on {on}: {found:?}");
        assert!(found[0].contains(reason), "{folder} on {on}: {found:?}");
    }
}

#[test]
fn tests_are_bound_too() {
    let cases = [
        ("platform/treaty-nats", "gen/packages/a-v1"),
        ("services/api", "services/worker"),
        ("services/api", "gen/ports/worker-port"),
        ("services/api", "tonic"),
        ("services/worker", "sqlx"),
        ("services/worker", "e2e"),
        ("gen/ports/api-port", "sim/strava"),
        ("xtask", "bench"),
        ("e2e", "services/api"),
    ];
    for (folder, on) in cases {
        let found = violations(&depends(folder, on, true));
        assert_eq!(found.len(), 1, "{folder} on {on}: {found:?}");
    }
}

#[test]
fn what_the_design_allows_passes() {
    let cases = [
        ("platform/treaty-http", "platform/treaty-rpc", false),
        ("platform/treaty-nats", "xtask/testbed", true),
        ("platform/treaty-nats", "async-nats", false),
        ("platform/treaty-rpc", "tonic-health", false),
        ("gen/packages/a-v1", "tonic-prost", false),
        ("gen/ports/api-port", "gen/packages/a-v1", false),
        ("gen/schema/a-schema", "sqlx", false),
        ("services/api", "gen/ports/api-port", false),
        ("services/api", "gen/schema/a-schema", false),
        ("services/api", "sqlx", false),
        ("services/api", "sim/strava", true),
        ("services/worker", "gen/ports/worker-port", false),
        ("services/worker", "temporalio-workflow", false),
        ("services/worker", "xtask/testbed", true),
        ("xtask", "xtask/codegen", false),
        ("xtask/codegen", "tonic-build", false),
        ("e2e", "xtask/stack", true),
        ("e2e", "sqlx", true),
        ("bench", "services/api", false),
        ("bench", "tonic", false),
        ("services/consumer", "toniclike", false),
    ];
    for (folder, on, dev) in cases {
        assert_eq!(violations(&depends(folder, on, dev)), Vec::<String>::new(), "{folder} on {on}");
    }
}

#[test]
fn what_a_service_is_built_of_is_judged_too() {
    let built = |folder: &str, name: &str| {
        reached(folder, &BTreeSet::from(["serde".to_owned(), name.to_owned()]))
    };
    for (folder, name) in [
        ("services/consumer", "sqlx"),
        ("services/worker", "sqlx-postgres"),
        ("services/api", "temporalio-sdk"),
        ("services/consumer", "temporalio-client"),
        ("services/api", "strava"),
        ("services/worker", "testbed"),
    ] {
        let found = built(folder, name);
        assert_eq!(found.len(), 1, "{folder} of {name}: {found:?}");
        assert!(found[0].starts_with(&format!("{folder} is built of {name}: ")), "{found:?}");
    }
    for (folder, name) in [
        ("services/api", "sqlx-core"),
        ("services/api", "tonic"),
        ("services/consumer", "async-nats"),
        ("services/worker", "temporalio-sdk"),
    ] {
        assert_eq!(built(folder, name), Vec::<String>::new(), "{folder} of {name}");
    }
}

#[test]
fn the_workspace_is_read_from_what_cargo_says() {
    let metadata = json!({
        "workspace_root": "/w",
        "packages": [
            {
                "name": "api",
                "source": null,
                "manifest_path": "/w/services/api/Cargo.toml",
                "dependencies": [
                    {"name": "worker", "path": "/w/services/worker", "kind": null},
                    {"name": "tonic", "kind": "dev"},
                    {"name": "serde", "kind": null},
                ],
            },
            {
                "name": "serde",
                "source": "registry",
                "manifest_path": "/registry/serde/Cargo.toml",
                "dependencies": [{"name": "tonic", "kind": null}],
            },
        ],
    });
    let found = violations(&members(&metadata));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("services/api depends on worker: "), "{found:?}");
    assert!(found[1].starts_with("services/api depends on tonic: "), "{found:?}");
}
