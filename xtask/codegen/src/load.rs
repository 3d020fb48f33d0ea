//! Contracts to descriptors, in pure Rust: no protoc, no network.

mod editions;
mod image;
mod resolver;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use miette::Diagnostic as _;
use prost_reflect::DescriptorPool;

use resolver::{Findings, Resolver};

use crate::{Diagnostic, Diagnostics};

pub use editions::Features;

/// Contracts as descriptors.
#[derive(Debug)]
pub struct Contracts {
    /// Every file, imports included, with comments and positions.
    pub pool: DescriptorPool,
    /// What the features of editions say that the descriptors cannot.
    pub features: Features,
    /// Names of the files to generate for; the others are imports.
    pub roots: BTreeSet<String>,
    /// The same as a serialised `google.protobuf.FileDescriptorSet`.
    pub image: Vec<u8>,
}

/// Reads every `.proto` file below `path`, or the one file that it is; imports are looked
/// up there (beside the file) and then in `includes`.
///
/// Files are named as imports name them: from the directory, or, when that is a part of
/// an include, from the include.
///
/// # Errors
/// Each file that cannot be read, parsed or resolved, by file, line and column.
pub fn load(path: &Path, includes: &[PathBuf]) -> Result<Contracts, Diagnostics> {
    let shown = path.display().to_string();
    let unreadable = |source| one(&shown, format!("cannot be read: {source}"), "");
    let (base, includes) = bases(path, includes).map_err(unreadable)?;
    let mut roots = proto_files(&base, path).map_err(unreadable)?;
    roots.retain(|name| !resolver::is_bundled(name));
    if roots.is_empty() {
        let advice = "Put contracts there, or name another directory.";
        return Err(one(&shown, "holds no .proto file".into(), advice));
    }
    compile(Resolver::new(std::iter::once(base.as_path()).chain(includes)), roots, &base)
}

/// Takes contracts as texts by their names; imports are looked up among them and then in
/// `includes`.
///
/// # Errors
/// Each file that cannot be parsed or resolved, by file, line and column.
pub fn from_texts(
    texts: BTreeMap<String, String>,
    includes: &[PathBuf],
) -> Result<Contracts, Diagnostics> {
    let roots = texts.keys().filter(|name| !resolver::is_bundled(name)).cloned().collect();
    let resolver = Resolver::new(includes.iter().map(PathBuf::as_path)).with(texts);
    compile(resolver, roots, Path::new(""))
}

fn compile(
    resolver: Resolver,
    roots: BTreeSet<String>,
    base: &Path,
) -> Result<Contracts, Diagnostics> {
    let findings = resolver.findings();
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_source_info(true).include_imports(true);
    let mut mistakes = BTreeSet::new();
    for root in &roots {
        let opened = guarded(root, || compiler.open_file(root).map(|_| ()))?;
        if let Err(error) = opened {
            mistakes.extend(diagnostics(&error, base));
        }
    }
    let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
    let Findings { features, refused } = std::mem::take(&mut *findings);
    if !refused.is_empty() {
        return Err(Diagnostics(refused));
    }
    if !mistakes.is_empty() {
        return Err(Diagnostics(mistakes.into_iter().collect()));
    }
    // The compiler has put the positions in order already.
    let pool = compiler.descriptor_pool();
    let image = compiler.encode_file_descriptor_set();
    Ok(Contracts { pool, features, roots, image })
}

/// Runs the parser on a file. One that panics has a defect, of which the user learns
/// which file it stumbles over; what it was working on is thrown away with the error.
fn guarded<T>(file: &str, parse: impl FnOnce() -> T) -> Result<T, Diagnostics> {
    std::panic::catch_unwind(AssertUnwindSafe(parse)).map_err(|_| {
        let advice = "That is a defect of the parser: change what is unusual in the file, and \
                      report it.";
        one(file, "the parser gave up on this file".to_owned(), advice)
    })
}

/// Takes a serialised `FileDescriptorSet` (a buf image, or what protoc hands to a
/// plugin) and the names of the files to generate for.
///
/// # Errors
/// When the bytes are no descriptor set, or an import is missing from it.
pub fn from_image(image: Vec<u8>, roots: BTreeSet<String>) -> Result<Contracts, Diagnostics> {
    let image = image::sort_positions(&image).unwrap_or(image);
    let decoded = guarded("image", || DescriptorPool::decode(image.as_slice()))?;
    let pool = decoded.map_err(|error| {
        let file = error.file().unwrap_or("image").to_owned();
        let message = error.to_string();
        let advice = if message.contains("'editions'") {
            "Images of editions are not understood: generate from the files themselves."
        } else {
            "Build the image with its imports and source information."
        };
        one(&file, message, advice)
    })?;
    if let Some(missing) = roots.iter().find(|root| pool.get_file_by_name(root).is_none()) {
        let advice = "Name files as the image does, relative to their module.";
        return Err(one(missing, "is not in the image".to_owned(), advice));
    }
    if let Some((file, name)) = image::strange_name(&pool) {
        let advice = "A name is of letters, digits and underscores, and begins with no digit.";
        return Err(one(&file, format!("`{}` is no name", name.escape_debug()), advice));
    }
    if let Some((file, name)) = image::strange_entry(&pool) {
        let advice = "An entry is inside of a message and has a key and a value.";
        return Err(one(&file, format!("`{name}` is no entry of a map"), advice));
    }
    Ok(Contracts { pool, features: Features::default(), roots, image })
}

