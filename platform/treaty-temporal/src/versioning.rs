//! Which version of the code a worker is, and what becomes of open workflows when it changes.

use serde::Deserialize;
use temporalio_common::worker::{
    VersioningBehavior, WorkerDeploymentOptions, WorkerDeploymentVersion, build_id_from_current_exe,
};

/// Worker Deployment Versioning: the server routes each workflow to workers of a version. It gives
/// a version no work before an operator has made it the current one
/// (`temporal worker deployment set-current-version`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentConfig {
    /// Name of the deployment, the same for all its versions.
    pub name: String,
    /// Which version this is, such as a tag or a commit. By default a hash of the executable.
    #[serde(default)]
    pub build_id: Option<String>,
    /// What becomes of a workflow that is open when another version becomes current.
    #[serde(default)]
    pub open_workflows: VersionChange,
}

/// What becomes of open workflows when another version becomes current.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum VersionChange {
    /// A run stays with the version that began it, so both versions must be there until it ends.
    #[default]
    Stay,
    /// A run goes on with the new version, whose code must replay its history.
    Move,
}

/// The options of a worker. Without a configuration the server is told the build, and routes by the
/// task queue alone.
pub(crate) fn options(config: Option<&DeploymentConfig>) -> WorkerDeploymentOptions {
    let build_id = || build_id_from_current_exe().to_owned();
    let Some(config) = config else { return WorkerDeploymentOptions::from_build_id(build_id()) };
    let version = WorkerDeploymentVersion::builder()
        .deployment_name(config.name.as_str())
        .build_id(config.build_id.clone().unwrap_or_else(build_id))
        .build();
    WorkerDeploymentOptions::new(version)
        .use_worker_versioning(true)
        .default_versioning_behavior(match config.open_workflows {
            VersionChange::Stay => VersioningBehavior::Pinned,
            VersionChange::Move => VersioningBehavior::AutoUpgrade,
        })
        .build()
}

impl DeploymentConfig {
    /// Checks what the server would refuse: it joins name and build id by a dot.
    ///
    /// # Errors
    /// The key, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.name.is_empty() || self.name.contains(['.', ':']) {
            return Err(("name", "expected a name without dots and colons"));
        }
        if self.build_id.as_ref().is_some_and(String::is_empty) {
            return Err(("build_id", "must not be empty"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str, build_id: Option<&str>) -> DeploymentConfig {
        DeploymentConfig {
            name: name.to_owned(),
            build_id: build_id.map(str::to_owned),
            open_workflows: VersionChange::Move,
        }
    }

    #[test]
    fn a_deployment_turns_versioning_on_and_says_what_becomes_of_open_workflows() {
        let options = options(Some(&config("dispatch", Some("v7"))));
        assert!(options.use_worker_versioning);
        assert_eq!(options.version.build_id, "v7");
        assert_eq!(options.default_versioning_behavior, Some(VersioningBehavior::AutoUpgrade));
        assert!(!super::options(None).use_worker_versioning);
    }

    #[test]
    fn names_that_the_server_cannot_split_are_refused() {
        assert!(config("dispatch", None).check().is_ok());
        for (name, build_id) in [("", None), ("a.b", None), ("a", Some(""))] {
            assert!(config(name, build_id).check().is_err(), "{name} {build_id:?}");
        }
    }
}
