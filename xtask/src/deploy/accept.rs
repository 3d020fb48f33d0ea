//! The services' own judgement of the configuration that their manifests give them.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use stack::Binaries;
use testbed::Tools;

use super::agree::text;
use super::render::{self, Release, Rendered};
use crate::workspace;

/// Fails unless each service accepts what the chart gives it.
pub fn check(tools: &Tools) -> Result<()> {
    let releases = Release::all()?;
    let rendered = releases.iter().map(|release| render::render(tools, release, &[]));
    judge(&rendered.collect::<Result<Vec<_>>>()?)
}

/// Starts each service with its variables, to check its configuration and end.
pub fn judge(all: &[Rendered]) -> Result<()> {
    let binaries = Binaries::build(&workspace::root())?;
    let mut problems = Vec::new();
    for rendered in all {
        let release = &rendered.release;
        let output = Command::new(binaries.path(&release.deployable))
            .arg("--check-config")
            .env_clear()
            .envs(environment(rendered.container()?))
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", release.deployable))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            problems.push(format!("{release}: {said}"));
        }
    }
    if !problems.is_empty() {
        bail!("services refuse their configuration:\n  {}", problems.join("\n  "));
    }
    eprintln!("configuration: {} releases are accepted by their services", all.len());
    Ok(())
}

/// The variables of a container, as Kubernetes would set them.
fn environment(container: &Value) -> BTreeMap<String, String> {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    for variable in container["env"].as_array().into_iter().flatten() {
        let name = text(&variable["name"]).to_owned();
        let value = match variable["value"].as_str() {
            Some(value) => expand(value, &variables),
            None => stand_in(&variable["valueFrom"]["secretKeyRef"]),
        };
        variables.insert(name, value);
    }
    variables
}

/// Text in the place of a secret: long enough for a token, and another for each key.
fn stand_in(reference: &Value) -> String {
    format!("stand-in-for-{}-{}", text(&reference["name"]), text(&reference["key"]))
}

/// Replaces `$(NAME)` of variables that stand before.
fn expand(value: &str, variables: &BTreeMap<String, String>) -> String {
    let mut text = value.to_owned();
    for (name, value) in variables {
        text = text.replace(&format!("$({name})"), value);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_are_those_that_kubernetes_would_set() {
        let container = json!({ "env": [
            { "name": "LOGIN", "valueFrom": { "secretKeyRef": { "name": "db", "key": "LOGIN" } } },
            { "name": "API__DATABASE__URL", "value": "postgres://$(LOGIN)@host/$(LATER)" },
            { "name": "LATER", "value": "x" },
        ]});
        let variables = environment(&container);
        assert_eq!(
            variables["API__DATABASE__URL"],
            "postgres://stand-in-for-db-LOGIN@host/$(LATER)"
        );
    }
}
