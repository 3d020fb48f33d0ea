//! Names that would be written twice into one Rust scope.

use std::collections::BTreeMap;

use prost_reflect::FileDescriptor;

use super::path;
use super::source::Report;
use crate::model::{Model, Package};

pub(super) fn check(model: &Model, files: &[FileDescriptor], report: &mut Report) {
    let mut crates: BTreeMap<&str, &str> = BTreeMap::new();
    for package in &model.packages {
        let Some(file) = files.iter().find(|file| file.package_name() == package.name) else {
            continue;
        };
        let mut refuse = |message: String| {
            report.add(file, &[path::FILE_PACKAGE], message, "Rename one of them.");
        };
        if let Some(other) = crates.insert(&package.crate_name, &package.name) {
            refuse(format!(
                "packages `{other}` and `{}` both become crate `{}`",
                package.name, package.crate_name
            ));
        }
        let mut scope: BTreeMap<String, String> = BTreeMap::new();
        for (name, origin) in names(package) {
            if let Some(other) = scope.insert(name.clone(), origin.clone()) {
                refuse(format!("{other} and {origin} both become `{name}` in Rust"));
            }
        }
    }
    check_durables(model, files, report);
}

/// Every name at the top of a package's crate, with what it comes from.
fn names(package: &Package) -> Vec<(String, String)> {
    let mut names: Vec<_> =
        package.types.iter().map(|name| (name.clone(), format!("type {name}"))).collect();
    for service in &package.services {
        let origin = format!("service {}", service.name);
        for pattern in ["{}", "Local{}", "{}Client", "{}Grpc", "Mock{}"] {
            names.push((pattern.replace("{}", &service.name), origin.clone()));
        }
        names.push((service.module.clone(), origin));
    }
    for service in &package.workflows {
        names.push((service.module.clone(), format!("service {}", service.name)));
    }
    names
}

/// Different names with dots may give one durable name without them.
fn check_durables(model: &Model, files: &[FileDescriptor], report: &mut Report) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for handler in model.deployables.iter().flat_map(|deployable| &deployable.handles) {
        if let Some(other) = seen.insert(&handler.durable, &handler.event)
            && let Some(file) = files.first()
        {
            let message = format!(
                "handlers of {other} and {} both become durable `{}`",
                handler.event, handler.durable
            );
            report.add(file, &[path::FILE_OPTIONS], message, "Rename one event or deployable.");
        }
    }
}
