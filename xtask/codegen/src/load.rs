//! Contracts to descriptors, in pure Rust: no protoc, no network.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use miette::Diagnostic as _;
use prost_reflect::DescriptorPool;

use crate::{Diagnostic, Diagnostics};

/// Contracts as descriptors.
#[derive(Debug)]
pub struct Contracts {
    /// Every file, imports included, with comments and positions.
    pub pool: DescriptorPool,
    /// Names of the files to generate for; the others are imports.
    pub roots: BTreeSet<String>,
    /// The same as a serialised `google.protobuf.FileDescriptorSet`.
    pub image: Vec<u8>,
}

/// Reads every `.proto` file below `directory`; imports are looked up there and
/// then in `includes`.
///
/// # Errors
/// Each file that cannot be read, parsed or resolved, by file, line and column.
pub fn load(directory: &Path, includes: &[PathBuf]) -> Result<Contracts, Diagnostics> {
    let roots = proto_files(directory).map_err(|source| {
        one(&directory.display().to_string(), format!("cannot be read: {source}"), "")
    })?;
    if roots.is_empty() {
        let advice = "Put contracts there, or name another directory.";
        return Err(one(&directory.display().to_string(), "holds no .proto file".into(), advice));
    }
    let include_paths = std::iter::once(directory).chain(includes.iter().map(PathBuf::as_path));
    let mut compiler = protox::Compiler::new(include_paths)
        .map_err(|error| Diagnostics(vec![diagnostic(&error)]))?;
    compiler.include_source_info(true).include_imports(true);
    let mut mistakes = BTreeSet::new();
    for root in &roots {
        if let Err(error) = compiler.open_file(directory.join(root)) {
            mistakes.insert(diagnostic(&error));
        }
    }
    if !mistakes.is_empty() {
        return Err(Diagnostics(mistakes.into_iter().collect()));
    }
    from_image(compiler.encode_file_descriptor_set(), roots)
}

/// Takes a serialised `FileDescriptorSet` (a buf image, or what protoc hands to a
/// plugin) and the names of the files to generate for.
///
/// # Errors
/// When the bytes are no descriptor set, or an import is missing from it.
pub fn from_image(image: Vec<u8>, roots: BTreeSet<String>) -> Result<Contracts, Diagnostics> {
    let pool = DescriptorPool::decode(image.as_slice()).map_err(|error| {
        let file = error.file().unwrap_or("image").to_owned();
        one(&file, error.to_string(), "Build the image with its imports and source information.")
    })?;
    if let Some(missing) = roots.iter().find(|root| pool.get_file_by_name(root).is_none()) {
        let advice = "Name files as the image does, relative to their module.";
        return Err(one(missing, "is not in the image".to_owned(), advice));
    }
    Ok(Contracts { pool, roots, image })
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

/// Names of the proto files below a directory, with `/`, sorted.
fn proto_files(directory: &Path) -> std::io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut pending = vec![directory.to_path_buf()];
    while let Some(current) = pending.pop() {
        for entry in std::fs::read_dir(&current)? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto")
                && let Ok(relative) = path.strip_prefix(directory)
            {
                let parts: Vec<_> =
                    relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
                found.insert(parts.join("/"));
            }
        }
    }
    Ok(found)
}

/// Takes the position of protox's first label, and what it says of the cause.
fn diagnostic(error: &protox::Error) -> Diagnostic {
    let label = error.labels().and_then(|mut labels| labels.next());
    let position = label.and_then(|label| position(error, &label));
    let (line, column) = position.unwrap_or((0, 0));
    let advice = error.help().map(|help| help.to_string());
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let said = error.to_string();
        if !message.contains(&said) {
            message = format!("{message}: {said}");
        }
        cause = error.source();
    }
    Diagnostic {
        file: error.file().unwrap_or("contracts").to_owned(),
        line,
        column,
        message,
        advice: advice.unwrap_or_else(|| {
            "The contract is not valid protobuf; `buf lint` explains more.".to_owned()
        }),
    }
}

/// Line and column, from 1, of a place in the text of an error's file.
fn position(error: &protox::Error, label: &miette::LabeledSpan) -> Option<(usize, usize)> {
    let source = error.source_code()?;
    let read = |offset: usize| source.read_span(&(offset, 0).into(), 0, 0).ok();
    let place = |contents: &dyn miette::SpanContents| (contents.line() + 1, contents.column() + 1);
    if let Some(contents) = read(label.offset()) {
        return Some(place(&*contents));
    }
    // Beyond the last character: what is missing at the end of a file.
    let (line, column) = place(&*read(label.offset().checked_sub(1)?)?);
    Some((line, column + 1))
}
