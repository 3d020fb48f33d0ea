//! The model to files. Emitters are pure: the same model gives the same bytes.
//!
//! What they write is thin: constants, implementations of traits, and calls into
//! `platform/`, where the logic is.

mod asyncapi;
mod cel;
pub mod clients;
mod descriptors;
mod docs;
mod document;
mod events;
mod grpc;
mod http;
mod json;
mod messages;
mod openapi;
mod ops;
mod package;
mod port;
mod reference;
mod rust;
mod service;
mod service_map;
mod standalone;
mod types;
mod validate;
mod workflows;

pub use standalone::{Standalone, requirements};

use crate::File;
use crate::load::Contracts;
use crate::model::Model;

/// Every file that the contracts give, sorted by path.
#[must_use]
pub fn emit(model: &Model, contracts: &Contracts) -> Vec<File> {
    let mut files = code(model, contracts);
    files.extend(openapi::emit(model));
    files.extend(asyncapi::emit(model));
    files.extend(service_map::emit(model));
    files.extend(reference::emit(model));
    files.extend(ops::emit(model));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Every crate.
fn code(model: &Model, contracts: &Contracts) -> Vec<File> {
    let mut files = Vec::new();
    for declared in &model.packages {
        files.extend(package::emit(model, declared));
        files.push(messages::emit(declared));
        files.push(json::emit(declared));
        files.extend(grpc::emit(declared));
        files.extend(declared.services.iter().map(|item| service::emit(model, declared, item)));
        files.extend(declared.workflows.iter().map(|item| workflows::emit(declared, item)));
        files.extend(events::emit(declared));
        files.extend(validate::emit(model, declared));
    }
    for deployable in &model.deployables {
        files.extend(port::emit(model, deployable, contracts));
    }
    files
}

/// Every file of one crate that holds all packages, sorted by path; for a model of
/// [`crate::model::Layout::Modules`].
#[must_use]
pub fn emit_standalone(model: &Model, contracts: &Contracts, krate: &Standalone) -> Vec<File> {
    let mut files = code(model, contracts);
    files.extend(standalone::emit(model, krate));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
