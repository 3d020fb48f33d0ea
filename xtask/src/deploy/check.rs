//! `cargo xtask deploy check`: charts, manifests, images and the pipeline, without a cluster.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser};
use tempfile::TempDir;
use testbed::Tools;

use super::references::Cluster;
use super::render::{self, Release};
use super::{accept, agree, lint, schemas};

/// What is judged, each with what it sees to.
const PARTS: [(&str, &str); 6] = [
    ("chart", "the chart passes helm lint and its unit tests"),
    ("manifests", "every deployable renders for every environment, valid and as contracts say"),
    ("platform", "values and manifests of the platform are well-formed and hold no secret"),
    ("image", "the Dockerfile passes hadolint"),
    ("pipeline", "the workflows pass actionlint and zizmor"),
    ("compose", "the compose file conforms to its specification"),
];

/// Judges what runs the services elsewhere: charts, manifests, image, pipeline.
///
/// Renders every deployable for every environment with helm, validates the manifests against the
/// schemas of Kubernetes and of the custom resources, and compares keys, ports, Secrets, streams
/// and consumers with what services and contracts say. Needs no cluster and no container engine;
/// installs what is missing into the user's cache.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask deploy check                                 # everything, as CI does
  cargo xtask deploy check manifests --deployable api      # one deployable, while working
  cargo xtask deploy check manifests --values mine.yaml    # with values of your own on top
  cargo xtask deploy check --services                      # let the services judge their values too")]
pub struct Arguments {
    /// Judge only these parts.
    #[arg(value_name = "PART", value_parser = parts())]
    only: Vec<String>,
    /// Only this deployable.
    #[arg(long, value_name = "NAME")]
    deployable: Option<String>,
    /// Only this environment.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Values that win over those of the deployables; may be given several times.
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Build the services and let each judge the configuration that its manifests give it.
    #[arg(long)]
    services: bool,
}

fn parts() -> PossibleValuesParser {
    let parts = PARTS.iter().map(|(name, what)| PossibleValue::new(*name).help(*what));
    PossibleValuesParser::new(parts)
}

/// Fails unless all is well.
pub fn check(tools: &Tools) -> Result<()> {
    let arguments = Arguments {
        only: Vec::new(),
        deployable: None,
        environment: None,
        values: Vec::new(),
        services: false,
    };
    arguments.judge(tools)
}

impl Arguments {
    pub fn run(&self) -> Result<ExitCode> {
        self.judge(&Tools::new()?)?;
        eprintln!("the deployment is in order");
        Ok(ExitCode::SUCCESS)
    }

    fn judge(&self, tools: &Tools) -> Result<()> {
        let values = absolute(&self.values)?;
        let chosen = self.chosen()?;
        if self.wants("chart") {
            for release in &chosen {
                render::lint(tools, release, &values)?;
            }
            render::test(tools)?;
            refuse(&validate(tools, &[("everything".to_owned(), render::everything(tools)?)])?)?;
        }
        if self.wants("manifests") || self.services {
            self.judge_manifests(tools, &chosen, &values)?;
        }
        if self.wants("platform") {
            lint::platform(tools)?;
        }
        if self.wants("image") {
            lint::image(tools)?;
        }
        if self.wants("pipeline") {
            lint::pipeline(tools)?;
        }
        if self.wants("compose") {
            lint::compose(tools)?;
        }
        Ok(())
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }

    fn chosen(&self) -> Result<Vec<Release>> {
        let all = Release::all()?;
        let named: Vec<_> = all.iter().map(|one| format!("{one}")).collect();
        let is = |wish: &Option<String>, name: &str| wish.as_deref().is_none_or(|it| it == name);
        let mut chosen = all;
        chosen.retain(|one| {
            is(&self.deployable, &one.deployable) && is(&self.environment, &one.environment)
        });
        if chosen.is_empty() {
            bail!("there are no such values; there is {}", named.join(", "));
        }
        Ok(chosen)
    }

    fn judge_manifests(&self, tools: &Tools, chosen: &[Release], values: &[PathBuf]) -> Result<()> {
        let mut all = Vec::new();
        for release in Release::all()? {
            // What others make is theirs, whatever values are given for the chosen ones.
            let over = if chosen.contains(&release) { values } else { &[] };
            all.push(render::render(tools, &release, over)?);
        }
        let cluster = Cluster::new(&all)?;
        all.retain(|rendered| chosen.contains(&rendered.release));
        let mut problems = Vec::new();
        for rendered in &all {
            let mut found = agree::problems(rendered)?;
            found.extend(cluster.problems(rendered));
            let release = &rendered.release;
            problems.extend(found.into_iter().map(|problem| format!("{release}: {problem}")));
        }
        let texts: Vec<_> = all.iter().map(|one| (one.release.name(), one.text.clone())).collect();
        problems.extend(validate(tools, &texts)?);
        refuse(&problems)?;
        let documents: usize = all.iter().map(|rendered| rendered.documents.len()).sum();
        eprintln!("manifests: {documents} of {} releases", all.len());
        if self.services {
            accept::judge(&all)?;
        }
        Ok(())
    }
}

/// The paths from here, for commands that run elsewhere.
fn absolute(files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let absolute = files
        .iter()
        .map(|file| file.canonicalize().with_context(|| format!("cannot read {}", file.display())));
    absolute.collect()
}

/// Fails when there are problems, with all of them.
fn refuse(problems: &[String]) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{} problem(s):\n  {}", problems.len(), problems.join("\n  "))
}

/// Validates manifests, each with a name for its file.
fn validate(tools: &Tools, manifests: &[(String, String)]) -> Result<Vec<String>> {
    let directory = TempDir::new().context("cannot make a directory for manifests")?;
    let mut files = Vec::new();
    for (name, text) in manifests {
        let file = directory.path().join(format!("{name}.yaml"));
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        files.push(file);
    }
    schemas::problems(tools, &files)
}