/// Names of the files that an image was built of, without their imports.
///
/// # Errors
/// When the bytes are no descriptor set, or hold no such file.
pub fn files_to_generate(image: &[u8]) -> Result<BTreeSet<String>, Diagnostics> {
    let advice = "Build the image with its imports and source information.";
    let roots = image::files_to_generate(image)
        .map_err(|error| one("image", format!("is no descriptor set: {error}"), advice))?;
    if roots.is_empty() {
        return Err(one("image", "holds no file to generate for".to_owned(), advice));
    }
    Ok(roots)
}

fn one(file: &str, message: String, advice: &str) -> Diagnostics {
    Diagnostics(vec![Diagnostic {
        file: file.to_owned(),
        line: 0,
        column: 0,
        message,
        advice: advice.to_owned(),
    }])
}

/// The directory from which files are named, and the includes besides it.
fn bases<'a>(path: &Path, includes: &'a [PathBuf]) -> std::io::Result<(PathBuf, Vec<&'a Path>)> {
    let inside = path.canonicalize()?;
    let directory = if inside.is_file() { inside.parent().unwrap_or(path) } else { path };
    let outer =
        |include: &Path| include.canonicalize().is_ok_and(|include| inside.starts_with(include));
    let base = includes.iter().map(PathBuf::as_path).filter(|include| outer(include));
    // The innermost one, because it gives the shortest names.
    let base = base
        .max_by_key(|include| include.canonicalize().map_or(0, |path| path.components().count()));
    let others = includes.iter().map(PathBuf::as_path).filter(|include| Some(*include) != base);
    Ok((base.unwrap_or(directory).to_path_buf(), others.collect()))
}

/// Names of the proto files at and below a path as seen from `base`, with `/`, sorted.
fn proto_files(base: &Path, path: &Path) -> std::io::Result<BTreeSet<String>> {
    let (base, path) = (base.canonicalize()?, path.canonicalize()?);
    let mut found = BTreeSet::new();
    let mut pending = vec![path];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                pending.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "proto")
            && let Ok(relative) = path.strip_prefix(&base)
        {
            let parts: Vec<_> =
                relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            found.insert(parts.join("/"));
        }
    }
    Ok(found)
}

/// What the parser says of one file, which may be several mistakes at once.
fn diagnostics(error: &protox::Error, directory: &Path) -> Vec<Diagnostic> {
    let file = error.file().unwrap_or("contracts");
    let related = error.related().into_iter().flatten();
    std::iter::once(error as &dyn miette::Diagnostic)
        .chain(related)
        .map(|mistake| {
            let label = mistake.labels().and_then(|mut labels| labels.next());
            let position = label.and_then(|label| position(error.source_code()?, label.offset()));
            let (line, column) =
                position.or_else(|| end_of_file(mistake, &directory.join(file))).unwrap_or((0, 0));
            let message = with_cause(mistake);
            let advice = mistake.help().map(|help| help.to_string());
            let advice = advice.unwrap_or_else(|| advice_about(&message).to_owned());
            Diagnostic { file: file.to_owned(), line, column, message, advice }
        })
        .collect()
}

/// What to do about a mistake for which the parser has no advice of its own.
fn advice_about(message: &str) -> &'static str {
    if message.contains("for option") {
        "Each option is explained where it is declared, those of Treaty in treaty/v1."
    } else if message.starts_with("import") {
        "Imports are named from the top of the contracts, for example treaty/v1/method.proto."
    } else if message.contains("is not defined") {
        "Import the file that declares it, and give its package with its name."
    } else {
        "Here the contract stops being valid protobuf; the mistake may be just before."
    }
}

/// A message and what caused it, for example the value inside an option.
fn with_cause(mistake: &dyn miette::Diagnostic) -> String {
    match mistake.diagnostic_source() {
        Some(cause) => format!("{mistake}: {}", with_cause(cause)),
        None => mistake.to_string(),
    }
}

/// Line and column, from 1, of an offset into a text.
fn position(source: &dyn miette::SourceCode, offset: usize) -> Option<(usize, usize)> {
    let contents = source.read_span(&(offset, 0).into(), 0, 0).ok()?;
    Some((contents.line() + 1, contents.column() + 1))
}

/// The parser has no place for what is missing at the end of a file.
fn end_of_file(mistake: &dyn miette::Diagnostic, path: &Path) -> Option<(usize, usize)> {
    if !mistake.to_string().contains("end of file") {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    let last = text.lines().last().unwrap_or_default();
    Some((text.lines().count().max(1), last.chars().count() + 1))
}
