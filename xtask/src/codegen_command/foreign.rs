//! Contracts from outside of this workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use codegen::File;
use codegen::emit::Standalone;
use codegen::load::Contracts;
use codegen::lower::Settings;
use codegen::model::{Layout, Model};

use crate::workspace;

/// What to generate for, and where to.
#[derive(Debug, Default, clap::Args)]
#[group(id = "foreign")]
pub struct Arguments {
    /// Directory of the contracts to generate for, every .proto file below it; or one file.
    #[arg(long, value_name = "DIR|FILE", requires_all = ["out", "package"])]
    contracts: Option<PathBuf>,
    /// Built contracts instead: a FileDescriptorSet with imports and source information,
    /// as of `buf build -o image.binpb` or `protoc -o`.
    #[arg(long, value_name = "FILE", conflicts_with = "contracts", requires_all = ["out", "package"])]
    image: Option<PathBuf>,
    /// Directory where imports are looked up, after that of the contracts; may be repeated.
    /// When the contracts are inside of one, as with protoc's -I, files are named from
    /// there. treaty/v1 and google/api are found without it.
    #[arg(long, value_name = "DIR")]
    include: Vec<PathBuf>,
    /// Directory of the crate. It belongs to the generator: other files in it are deleted,
    /// so it must be empty, new, or made by this command.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Name of the crate.
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
    /// Where the crate finds the libraries of this platform: the directory of a checkout,
    /// written into the manifest relative to --out, or the address of a git repository.
    #[arg(long, value_name = "DIR|URL")]
    treaty: Option<String>,
    /// Open every RPC whose contract has no access rule to anybody. Contracts written for
    /// other systems have none; without this flag each such RPC is an error.
    #[arg(long)]
    allow_undeclared_access: bool,
}

/// Arguments that fit together.
pub struct Request {
    pub out: PathBuf,
    input: Input,
    includes: Vec<PathBuf>,
    package: String,
    treaty: Option<String>,
    allow_undeclared_access: bool,
}

enum Input {
    Files(PathBuf),
    Image(PathBuf),
}

impl Arguments {
    /// What is asked for; nothing when this workspace is meant.
    pub fn request(&self) -> Result<Option<Request>> {
        let input = match (&self.contracts, &self.image) {
            (Some(path), _) => Input::Files(path.clone()),
            (None, Some(image)) => Input::Image(image.clone()),
            (None, None) if self.out.is_some() || self.package.is_some() => {
                bail!("what shall be generated? Name --contracts DIR|FILE or --image FILE");
            }
            (None, None) => return Ok(None),
        };
        let (Some(out), Some(package)) = (self.out.clone(), self.package.clone()) else {
            bail!("--out DIR and --package NAME say where the crate goes and how it is called");
        };
        Request::new(input, self.include.clone(), out, package, self).map(Some)
    }
}

