//! The services' own binaries.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::cargo;

/// Where the binaries are.
#[derive(Clone, Debug)]
pub struct Binaries {
    directory: PathBuf,
    workspace: PathBuf,
}

impl Binaries {
    /// Builds them, and the other binaries of the workspace with them: dependencies
    /// get the features of all members that are built together, so that building
    /// only some would compile many of them once more.
    ///
    /// # Errors
    /// When they do not build.
    pub fn build(workspace: &Path) -> Result<Self> {
        let status = cargo()
            .args(["build", "--workspace", "--bins"])
            .current_dir(workspace)
            .status()
            .context("cannot run cargo")?;
        if !status.success() {
            bail!("the services do not build: see Cargo's message above");
        }
        Self::find(workspace)
    }

    /// Builds those that the road of a job needs, for release.
    ///
    /// # Errors
    /// When they do not build.
    pub fn build_release(workspace: &Path) -> Result<Self> {
        let packages = ["api", "consumer", "strava", "treaty-topology"];
        let status = cargo()
            .args(["build", "--release", "--bins"])
            .args(packages.map(|package| format!("--package={package}")))
            // Incremental code is slower code, whatever the environment asks for.
            .env("CARGO_INCREMENTAL", "0")
            .current_dir(workspace)
            .status()
            .context("cannot run cargo")?;
        if !status.success() {
            bail!("the services do not build: see Cargo's message above");
        }
        Self::in_profile(workspace, "release")
    }

    /// Finds those that were built before.
    ///
    /// # Errors
    /// When Cargo cannot say where it builds.
    pub fn find(workspace: &Path) -> Result<Self> {
        Self::in_profile(workspace, "debug")
    }

    fn in_profile(workspace: &Path, profile: &str) -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .current_dir(workspace)
            .output()
            .context("cannot run cargo")?;
        let metadata: Value =
            serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")?;
        let target = metadata["target_directory"].as_str().context("no target directory")?;
        let directory = Path::new(target).join(profile);
        Ok(Self { directory, workspace: workspace.to_path_buf() })
    }

    /// What the contracts say about the broker: streams, consumers and permissions.
    pub(crate) fn nats_definitions(&self) -> PathBuf {
        self.workspace.join("gen/ops/nats")
    }

    /// What each of us may do at Vault.
    pub(crate) fn vault_policies(&self) -> PathBuf {
        self.workspace.join("deploy/platform/policies")
    }

    /// Everything that the generator has written.
    pub(crate) fn generated(&self) -> PathBuf {
        self.workspace.join("gen")
    }

    /// The path of one.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}
