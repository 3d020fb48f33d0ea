//! Rules about dependencies.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// A crate of the workspace.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Name of the crate.
    pub(super) name: String,
    /// Its folder, for example `services/api`.
    pub(super) folder: String,
    /// What its manifest names.
    dependencies: Vec<Dependency>,
}

/// A dependency that a manifest names.
#[derive(Clone, Debug)]
struct Dependency {
    name: String,
    /// Its folder, when it is a member too.
    folder: Option<String>,
    /// Whether only tests need it.
    dev: bool,
}

/// What the crates of one folder may depend on in the workspace.
struct Layer {
    folder: &'static str,
    /// Folders that it may depend on.
    allowed: &'static [&'static str],
    /// Further folders that its tests may depend on.
    in_tests: &'static [&'static str],
    reason: &'static str,
}

/// `{name}` stands for the name of the crate that depends. A folder that is not
/// listed has no place in the design.
const LAYERS: [Layer; 9] = [
    Layer {
        folder: "platform/",
        allowed: &["platform/"],
        in_tests: &["xtask/testbed"],
        reason: "platform is below everything else, generated code included",
    },
    Layer {
        folder: "gen/",
        allowed: &["platform/", "gen/"],
        in_tests: &[],
        reason: "generated code stands on platform and generated code alone",
    },
    Layer {
        folder: "services/api",
        allowed: &["platform/", "gen/ports/api-port", "gen/schema/"],
        in_tests: &["sim/", "xtask/testbed", "xtask/stack"],
        reason: "a service reaches others through its own port: declare the traffic in a contract",
    },
    Layer {
        folder: "services/",
        allowed: &["platform/", "gen/ports/{name}-port"],
        in_tests: &["sim/", "xtask/testbed", "xtask/stack"],
        reason: "a service reaches others through its own port: declare the traffic in a contract",
    },
    Layer {
        folder: "sim/",
        allowed: &[],
        in_tests: &["xtask/testbed"],
        reason: "a simulator stands for a stranger, who knows nothing of Treaty",
    },
    Layer {
        folder: "xtask",
        allowed: &["xtask/"],
        in_tests: &[],
        reason: "the workshop must build when everything that it generates is broken",
    },
    Layer {
        folder: "e2e/",
        allowed: &["platform/", "xtask/codegen"],
        in_tests: &[],
        reason: "generated code is tested as it is generated, on the platform alone",
    },
    Layer {
        folder: "e2e",
        allowed: &[],
        in_tests: &["platform/", "gen/", "sim/", "xtask/testbed", "xtask/stack"],
        reason: "whole-system tests run the services as processes, as a cluster does",
    },
    Layer {
        folder: "bench",
        allowed: &["platform/", "gen/", "services/", "sim/", "xtask/testbed", "xtask/stack"],
        in_tests: &[],
        reason: "benchmarks measure the platform and the services",
    },
];

/// Who may know a library, and why nobody else.
struct Library {
    /// Its name, or the beginning of the names of a family.
    name: &'static str,
    allowed: &'static [&'static str],
    in_tests: &'static [&'static str],
    /// The services that may be built of it.
    services: &'static [&'static str],
    reason: &'static str,
}

const LIBRARIES: [Library; 5] = [
    Library {
        name: "sqlx",
        allowed: &["services/api", "gen/schema/"],
        in_tests: &["xtask/testbed", "xtask/stack", "e2e", "bench"],
        services: &["services/api"],
        reason: "the api alone owns the database: others ask it by gRPC",
    },
    Library {
        name: "async-nats",
        allowed: &["platform/treaty-nats", "platform/treaty-topology"],
        in_tests: &["e2e", "bench"],
        services: &["services/"],
        reason: "services publish and handle through their port, under treaty-nats's guarantees",
    },
    Library {
        name: "tonic",
        allowed: &["platform/treaty-rpc", "gen/packages/"],
        in_tests: &["e2e", "bench"],
        services: &["services/"],
        reason: "only adapters may know the gRPC library, which has a successor",
    },
    Library {
        name: "temporalio-",
        allowed: &["platform/treaty-temporal", "services/worker"],
        in_tests: &["e2e", "bench"],
        services: &["services/worker"],
        reason: "workflows run in the worker; others start them through their port",
    },
    Library {
        name: "vaultrs",
        allowed: &["platform/treaty-secrets"],
        in_tests: &[],
        services: &["services/api"],
        reason: "the api alone keeps secrets, in whichever store its configuration names",
    },
];

