//! `cargo xtask rules`: which crate may depend on which.
//!
//! The design's rules, checked on what Cargo knows. Each violation is told with
//! the reason of its rule.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::workspace;

/// Checks that crates depend only on what the design allows.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        check()?;
        println!("every crate depends only on what the design allows");
        Ok(ExitCode::SUCCESS)
    }
}

/// A direct dependency of a member of the workspace.
#[derive(Clone, Debug)]
struct Dependency {
    /// Folder of the crate that depends, for example `services/api`.
    from: String,
    /// Name of the crate depended on.
    to: String,
    /// Its folder, when it is a member too.
    to_folder: Option<String>,
    /// Whether only tests need it.
    dev: bool,
}

/// Fails with every violation.
pub fn check() -> Result<()> {
    let mut violations = violations(&dependencies(&workspace::metadata()?));
    violations.extend(named_in_sources(&workspace::root().join("services"))?);
    if violations.is_empty() {
        return Ok(());
    }
    bail!("{} violations of the dependency rules:\n  {}", violations.len(), violations.join("\n  "))
}

fn dependencies(metadata: &Value) -> Vec<Dependency> {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let folder = |manifest: &Value| -> Option<String> {
        let parent = Path::new(manifest.as_str()?).parent()?;
        Some(parent.strip_prefix(root).ok()?.to_string_lossy().into_owned())
    };
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found = Vec::new();
    for package in packages.iter().filter(|package| package["source"].is_null()) {
        let Some(from) = folder(&package["manifest_path"]) else { continue };
        for dependency in package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default()
        {
            let path = dependency["path"].as_str().map(Path::new);
            let to_folder = path.and_then(|path| path.strip_prefix(root).ok());
            found.push(Dependency {
                from: from.clone(),
                to: dependency["name"].as_str().unwrap_or_default().to_owned(),
                to_folder: to_folder.map(|path| path.to_string_lossy().into_owned()),
                dev: dependency["kind"] == "dev",
            });
        }
    }
    found
}

fn violations(dependencies: &[Dependency]) -> Vec<String> {
    dependencies
        .iter()
        .filter_map(|dependency| {
            let reason = member_rule(dependency).or_else(|| library_rule(dependency))?;
            Some(format!("{} depends on {}: {reason}", dependency.from, dependency.to))
        })
        .collect()
}

/// Rules between members of the workspace.
fn member_rule(dependency: &Dependency) -> Option<&'static str> {
    let (from, to) = (dependency.from.as_str(), dependency.to_folder.as_deref()?);
    let within = |folder: &str, place: &str| folder.starts_with(&format!("{place}/"));
    if dependency.dev {
        let test_support = ["sim/", "xtask/testbed", "xtask/stack", "platform/", "gen/"];
        let allowed = test_support.iter().any(|place| to.starts_with(place));
        return (!allowed)
            .then_some("tests may stand on the testbed, the simulator and mocks only");
    }
    if ["e2e", "bench"].contains(&to) || within(to, "sim") {
        return Some("only tests depend on e2e, bench and sim");
    }
    if within(from, "platform") && !within(to, "platform") {
        return Some("platform is below everything else");
    }
    if within(from, "gen") && !within(to, "gen") && !within(to, "platform") {
        return Some("generated code stands on platform and generated code alone");
    }
    if from.starts_with("xtask") && !from.starts_with("e2e") && !to.starts_with("xtask") {
        return Some("the workshop must build when everything else is broken");
    }
    let own_port = from.strip_prefix("services/").map(|name| format!("gen/ports/{name}-port"))?;
    let schema = from == "services/api" && within(to, "gen/schema");
    let allowed = to == own_port || schema || within(to, "platform");
    (!allowed).then_some("a service stands on its own port and platform: declare the traffic")
}

/// Libraries that only some crates may know, and why.
const LIBRARIES: [(&str, &[&str], &str); 4] = [
    ("sqlx", &["services/api", "gen/schema/"], "the api alone owns the database"),
    ("async-nats", &["platform/treaty-nats"], "services publish and handle through their port"),
    ("tonic", &["platform/treaty-rpc", "gen/packages/"], "only adapters may know the gRPC library"),
    (
        "temporalio-",
        &["platform/treaty-temporal", "services/worker"],
        "only the worker runs workflows",
    ),
];

fn library_rule(dependency: &Dependency) -> Option<&'static str> {
    LIBRARIES.iter().find_map(|(library, allowed, reason)| {
        let known = dependency.to.starts_with(library) && dependency.to != "tonic-prost-build";
        let permitted = allowed.iter().any(|place| dependency.from.starts_with(place));
        (known && !permitted && !dependency.dev).then_some(*reason)
    })
}

/// Paths of transports and storage named in the services' own sources.
fn named_in_sources(services: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in rust_files(services)? {
        let text = std::fs::read_to_string(&file)?;
        let shown = file.strip_prefix(services).unwrap_or(&file).to_string_lossy().into_owned();
        found.extend(named(&shown, &text));
    }
    Ok(found)
}

fn named(file: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for word in ["tonic::", "async_nats::", "sqlx::"] {
            let allowed = word == "sqlx::" && file.starts_with("api/");
            if code.contains(word) && !allowed {
                let place = format!("services/{file}:{}", number + 1);
                found.push(format!("{place} names {word} services reach it through their port"));
            }
        }
    }
    found
}

fn rust_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(current) = pending.pop() {
        for entry in std::fs::read_dir(current)? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(from: &str, to: &str, dev: bool) -> Dependency {
        let name = to.rsplit('/').next().unwrap().to_owned();
        Dependency { from: from.into(), to: name, to_folder: Some(to.into()), dev }
    }

    fn library(from: &str, to: &str) -> Dependency {
        Dependency { from: from.into(), to: to.into(), to_folder: None, dev: false }
    }

    #[test]
    fn each_rule_is_enforced() {
        for wrong in [
            member("platform/treaty-nats", "gen/packages/a", false),
            member("gen/ports/api-port", "services/api", false),
            member("services/api", "services/worker", false),
            member("services/api", "gen/ports/worker-port", false),
            member("services/consumer", "gen/schema/s", false),
            member("services/api", "sim/strava", false),
            member("services/api", "services/worker", true),
            member("xtask", "gen/ports/api-port", false),
            library("services/consumer", "sqlx"),
            library("services/api", "tonic"),
            library("services/worker", "async-nats"),
            library("services/api", "temporalio-client"),
        ] {
            assert_eq!(violations(std::slice::from_ref(&wrong)).len(), 1, "{wrong:?}");
        }
    }

    #[test]
    fn what_the_design_allows_passes() {
        let right = [
            member("services/api", "gen/ports/api-port", false),
            member("services/api", "gen/schema/s", false),
            member("services/api", "platform/treaty-rpc", false),
            member("services/api", "sim/strava", true),
            member("gen/ports/api-port", "gen/packages/a", false),
            member("e2e", "xtask/stack", true),
            library("services/api", "sqlx"),
            library("gen/packages/a", "tonic-prost"),
            library("services/worker", "temporalio-workflow"),
        ];
        assert_eq!(violations(&right), Vec::<String>::new());
    }

    #[test]
    fn sources_may_not_name_transports() {
        assert_eq!(named("api/src/lib.rs", "use tonic::Status;").len(), 1);
        assert_eq!(named("worker/src/lib.rs", "sqlx::query(\"\")").len(), 1);
        assert_eq!(
            named("api/src/lib.rs", "sqlx::query(\"\") // not tonic::"),
            Vec::<String>::new()
        );
    }
}