impl Request {
    fn new(
        input: Input,
        mut includes: Vec<PathBuf>,
        out: PathBuf,
        package: String,
        arguments: &Arguments,
    ) -> Result<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !package.starts_with(|c: char| c.is_ascii_alphabetic()) || !package.chars().all(allowed)
        {
            bail!(
                "`{package}` is no name for a crate: use letters, digits, hyphens and underscores"
            );
        }
        refuse_foreign_output(&out)?;
        includes.push(workspace::root().join("contracts"));
        includes.extend(workspace::includes()?);
        let (treaty, allow_undeclared_access) =
            (arguments.treaty.clone(), arguments.allow_undeclared_access);
        Ok(Self { out, input, includes, package, treaty, allow_undeclared_access })
    }

    /// A request without a command line: contracts that were written for something else.
    pub fn of(
        contracts: PathBuf,
        includes: Vec<PathBuf>,
        out: PathBuf,
        package: &str,
    ) -> Result<Self> {
        let arguments = Arguments { allow_undeclared_access: true, ..Arguments::default() };
        Self::new(Input::Files(contracts), includes, out, package.to_owned(), &arguments)
    }

    /// Every file of the crate.
    pub fn generate(&self) -> Result<Vec<File>> {
        let (contracts, model) = self.read()?;
        self.emit(&contracts, &model)
    }

    /// The contracts, checked.
    pub fn read(&self) -> Result<(Contracts, Model)> {
        let contracts = self.load()?;
        let settings = Settings {
            layout: Layout::Modules,
            allow_undeclared_access: self.allow_undeclared_access,
        };
        let model = codegen::lower::lower_with(&contracts, settings)?;
        Ok((contracts, model))
    }

    /// Every file of the crate, of contracts that were read.
    pub fn emit(&self, contracts: &Contracts, model: &Model) -> Result<Vec<File>> {
        let krate = Standalone {
            name: self.package.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            requirements: self.requirements()?,
        };
        Ok(codegen::emit::emit_standalone(model, contracts, &krate))
    }

    fn load(&self) -> Result<Contracts> {
        match &self.input {
            Input::Files(path) => Ok(codegen::load::load(path, &self.includes)?),
            Input::Image(path) => {
                let image = fs::read(path)
                    .with_context(|| format!("cannot read the image {}", path.display()))?;
                let roots = codegen::load::files_to_generate(&image)?;
                Ok(codegen::load::from_image(image, roots)?)
            }
        }
    }

    /// What the manifest says of each dependency: this workspace's own requirements, and
    /// for the platform's libraries where they are.
    fn requirements(&self) -> Result<BTreeMap<String, String>> {
        let root = workspace::root();
        let manifest = fs::read_to_string(root.join("Cargo.toml")).context("Cargo.toml")?;
        codegen::emit::requirements(&manifest, |path| self.platform(&root, path))
    }

    /// Where a library of this workspace is for the crate.
    fn platform(&self, root: &Path, path: &str) -> Result<String> {
        match &self.treaty {
            Some(address) if address.contains("://") => Ok(format!("git = \"{address}\"")),
            Some(directory) => {
                Ok(format!("path = \"{}\"", relative(&self.out, &Path::new(directory).join(path))?))
            }
            None => Ok(format!("path = \"{}\"", relative(&self.out, &root.join(path))?)),
        }
    }
}

/// Generates a crate of contracts, every RPC of which is open.
pub fn generate(contracts: PathBuf, out: PathBuf, package: &str) -> Result<()> {
    let request = Request::of(contracts, Vec::new(), out, package)?;
    codegen::write::write(&request.out, &request.generate()?)?;
    Ok(())
}

/// Deleting what is stale must not hit what was never generated.
fn refuse_foreign_output(out: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(out) else { return Ok(()) };
    let names: BTreeSet<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    let manifest = fs::read_to_string(out.join("Cargo.toml")).unwrap_or_default();
    if names.is_empty() || manifest.starts_with("# @generated by `cargo xtask codegen`") {
        return Ok(());
    }
    bail!(
        "{} holds other files, which would be deleted: name a new directory, or one that this \
         command has written",
        out.display()
    )
}

/// A path as seen from a directory, with `/`, so that the same checkout beside the same
/// output gives the same manifest on any machine.
fn relative(from: &Path, to: &Path) -> Result<String> {
    let (from, to) = (std::path::absolute(from)?, std::path::absolute(to)?);
    let clean = |path: &Path| -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for component in path.components() {
            match component {
                Component::ParentDir => {
                    parts.pop();
                }
                Component::CurDir => {}
                other => parts.push(other.as_os_str().to_string_lossy().into_owned()),
            }
        }
        parts
    };
    let (from, to) = (clean(&from), clean(&to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - shared);
    let down = to.get(shared..).unwrap_or_default().iter().map(String::as_str);
    Ok(up.chain(down).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::relative;
    use std::path::Path;

    #[test]
    fn paths_lead_from_the_output_to_the_platform() {
        let path = relative(Path::new("/a/out/crate"), Path::new("/a/treaty/platform/x")).unwrap();
        assert_eq!(path, "../../treaty/platform/x");
        let path = relative(Path::new("/a/b/../c"), Path::new("/a/c/./d")).unwrap();
        assert_eq!(path, "d");
    }
}
