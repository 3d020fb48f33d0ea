//! What helm makes of the chart, for each deployable and environment.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use testbed::{Tool, Tools};

use crate::workspace;

/// The chart of all deployables.
pub const CHART: &str = "deploy/charts/apps";

/// A directory for each deployable, with `values.yaml` and `environments/`.
const VALUES: &str = "deploy/values";

/// What the generator gives the chart.
const CONTRACTS: &str = "gen/ops/values";

/// The namespace of the services.
pub const NAMESPACE: &str = "stravasync";

/// The newest Kubernetes that manifests are rendered for.
pub const KUBERNETES: &str = "1.37.0";

/// A deployable in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub deployable: String,
    pub environment: String,
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} in {}", self.deployable, self.environment)
    }
}

impl Release {
    /// All that there are values for, in order.
    pub fn all() -> Result<Vec<Self>> {
        let root = workspace::root().join(VALUES);
        let mut releases = Vec::new();
        for deployable in names(&root)? {
            let environments = root.join(&deployable).join("environments");
            for file in names(&environments)? {
                let Some(environment) = file.strip_suffix(".yaml") else { continue };
                let environment = environment.to_owned();
                releases.push(Self { deployable: deployable.clone(), environment });
            }
        }
        if releases.is_empty() {
            bail!("{VALUES} holds no environment of a deployable");
        }
        Ok(releases)
    }

    /// The release's name in the cluster.
    pub fn name(&self) -> String {
        format!("{NAMESPACE}-{}-{}", self.deployable, self.environment)
    }

    /// The values, the later over the earlier.
    pub fn values(&self) -> Vec<PathBuf> {
        let (deployable, root) = (&self.deployable, workspace::root());
        vec![
            root.join(CONTRACTS).join(format!("{deployable}.json")),
            root.join(VALUES).join(deployable).join("values.yaml"),
            root.join(VALUES)
                .join(deployable)
                .join("environments")
                .join(format!("{}.yaml", self.environment)),
        ]
    }
}

/// What a directory holds, in order.
fn names(directory: &Path) -> Result<Vec<String>> {
    let entries =
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.with_context(|| format!("cannot read {}", directory.display()))?;
        names.push(name.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The manifests of a release.
#[derive(Debug)]
pub struct Rendered {
    pub release: Release,
    /// As helm wrote them.
    pub text: String,
    pub documents: Vec<Value>,
}

impl Rendered {
    /// All of a kind.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.documents.iter().filter(move |document| document["kind"] == kind)
    }

    /// The deployable's container.
    pub fn container(&self) -> Result<&Value> {
        let deployment = self.of_kind("Deployment").next().context("no Deployment was rendered")?;
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        if container.is_null() {
            bail!("the Deployment has no container");
        }
        Ok(container)
    }
}

/// Renders a release, with these values over its own.
pub fn render(tools: &Tools, release: &Release, over: &[PathBuf]) -> Result<Rendered> {
    let mut command = helm(tools, "template")?;
    command.arg(release.name()).arg(CHART).args(["--namespace", NAMESPACE]);
    values(&mut command, release, over);
    let text =
        output(&mut command).with_context(|| format!("{release}: helm refuses its values"))?;
    let documents = documents(tools, &text).with_context(|| format!("{release}"))?;
    Ok(Rendered { release: release.clone(), text, documents })
}

/// What the chart makes when everything is turned on that no deployable turns on.
pub fn everything(tools: &Tools) -> Result<String> {
    let mut command = helm(tools, "template")?;
    command.arg("everything").arg(CHART).args(["--namespace", NAMESPACE]);
    for name in ["deployable.yaml", "everything.yaml"] {
        command.arg("--values").arg(workspace::root().join(CHART).join("tests/values").join(name));
    }
    output(&mut command).context("helm refuses the values of the chart's tests")
}

/// Lints the chart with the values of a release.
pub fn lint(tools: &Tools, release: &Release, over: &[PathBuf]) -> Result<()> {
    let mut command = helm(tools, "lint")?;
    command.args(["--strict", "--quiet"]).arg(CHART);
    values(&mut command, release, over);
    output(&mut command).with_context(|| format!("{release}: helm lint fails"))?;
    Ok(())
}

/// Runs the unit tests of the chart.
pub fn test(tools: &Tools) -> Result<()> {
    let mut command = Command::new(tools.ensure(Tool::HelmUnittest)?);
    command.args(["--strict", "--color=false", CHART]).current_dir(workspace::root());
    let said = output(&mut command).context("the unit tests of the chart fail")?;
    // A runner that finds no test is content.
    let passed = said.lines().find_map(|line| line.strip_prefix("Tests:"));
    match passed {
        Some(passed) if !passed.trim_start().starts_with('0') => {
            eprintln!("unit tests of the chart: {}", passed.trim());
            Ok(())
        }
        _ => bail!("no unit test of the chart has run: {said}"),
    }
}

fn helm(tools: &Tools, verb: &str) -> Result<Command> {
    let mut command = Command::new(tools.ensure(Tool::Helm)?);
    command.arg(verb).args(["--kube-version", KUBERNETES]).current_dir(workspace::root());
    Ok(command)
}

fn values(command: &mut Command, release: &Release, over: &[PathBuf]) {
    for file in release.values().iter().chain(over) {
        command.arg("--values").arg(file);
    }
}

/// The documents in a text of YAML.
pub fn documents(tools: &Tools, text: &str) -> Result<Vec<Value>> {
    let mut reader = Command::new(tools.ensure(Tool::ManifestSchemas)?)
        .arg("json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run the reader of YAML")?;
    let mut input = reader.stdin.take().context("the reader of YAML has no input")?;
    // It reads to the end before it writes, so that neither waits for the other. When it ends
    // early, what it says on standard error is the better message.
    let written = input.write_all(text.as_bytes());
    drop(input);
    let output = reader.wait_with_output().context("cannot read what the reader of YAML says")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    written.context("cannot hand the manifests to the reader of YAML")?;
    serde_json::from_slice(&output.stdout).context("the reader of YAML prints no JSON")
}

/// Runs a command to its end; what it says is the error when it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("{}{}", String::from_utf8_lossy(&output.stderr), said);
    }
    Ok(said)
}
