//! From a request to a response.

use std::collections::{BTreeMap, BTreeSet};

use codegen::load::Contracts;
use codegen::{emit, load, lower};
use prost::Message as _;

use crate::options::Options;
use crate::wire::{Image, NamedFile, OutputFile, Request, Response};

/// `FEATURE_PROTO3_OPTIONAL` and `FEATURE_SUPPORTS_EDITIONS`.
const FEATURES: u64 = 1 | 2;

/// `EDITION_PROTO2` to `EDITION_2023`. What the generator cannot do in one of them it
/// says by file, line and column; the compiler would only name the file.
const EDITIONS: (i32, i32) = (998, 1000);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// What came is something else.
    #[error("standard input holds no CodeGeneratorRequest: {0}")]
    Malformed(#[from] prost::DecodeError),
}

/// Answers a serialised request with a serialised response.
///
/// # Errors
/// When the bytes are no request.
pub(crate) fn respond(request: &[u8]) -> Result<Vec<u8>, RequestError> {
    let request = Request::decode(request)?;
    let mut response = Response {
        supported_features: Some(FEATURES),
        minimum_edition: Some(EDITIONS.0),
        maximum_edition: Some(EDITIONS.1),
        ..Response::default()
    };
    match generate(request) {
        Ok(files) => response.file = files,
        Err(message) => response.error = Some(message),
    }
    Ok(response.encode_to_vec())
}

fn generate(request: Request) -> Result<Vec<OutputFile>, String> {
    let options: Options = request.parameter.as_deref().unwrap_or_default().parse()?;
    let contracts = contracts(request)?;
    let model = lower::lower_with(&contracts, options.settings());
    let model = model.map_err(|mistakes| mistakes.to_string())?;
    let files = match options.standalone()? {
        Some(krate) => emit::emit_standalone(&model, &contracts, &krate),
        None => emit::emit(&model, &contracts),
    };
    let files = files.into_iter().map(|file| {
        let content = String::from_utf8(file.contents).map_err(|_| {
            format!("{} is not a text, which is all that plugins answer", file.path)
        })?;
        Ok(OutputFile { name: Some(file.path), content: Some(content) })
    });
    files.collect()
}

/// The request as an image, with the files as their sources have them.
fn contracts(request: Request) -> Result<Contracts, String> {
    let name = |file: &[u8]| {
        let named = NamedFile::decode(file).map_err(|error| error.to_string())?;
        Ok::<_, String>(named.name.unwrap_or_default())
    };
    let mut sources = BTreeMap::new();
    for file in request.source_file_descriptors {
        sources.insert(name(&file)?, file);
    }
    let mut image = Image::default();
    for file in request.proto_file {
        let source = sources.remove(&name(&file)?);
        image.file.push(source.unwrap_or(file));
    }
    let roots: BTreeSet<_> = request.file_to_generate.into_iter().collect();
    load::from_image(image.encode_to_vec(), roots).map_err(|mistakes| mistakes.to_string())
}