/// Writes code from contracts and is part of no program.
const BUILD_TOOL: &str = "tonic-build";

/// Crates that no service is ever built of.
const NEVER_SHIPPED: [&str; 4] = ["codegen", "stack", "strava", "testbed"];

/// The workspace as Cargo knows it.
pub(super) fn members(metadata: &Value) -> Vec<Member> {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let below = |path: &Path| Some(path.strip_prefix(root).ok()?.to_string_lossy().into_owned());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages = list(&metadata["packages"]).into_iter();
    packages
        .filter(|package| package["source"].is_null())
        .filter_map(|package| {
            let dependencies = list(&package["dependencies"]).into_iter();
            Some(Member {
                name: text(&package["name"]),
                folder: below(Path::new(package["manifest_path"].as_str()?).parent()?)?,
                dependencies: dependencies
                    .map(|dependency| Dependency {
                        name: text(&dependency["name"]),
                        folder: dependency["path"].as_str().and_then(|path| below(Path::new(path))),
                        dev: dependency["kind"] == "dev",
                    })
                    .collect(),
            })
        })
        .collect()
}

/// What the manifests name against the rules.
pub(super) fn violations(members: &[Member]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        let Some(layer) = LAYERS.iter().find(|layer| lies_in(&member.folder, layer.folder)) else {
            let place = "give the crate a place in ARCHITECTURE.md and in these rules";
            found.push(format!("{}: no rule covers this folder: {place}", member.folder));
            continue;
        };
        for dependency in &member.dependencies {
            let reason = member_rule(layer, &member.name, dependency)
                .or_else(|| library_rule(&member.folder, dependency));
            if let Some(reason) = reason {
                found.push(format!("{} depends on {}: {reason}", member.folder, dependency.name));
            }
        }
    }
    found
}

fn member_rule(layer: &Layer, name: &str, dependency: &Dependency) -> Option<&'static str> {
    let folder = dependency.folder.as_deref()?;
    let within = |places: &[&str]| {
        places.iter().any(|place| lies_in(folder, &place.replace("{name}", name)))
    };
    let allowed = within(layer.allowed) || (dependency.dev && within(layer.in_tests));
    (!allowed).then_some(layer.reason)
}

fn library_rule(folder: &str, dependency: &Dependency) -> Option<&'static str> {
    let library = LIBRARIES.iter().find(|library| is_of(&dependency.name, library))?;
    let within = |places: &[&str]| places.iter().any(|place| lies_in(folder, place));
    // Tools that stand beside tests are named as test support whatever the kind.
    let allowed = within(library.allowed) || within(library.in_tests);
    (!allowed && dependency.name != BUILD_TOOL).then_some(library.reason)
}

/// What a service is built of against the rules, by whatever way it came in.
pub(super) fn reached(folder: &str, crates: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for name in crates {
        let library = LIBRARIES.iter().find(|library| is_of(name, library));
        if let Some(library) = library
            && !library.services.iter().any(|place| lies_in(folder, place))
        {
            found.push(format!("{folder} is built of {name}: {}", library.reason));
        }
        if NEVER_SHIPPED.contains(&name.as_str()) {
            found.push(format!("{folder} is built of {name}: only tests and the workshop are"));
        }
    }
    found
}

/// Whether a crate is a library or one of its family.
fn is_of(name: &str, library: &Library) -> bool {
    let rest = name.strip_prefix(library.name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-') || library.name.ends_with('-'))
}

/// Whether a folder is a place, or lies below it.
fn lies_in(folder: &str, place: &str) -> bool {
    let rest = folder.strip_prefix(place.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.starts_with('/') || (rest.is_empty() && !place.ends_with('/')))
}

#[cfg(test)]
mod tests;
