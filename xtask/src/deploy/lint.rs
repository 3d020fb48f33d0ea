//! Others' judgement of what surrounds the chart: the platform's values, image, pipeline, compose.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use testbed::{Tool, Tools};

use super::render::{documents, output};
use super::{agree, schemas};
use crate::workspace;

const PLATFORM: &str = "deploy/platform";
/// The charts of others, with their versions.
const CHARTS: &str = "charts.yaml";
/// The page that installs them.
const PAGE: &str = "docs/deploy.md";
const MANIFESTS: &str = "deploy/platform/manifests";
const DOCKERFILE: &str = "deploy/Dockerfile";
const WORKFLOWS: &str = ".github/workflows";
const COMPOSE: &str = "deploy/compose.yaml";

/// Words in a key whose value must not stand in a file.
const SECRET_WORDS: [&str; 3] = ["password", "token", "apikey"];

/// Values that are well-formed and without secrets, and manifests that Kubernetes would take.
pub fn platform(tools: &Tools) -> Result<()> {
    let mut problems = Vec::new();
    let values = yaml_files(PLATFORM)?;
    for file in &values {
        let text = read(file)?;
        for document in documents(tools, &text).with_context(|| file.display().to_string())? {
            secrets(&document, "", &mut |key| {
                problems.push(format!("{}: {key} is a secret in a file", file.display()));
            });
        }
    }
    problems.extend(versions(tools)?);
    let manifests = yaml_files(MANIFESTS)?;
    for file in &manifests {
        let parts = documents(tools, &read(file)?)?;
        if parts.iter().any(|part| part["kind"] == "Secret") {
            problems.push(format!("{}: a Secret must not stand in a file", file.display()));
        }
    }
    problems.extend(schemas::problems(tools, &manifests)?);
    if !problems.is_empty() {
        bail!("the platform's files:\n  {}", problems.join("\n  "));
    }
    eprintln!("platform: {} values, {} manifests", values.len(), manifests.len());
    Ok(())
}

/// Versions of charts that the page which installs them says otherwise.
fn versions(tools: &Tools) -> Result<Vec<String>> {
    let root = workspace::root();
    let charts = documents(tools, &read(&root.join(PLATFORM).join(CHARTS))?)?;
    let page = read(&root.join(PAGE))?;
    let mut problems = Vec::new();
    for (name, chart) in charts.first().and_then(Value::as_object).into_iter().flatten() {
        let version = agree::text(&chart["version"]);
        if !page.contains(&format!("/{name} --version {version} ")) {
            problems.push(format!("{PAGE}: it does not install {name} {version} of {CHARTS}"));
        }
    }
    Ok(problems)
}

/// Calls `found` with the path of each key that has a secret for its value.
fn secrets(value: &Value, path: &str, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let plain = name.to_lowercase();
                let named = SECRET_WORDS.iter().any(|word| plain.ends_with(word));
                let text = agree::text(member);
                if named && !text.is_empty() && !text.starts_with('$') {
                    found(&path);
                }
                secrets(member, &path, found);
            }
        }
        Value::Array(members) => {
            for (index, member) in members.iter().enumerate() {
                secrets(member, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// The YAML files of a directory, in order.
fn yaml_files(directory: &str) -> Result<Vec<PathBuf>> {
    let directory = workspace::root().join(directory);
    let entries =
        fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", directory.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        bail!("{} holds no YAML", directory.display());
    }
    Ok(files)
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

pub fn image(tools: &Tools) -> Result<()> {
    let mut command = Command::new(tools.ensure(Tool::Hadolint)?);
    command.args(["--failure-threshold", "style", DOCKERFILE]).current_dir(workspace::root());
    output(&mut command).context("hadolint finds fault with the Dockerfile")?;
    eprintln!("image: {DOCKERFILE} passes hadolint");
    Ok(())
}

pub fn pipeline(tools: &Tools) -> Result<()> {
    let root = workspace::root();
    let files = yaml_files(WORKFLOWS)?;
    let mut actionlint = Command::new(tools.ensure(Tool::Actionlint)?);
    // Linters of scripts that a machine may or may not have must not decide.
    actionlint.args(["-no-color", "-shellcheck=", "-pyflakes="]).args(&files).current_dir(&root);
    output(&mut actionlint).context("actionlint finds fault with a workflow")?;
    let mut zizmor = Command::new(tools.ensure(Tool::Zizmor)?);
    zizmor
        .args(["--offline", "--no-progress", "--persona", "pedantic", "--color", "never"])
        .args(&files)
        .current_dir(&root);
    output(&mut zizmor).context("zizmor finds a weakness in a workflow")?;
    eprintln!("pipeline: {} workflows pass actionlint and zizmor", files.len());
    Ok(())
}

pub fn compose(tools: &Tools) -> Result<()> {
    let mut command = Command::new(tools.ensure(Tool::ComposeSpec)?);
    command.arg(COMPOSE).current_dir(workspace::root());
    // What a person has to give stands in nobody's file, and the file says by `?` what that is.
    let text = read(&workspace::root().join(COMPOSE))?;
    for variable in required(&text) {
        command.env(variable, "stand-in");
    }
    let said = output(&mut command).context("the compose file is not valid")?;
    let model: Value = serde_json::from_str(&said).context("no model of the compose file")?;
    let services = model["services"].as_object().map_or(0, serde_json::Map::len);
    if services == 0 {
        bail!("{COMPOSE} has no services");
    }
    eprintln!("compose: {services} services");
    Ok(())
}

/// The variables that a compose file insists on: `${NAME:?why}`.
fn required(text: &str) -> Vec<&str> {
    text.split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once(":?"))
        .map(|(name, _)| name)
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_compose_file_tells_what_it_insists_on() {
        let text = "a: ${ONE:?give it}\nb: ${TWO:-x}\nc: ${THREE}\nd: p://${FOUR:?}@h";
        assert_eq!(required(text), ["ONE", "FOUR"]);
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands() {
        let values = json!({
            "server": { "sql": [{ "password": "oops" }] },
            "auth": { "password": "$NATS_PASSWORD_API", "tokenSecretRef": { "name": "a" } },
            "apiToken": "",
        });
        let mut found = Vec::new();
        secrets(&values, "", &mut |key| found.push(key.to_owned()));
        assert_eq!(found, ["server.sql[0].password"]);
    }
}
