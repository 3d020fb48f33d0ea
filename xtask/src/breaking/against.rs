//! Earlier contracts: from git, from a directory, from an image.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, bail};
use codegen::Diagnostics;
use codegen::load::Contracts;
use codegen::model::Model;
use prost_reflect::DescriptorPool;
use tempfile::TempDir;

/// What stands for the last release.
pub(super) const LAST_TAG: &str = "last-tag";

/// Packages that are never ours to judge, by how their files' names begin.
pub(super) const FOREIGN: [&str; 3] = ["google/", "buf/", "treaty/v1/"];

/// What to compare with.
#[derive(Debug)]
pub(super) enum Revision {
    /// Nothing, for this reason.
    None(String),
    Some(Source),
}

/// Where the earlier contracts are.
#[derive(Debug)]
pub(super) enum Source {
    /// At a commit of the repository that holds the contracts.
    Git {
        name: String,
        contracts: PathBuf,
    },
    Directory(PathBuf),
    Image(PathBuf),
}

/// The earlier contracts.
pub(super) struct Earlier {
    /// As a reader calls them.
    pub(super) name: String,
    pub(super) contracts: Contracts,
    pub(super) model: Model,
    /// What of them the generator would refuse today.
    pub(super) refused: Diagnostics,
}

/// Finds out what is meant.
pub(super) fn find(against: &str, contracts: &Path) -> Result<Revision> {
    if against == LAST_TAG {
        return last_tag(contracts);
    }
    let path = PathBuf::from(against);
    if path.is_dir() {
        return Ok(Revision::Some(Source::Directory(path)));
    }
    if path.is_file() {
        return Ok(Revision::Some(Source::Image(path)));
    }
    let commit = format!("{against}^{{commit}}");
    let known = git(contracts, &["rev-parse", "--verify", "--quiet", &commit])?;
    if !known.status.success() {
        let mut message = format!(
            "`{against}` is no directory, no image and no commit that git knows in {}",
            contracts.display()
        );
        if is_shallow(contracts)? {
            message += "; this clone is shallow: `git fetch --unshallow --tags` brings the rest";
        }
        bail!(message);
    }
    let source = Source::Git { name: against.to_owned(), contracts: contracts.to_path_buf() };
    Ok(Revision::Some(source))
}

/// The last tag `v*` that HEAD descends from. Where HEAD itself has it and the contracts are those
/// of HEAD, the release is compared with the one before.
fn last_tag(contracts: &Path) -> Result<Revision> {
    if !git(contracts, &["rev-parse", "--verify", "--quiet", "HEAD"])?.status.success() {
        return Ok(Revision::None("this is no git checkout".to_owned()));
    }
    let describe = |from: &str| -> Result<Option<String>> {
        let arguments = ["describe", "--tags", "--abbrev=0", "--match", "v*", from];
        let output = git(contracts, &arguments)?;
        Ok(output.status.success().then(|| text(&output)))
    };
    let mut tag = describe("HEAD")?;
    let unchanged = text(&git(contracts, &["status", "--porcelain", "--", "."])?).is_empty();
    let of_head =
        git(contracts, &["describe", "--tags", "--exact-match", "--match", "v*", "HEAD"])?;
    if of_head.status.success() && unchanged {
        tag = describe("HEAD^")?;
    }
    Ok(match tag {
        Some(name) => Revision::Some(Source::Git { name, contracts: contracts.to_path_buf() }),
        None if is_shallow(contracts)? => Revision::None(
            "no tag v* is in reach of HEAD, and this clone is shallow: `git fetch --unshallow \
             --tags` brings the rest"
                .to_owned(),
        ),
        None => Revision::None("no earlier tag v* is in reach of HEAD".to_owned()),
    })
}

fn is_shallow(contracts: &Path) -> Result<bool> {
    Ok(text(&git(contracts, &["rev-parse", "--is-shallow-repository"])?) == "true")
}

impl Earlier {
    /// Reads them.
    pub(super) fn load(source: &Source, includes: &[PathBuf]) -> Result<Self> {
        let (name, contracts) = match source {
            Source::Git { name, contracts } => {
                let directory = check_out(name, contracts)?;
                (name.clone(), read(directory.path(), includes, name)?)
            }
            Source::Directory(path) => {
                let name = path.display().to_string();
                let contracts = read(path, includes, &name)?;
                (name, contracts)
            }
            Source::Image(path) => (path.display().to_string(), read_image(path)?),
        };
        let (model, refused) = codegen::lower::lower_earlier(&contracts);
        Ok(Self { name, contracts, model, refused })
    }
}

/// Reads a directory. The includes come second, so that an old vocabulary is read by its own text.
fn read(directory: &Path, includes: &[PathBuf], name: &str) -> Result<Contracts> {
    codegen::load::load(directory, includes)
        .with_context(|| format!("the contracts of {name} cannot be read"))
}

/// Reads an image. Which of its files are imports is not told by every tool that writes one, so
/// everything is judged but what is never ours.
fn read_image(path: &Path) -> Result<Contracts> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let advice = "write it with `buf build -o image.binpb`, imports included";
    let pool = DescriptorPool::decode(bytes.as_slice())
        .with_context(|| format!("{} is no image: {advice}", path.display()))?;
    let roots: BTreeSet<String> = pool
        .files()
        .map(|file| file.name().to_owned())
        .filter(|name| !FOREIGN.iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    if roots.is_empty() {
        bail!("{} holds no contracts: {advice}", path.display());
    }
    codegen::load::from_image(bytes, roots)
        .with_context(|| format!("{} cannot be used", path.display()))
}

/// Writes the contracts as they are at a commit into a directory of their own.
fn check_out(name: &str, contracts: &Path) -> Result<TempDir> {
    let directory = TempDir::new().context("cannot make a directory for the earlier contracts")?;
    // Names are relative to the directory that git runs in.
    let listed = git(contracts, &["ls-tree", "-r", "-z", "--name-only", name, "--", "."])?;
    if !listed.status.success() {
        bail!("git cannot list {name}: {}", String::from_utf8_lossy(&listed.stderr).trim());
    }
    let names = String::from_utf8(listed.stdout).context("a file's name is not UTF-8")?;
    let protos: Vec<_> = names.split('\0').filter(|file| file.ends_with(".proto")).collect();
    if protos.is_empty() {
        bail!("{name} holds no contracts in {}", contracts.display());
    }
    for file in protos {
        let shown = git(contracts, &["show", &format!("{name}:./{file}")])?;
        if !shown.status.success() {
            bail!("git cannot show {file} of {name}: {}", String::from_utf8_lossy(&shown.stderr));
        }
        let path = directory.path().join(file);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all);
        written
            .and_then(|()| fs::write(&path, shown.stdout))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(directory)
}

fn git(directory: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new("git");
    // Git tells hooks where their repository is; we mean the one that holds the contracts.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    command.args(arguments).current_dir(directory).output().with_context(|| {
        format!(
            "cannot run git in {}: is it installed, and the directory there?",
            directory.display()
        )
    })
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
