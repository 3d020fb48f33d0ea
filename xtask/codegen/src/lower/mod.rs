//! Descriptors to the model. Every check lives here: what gets past it can be
//! generated.

mod collisions;
mod defaults;
mod deployables;
mod events;
mod graph;
mod imports;
mod message_names;
mod messages;
pub(crate) mod names;
mod options;
mod overlap;
mod places;
mod routes;
mod search;
mod semantics;
mod services;
mod source;
pub mod template;
mod validation;
mod workflows;

pub(crate) use messages::is_redacted;
pub use names::is_keyword;
pub use places::{Place, Places};

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{FileDescriptor, ServiceDescriptor, Syntax};

use crate::load::Contracts;
use crate::model::{Layout, Model, Package};
use crate::{Diagnostic, Diagnostics, lower::source::Report};

/// The package of the options themselves, of which nothing is generated.
const VOCABULARY: &str = "treaty.v1";

/// Field numbers of `google/protobuf/descriptor.proto`, of which paths are made.
mod path {
    pub(super) const FILE_PACKAGE: i32 = 2;
    pub(super) const FILE_SYNTAX: i32 = 12;
}

/// What is asked of contracts, and what becomes of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How packages are divided among crates. Contracts of [`Layout::Crates`] are this
    /// workspace's: proto3, with packages that name crates. Those of [`Layout::Modules`]
    /// may be anybody's, and imported packages that they need are generated too.
    pub layout: Layout,
    /// Anybody may call an RPC of which the contract does not say who may.
    pub allow_undeclared_access: bool,
}

/// Checks contracts and turns them into the model.
///
/// # Errors
/// Every mistake found, with file, line, column and advice.
pub fn lower(contracts: &Contracts) -> Result<Model, Diagnostics> {
    lower_with(contracts, Settings::default())
}

/// Checks contracts and turns them into the model, for other than this workspace.
///
/// # Errors
/// Every mistake found, with file, line, column and advice.
pub fn lower_with(contracts: &Contracts, settings: Settings) -> Result<Model, Diagnostics> {
    let (model, report) = lower_all(contracts, settings);
    let mistakes = report.into_mistakes();
    if mistakes.is_empty() { Ok(model) } else { Err(Diagnostics(mistakes)) }
}

/// Mistakes in rules of validation, by the full name of the message that has them.
pub type WrongRules = BTreeMap<String, BTreeSet<Diagnostic>>;

/// Like [`lower_with`], but leaves out of the model the rules of validation that are
/// wrong, and tells of them beside it: a suite of rules holds wrong ones on purpose.
///
/// # Errors
/// Every other mistake found.
pub fn lower_without_wrong_rules(
    contracts: &Contracts,
    settings: Settings,
) -> Result<(Model, WrongRules), Diagnostics> {
    let (model, mut report) = lower_all(contracts, settings);
    let wrong = report.take_rules();
    let mistakes = report.into_mistakes();
    if mistakes.is_empty() { Ok((model, wrong)) } else { Err(Diagnostics(mistakes)) }
}

/// Turns contracts that were accepted once into the model, as far as they are understood today:
/// what is checked since then is told beside it, and stops nobody from comparing with them.
#[must_use]
pub fn lower_earlier(contracts: &Contracts) -> (Model, Diagnostics) {
    let (model, report) = lower_all(contracts, Settings::default());
    (model, Diagnostics(report.into_mistakes()))
}

fn lower_all(contracts: &Contracts, settings: Settings) -> (Model, Report) {
    let mut report = Report::default();
    let mut files = root_files(contracts);
    // Nothing more is asked about a file whose package is not usable: its types may
    // not even be found by their names.
    files.retain(|file| is_usable(file, settings, &mut report));
    let mut imported = match settings.layout {
        Layout::Crates => Vec::new(),
        Layout::Modules => imports::needed(&files),
    };
    imported.retain(|file| is_usable(file, settings, &mut report));
    let context = Context { contracts, settings };
    let mut model = Model {
        packages: packages(context, &files, &imported, &mut report),
        layout: settings.layout,
        ..Model::default()
    };
    messages::check_types(&model, &files, &imported, &mut report);
    files.extend(imported);
    validation::mark_checked(&mut model.packages);
    events::assign_streams(&mut model, &files, contracts, &mut report);
    deployables::lower(&mut model, &files, contracts, &mut report);
    services::resolve_callers(&mut model);
    graph::resolve(&mut model);
    routes::check_overlaps(&model, &files, &mut report);
    collisions::check(&model, &files, &contracts.pool, &mut report);
    search::check_kinds(&model, &files, &mut report);
    (model, report)
}

