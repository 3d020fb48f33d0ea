//! Messages (prost) of a package and their JSON (pbjson).

use prost_types::FileDescriptorProto;

use super::{rust, types};
use crate::File;
use crate::load::Contracts;
use crate::model::{Model, Package};

/// Writes `messages.rs` and `json.rs`.
pub(super) fn emit(model: &Model, package: &Package, contracts: &Contracts) -> Vec<File> {
    let directory = package.directory();
    let messages = format!("{}{}", rust::HEADER, types::emit(package));
    vec![
        File::new(format!("{directory}/messages.rs"), messages),
        File::new(format!("{directory}/json.rs"), json(model, package, contracts)),
    ]
}

/// All files by name: an image may hold them in any order, which must not show.
fn files(contracts: &Contracts) -> Vec<FileDescriptorProto> {
    let files = contracts.pool.files().map(|file| file.file_descriptor_proto().clone());
    let mut files: Vec<_> = files.collect();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    files
}

fn json(model: &Model, package: &Package, contracts: &Contracts) -> String {
    let mut builder = pbjson_build::Builder::new();
    for file in files(contracts) {
        builder.register_file_descriptor(file);
    }
    builder.btree_map(["."]);
    builder.extern_path(".google.protobuf", "::pbjson_types");
    for other in model.packages.iter().filter(|other| other.name != package.name) {
        let path = format!("::{}", other.name.replace('.', "_"));
        builder.extern_path(format!(".{}", other.name), path);
    }
    let prefix = format!(".{}", package.name);
    // Writing to memory does not fail.
    let written = builder.generate(&[prefix], |_| Ok(Vec::new())).unwrap_or_default();
    let text: String = written
        .into_iter()
        .map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    format(&format!("use crate::messages::*;\n{text}"))
}

/// Formats a text of Rust as a file of ours.
fn format(text: &str) -> String {
    match syn::parse_file(text) {
        Ok(parsed) => format!("{}{}", rust::HEADER, rust::spaced(&prettyplease::unparse(&parsed))),
        // The compiler will say what is wrong with it, at its place.
        Err(_) => format!("{}{text}", rust::HEADER),
    }
}
