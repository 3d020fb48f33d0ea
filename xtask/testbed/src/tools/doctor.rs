//! What is there and what is missing.

use std::fmt;
use std::path::PathBuf;

use super::catalog::Recipe;
use super::{Tool, Tools, Version, find};
use crate::process::User;

/// Where a tool was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Named by its environment variable.
    Environment,
    /// On PATH, or where this system puts it.
    Machine,
    /// In the cache that this crate installs to.
    Cache,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Environment => "named by the environment",
            Self::Machine => "installed on this machine",
            Self::Cache => "in the tool cache",
        })
    }
}

/// What is known about one tool on this machine.
#[derive(Debug)]
pub struct Finding {
    /// The tool.
    pub tool: Tool,
    /// Why it is needed.
    pub why: String,
    /// Where it is; none if it is missing.
    pub path: Option<PathBuf>,
    /// How it was found.
    pub source: Option<Source>,
    /// Its version, as far as known.
    pub version: Option<Version>,
    /// What will happen or what to do, for a tool that is missing; one or more lines.
    pub advice: Option<String>,
    /// Whether work can go on: the tool is there, or will be installed when first needed.
    pub ok: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:<18} ", self.tool.name())?;
        match (&self.path, self.version, self.source) {
            (Some(path), Some(version), Some(source)) => {
                write!(formatter, "ok       {version:<10} {} ({source})", path.display())
            }
            _ => {
                let state = if self.ok { "later" } else { "missing" };
                let advice = self.advice.as_deref().unwrap_or_default();
                write!(formatter, "{state:<8} {}; {advice}", self.why)
            }
        }
    }
}

/// Looks for one tool.
pub(super) fn examine(tools: &Tools, tool: Tool) -> Finding {
    let entry = tools.catalog.entry(tool);
    let mut finding = Finding {
        tool,
        why: entry.why.clone(),
        path: None,
        source: None,
        version: None,
        advice: None,
        ok: false,
    };
    match find::search(tools, tool) {
        Ok(find::Search { found: Some(found), .. }) => {
            finding.path = Some(found.path);
            finding.source = Some(found.source);
            finding.version = found.version;
            finding.ok = true;
        }
        Ok(find::Search { rejected, .. }) => {
            let (ok, mut advice) = outlook(tools, tool);
            for reason in rejected {
                advice.push_str(&format!("; not used: {reason}"));
            }
            finding.ok = ok;
            finding.advice = Some(advice);
        }
        Err(error) => finding.advice = Some(format!("{error:#}")),
    }
    finding
}

/// Whether the tool can be installed by the first command that needs it, and what to say about it.
fn outlook(tools: &Tools, tool: Tool) -> (bool, String) {
    let by_hand = tools.catalog.entry(tool).install.here();
    let (needs, how) = match Recipe::of(tool) {
        Recipe::Go { .. } => ("go", "the first command that needs it builds it from Go modules"),
        Recipe::Pip { .. } | Recipe::ManifestSchemas { .. } => {
            ("python3", "the first command that needs it installs it with pip")
        }
        Recipe::Npm { .. } | Recipe::NpmWithLibraries { .. } => {
            ("npm", "the first command that needs it installs it with npm")
        }
        Recipe::Debian { other_user: true, .. } if User::is_root() => {
            ("apt-get", "the first command that needs it installs it with apt-get")
        }
        Recipe::Debian { .. } => {
            ("apt-get", "the first command that needs it unpacks Debian's package")
        }
    };
    if find::is_on_path(needs) {
        (true, format!("{how}, or: {by_hand}"))
    } else {
        (false, format!("there is no {needs} to install it with; run: {by_hand}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_a_line() {
        let mut finding = Finding {
            tool: Tool::Buf,
            why: "it lints the contracts".to_owned(),
            path: None,
            source: None,
            version: None,
            advice: Some("run: npm".to_owned()),
            ok: false,
        };
        assert_eq!(
            finding.to_string(),
            "buf                missing  it lints the contracts; run: npm"
        );
        finding.ok = true;
        finding.path = Some("/opt/buf".into());
        finding.source = Some(Source::Cache);
        finding.version = "1.75".parse().ok();
        assert_eq!(
            finding.to_string(),
            "buf                ok       1.75.0     /opt/buf (in the tool cache)"
        );
    }
}
