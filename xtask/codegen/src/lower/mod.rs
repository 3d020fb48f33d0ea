//! Descriptors to the model. Every check lives here: what gets past it can be
//! generated.

mod collisions;
mod deployables;
mod events;
mod message_names;
mod messages;
mod names;
mod options;
mod places;
mod routes;
mod semantics;
mod services;
mod source;
mod workflows;

pub use places::{Place, Places};

use std::collections::BTreeMap;

use prost_reflect::{FileDescriptor, ServiceDescriptor, Syntax};

use crate::load::Contracts;
use crate::model::{Model, Package};
use crate::{Diagnostics, lower::source::Report};

/// The package of the options themselves, of which nothing is generated.
const VOCABULARY: &str = "treaty.v1";

/// Field numbers of `google/protobuf/descriptor.proto`, of which paths are made.
mod path {
    pub(super) const FILE_PACKAGE: i32 = 2;
    pub(super) const FILE_SYNTAX: i32 = 12;
}

/// Checks contracts and turns them into the model.
///
/// # Errors
/// Every mistake found, with file, line, column and advice.
pub fn lower(contracts: &Contracts) -> Result<Model, Diagnostics> {
    let mut report = Report::default();
    let mut files = root_files(contracts);
    // Nothing more is asked about a file whose package is not usable: its types may
    // not even be found by their names.
    files.retain(|file| is_safe_package(file, &mut report));
    let mut model =
        Model { packages: packages(contracts, &files, &mut report), ..Model::default() };
    messages::check_types(&model, &files, &mut report);
    events::assign_streams(&mut model, &files, contracts, &mut report);
    deployables::lower(&mut model, &files, contracts, &mut report);
    services::resolve_callers(&mut model);
    routes::check_overlaps(&model, &files, &mut report);
    collisions::check(&model, &files, &contracts.pool, &mut report);
    let mistakes = report.into_mistakes();
    if mistakes.is_empty() { Ok(model) } else { Err(Diagnostics(mistakes)) }
}

/// Files to generate for, without the vocabulary, sorted by name.
fn root_files(contracts: &Contracts) -> Vec<FileDescriptor> {
    let mut files: Vec<_> = contracts
        .pool
        .files()
        .filter(|file| contracts.roots.contains(file.name()) && file.package_name() != VOCABULARY)
        .collect();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    files
}

fn packages(contracts: &Contracts, files: &[FileDescriptor], report: &mut Report) -> Vec<Package> {
    let mut by_name: BTreeMap<&str, Vec<&FileDescriptor>> = BTreeMap::new();
    for file in files {
        if file.syntax() != Syntax::Proto3 {
            let advice = "Write syntax = \"proto3\";";
            report.add(file, &[path::FILE_SYNTAX], "the contract is not proto3", advice);
        }
        by_name.entry(file.package_name()).or_default().push(file);
    }
    by_name
        .into_iter()
        .filter(|(_, files)| files.iter().any(|file| holds_definitions(contracts, file)))
        .map(|(name, files)| package(contracts, name, &files, report))
        .collect()
}

fn holds_definitions(contracts: &Contracts, file: &FileDescriptor) -> bool {
    file.messages().len() + file.enums().len() + file.services().len() > 0
        || options::is_set(&contracts.pool, &file.options(), options::STREAM)
}

/// A package becomes directories and crate names, so it must not name others.
fn is_safe_package(file: &FileDescriptor, report: &mut Report) -> bool {
    let package = file.package_name();
    if package.is_empty() {
        let advice = "Add for example package acme.orders.v1; below the syntax.";
        report.add(file, &[path::FILE_PACKAGE], "the contract has no package", advice);
        return false;
    }
    let safe = package.split('.').all(|segment| names::is_safe(segment, '_'));
    if !safe {
        report.add(
            file,
            &[path::FILE_PACKAGE],
            format!("package `{}` cannot be the name of a crate", package.escape_debug()),
            "Use segments of lower-case letters, digits and underscores, each starting with a \
             letter, for example `acme.orders.v1`.",
        );
    }
    safe
}

fn package(
    contracts: &Contracts,
    name: &str,
    files: &[&FileDescriptor],
    report: &mut Report,
) -> Package {
    let mut package = Package {
        name: name.to_owned(),
        crate_name: names::crate_name(name),
        module: names::module(name),
        comment: files
            .iter()
            .map(|file| source::comment(file, &[path::FILE_PACKAGE]))
            .find(|comment| !comment.is_empty())
            .unwrap_or_default(),
        dependencies: Vec::new(),
        messages: Vec::new(),
        enums: Vec::new(),
        types: Vec::new(),
        services: Vec::new(),
        workflows: Vec::new(),
        streams: Vec::new(),
        events: Vec::new(),
    };
    for file in files {
        messages::lower(&mut package, file, contracts, report);
        events::lower(&mut package, file, contracts, report);
        for service in file.services() {
            if workflows::is_workflow_service(contracts, &service) {
                package.workflows.push(workflows::lower(contracts, file, &service, report));
            } else {
                package.services.push(services::lower(contracts, file, &service, report));
            }
        }
    }
    package.dependencies = messages::dependencies(&package);
    package
}

/// Full names of services by where they are declared, for reports.
fn find_service(files: &[FileDescriptor], full_name: &str) -> Option<ServiceDescriptor> {
    files.iter().flat_map(FileDescriptor::services).find(|service| service.full_name() == full_name)
}
