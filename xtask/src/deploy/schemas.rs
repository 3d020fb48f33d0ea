//! Kubernetes' own judgement of manifests: its schemas, and those of custom resources, with unknown
//! fields refused.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use testbed::{Tool, Tools};

use super::render::KUBERNETES;

/// The oldest Kubernetes that the chart admits, and the newest that there are schemas of.
const VERSIONS: [&str; 2] = ["1.33.0", KUBERNETES];

/// What is wrong with the manifests in these files.
pub fn problems(tools: &Tools, files: &[PathBuf]) -> Result<Vec<String>> {
    let reader = tools.ensure(Tool::ManifestSchemas)?;
    let home = reader.parent().and_then(|bin| bin.parent()).context("the schemas have no home")?;
    let schemas = home.join("schemas");
    let mut problems = Vec::new();
    for version in VERSIONS {
        let native = schemas.join(format!("v{version}"));
        let custom = schemas.join("custom");
        let output = Command::new(tools.ensure(Tool::Kubeconform)?)
            .args(["-strict", "-output", "json", "-summary", "-kubernetes-version", version])
            .arg("-schema-location")
            .arg(native.join("{{.ResourceKind}}{{.KindSuffix}}.json"))
            .arg("-schema-location")
            .arg(custom.join("{{.Group}}_{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"))
            .args(files)
            .stdin(Stdio::null())
            .output()
            .context("cannot run kubeconform")?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
            .context("kubeconform prints no report")?;
        if report["summary"]["valid"].as_u64().unwrap_or(0) == 0 {
            bail!("kubeconform found no valid manifest for Kubernetes {version}: {report}");
        }
        problems.extend(wrong(&report, version));
    }
    Ok(problems)
}

fn wrong(report: &Value, version: &str) -> Vec<String> {
    let resources = report["resources"].as_array().into_iter().flatten();
    resources
        .map(|resource| {
            let text = |field: &str| resource[field].as_str().unwrap_or_default();
            let message = text("msg");
            // The name of the schema's file tells nothing to whoever reads this.
            let message = message.split_once("json#' ").map_or(message, |(_, rest)| rest);
            format!("{} {} for Kubernetes {version}: {message}", text("kind"), text("name"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_names_the_object_and_the_field() {
        let report = json!({ "resources": [{ "kind": "Service", "name": "a", "msg":
            "validation failed with 'file:///x/service-v1.json#' - at '/spec': got string" }] });
        assert_eq!(
            wrong(&report, "1.37.0"),
            ["Service a for Kubernetes 1.37.0: - at '/spec': got string"]
        );
    }
}