/// What every step needs to know.
#[derive(Clone, Copy)]
struct Context<'a> {
    contracts: &'a Contracts,
    settings: Settings,
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

/// Packages by name. Of imported files only the types are taken: who imports a service
/// does not answer it.
fn packages(
    context: Context<'_>,
    files: &[FileDescriptor],
    imported: &[FileDescriptor],
    report: &mut Report,
) -> Vec<Package> {
    let mut by_name: BTreeMap<&str, Vec<(&FileDescriptor, bool)>> = BTreeMap::new();
    for file in files {
        if file.syntax() != Syntax::Proto3 && context.settings.layout == Layout::Crates {
            let advice = "Write syntax = \"proto3\";";
            report.add(file, &[path::FILE_SYNTAX], "the contract is not proto3", advice);
        }
        by_name.entry(file.package_name()).or_default().push((file, true));
    }
    for file in imported {
        by_name.entry(file.package_name()).or_default().push((file, false));
    }
    by_name
        .into_iter()
        .filter(|(_, files)| {
            files.iter().any(|(file, _)| holds_definitions(context.contracts, file))
        })
        .map(|(name, files)| package(context, name, &files, report))
        .collect()
}

fn holds_definitions(contracts: &Contracts, file: &FileDescriptor) -> bool {
    file.messages().len() + file.enums().len() + file.services().len() > 0
        || options::is_set(&contracts.pool, &file.options(), options::STREAM)
}

/// Whether something can be named after a file's package.
fn is_usable(file: &FileDescriptor, settings: Settings, report: &mut Report) -> bool {
    match settings.layout {
        Layout::Crates => is_safe_package(file, report),
        Layout::Modules => {
            let module = settings.layout.module(file.package_name());
            let usable = names::is_safe(&module, '_') && !is_keyword(&module);
            if !usable {
                let package = file.package_name().escape_debug();
                let message = format!("package `{package}` cannot be the name of a module");
                let advice = "It needs letters, digits and underscores, starting with a letter.";
                report.add(file, &[path::FILE_PACKAGE], message, advice);
            }
            usable
        }
    }
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
    context: Context<'_>,
    name: &str,
    files: &[(&FileDescriptor, bool)],
    report: &mut Report,
) -> Package {
    let (contracts, layout) = (context.contracts, context.settings.layout);
    let mut package = Package {
        name: name.to_owned(),
        crate_name: names::crate_name(name),
        module: layout.module(name),
        comment: files
            .iter()
            .map(|(file, _)| source::comment(file, &[path::FILE_PACKAGE]))
            .find(|comment| !comment.is_empty())
            .unwrap_or_default(),
        layout,
        dependencies: Vec::new(),
        messages: Vec::new(),
        enums: Vec::new(),
        types: Vec::new(),
        services: Vec::new(),
        workflows: Vec::new(),
        streams: Vec::new(),
        events: Vec::new(),
    };
    for (file, is_root) in files {
        messages::lower(&mut package, file, contracts, report);
        if !is_root {
            continue;
        }
        events::lower(&mut package, file, contracts, report);
        for service in file.services() {
            if workflows::is_workflow_service(contracts, &service) {
                package.workflows.push(workflows::lower(contracts, file, &service, report));
            } else {
                package.services.push(services::lower(context, file, &service, report));
            }
        }
    }
    name_modules(&mut package, files);
    package.dependencies = messages::dependencies(&package);
    package
}

/// Gives each service a module of its own, beside those of nested types and those that
/// every package has: one whose name is taken gets `_service` behind it, and so does a
/// keyword, because the module is a file too.
fn name_modules(package: &mut Package, files: &[(&FileDescriptor, bool)]) {
    let messages = files.iter().flat_map(|(file, _)| file.messages());
    let nested = messages.filter(names::has_module).map(|message| names::inner_module(&message));
    let own = collisions::MODULES.map(str::to_owned);
    let mut taken: BTreeSet<String> = nested.chain(own).collect();
    let services = package.services.iter_mut().map(|service| &mut service.module);
    let workflows = package.workflows.iter_mut().map(|service| &mut service.module);
    for module in services.chain(workflows) {
        while module.starts_with("r#") || taken.contains(module.as_str()) {
            *module = format!("{}_service", module.trim_start_matches("r#"));
        }
        taken.insert(module.clone());
    }
}

/// Full names of services by where they are declared, for reports.
fn find_service(files: &[FileDescriptor], full_name: &str) -> Option<ServiceDescriptor> {
    files.iter().flat_map(FileDescriptor::services).find(|service| service.full_name() == full_name)
}
