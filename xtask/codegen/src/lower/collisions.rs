//! Names that would be written twice into one Rust scope.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{DescriptorPool, FileDescriptor};

use super::options::DEPLOYABLE;
use super::source::Report;
use super::{find_service, names, path};
use crate::model::{Deployable, Layout, Model, Package};

const ADVICE: &str = "Rename one of them.";

/// Modules that every package's crate may have, whatever its services are called.
pub(super) const MODULES: [&str; 5] = ["events", "grpc", "json", "lib", "messages"];

pub(super) fn check(
    model: &Model,
    files: &[FileDescriptor],
    pool: &DescriptorPool,
    report: &mut Report,
) {
    check_packages(model, files, report);
    if model.layout == Layout::Crates {
        check_cycles(model, files, report);
    }
    let ports = model
        .deployables
        .iter()
        .flat_map(|port| port.serves.iter().chain(port.calls.iter().map(|call| &call.service)));
    let in_ports: BTreeSet<&str> = ports.map(String::as_str).collect();
    for package in &model.packages {
        check_scope(package, files, pool, &in_ports, report);
        check_methods(package, files, report);
    }
    check_deployables(model, files, report);
}

/// Each package becomes a crate of its own, and a module of its own in ports.
fn check_packages(model: &Model, files: &[FileDescriptor], report: &mut Report) {
    let ports = model.deployables.iter().map(|deployable| {
        (deployable.crate_name.clone(), format!("the port of `{}`", deployable.name))
    });
    let mut crates: BTreeMap<String, String> = ports.collect();
    let mut modules: BTreeMap<&str, &str> = BTreeMap::from([("well_known", "google.protobuf")]);
    for package in &model.packages {
        let Some(file) = file_of(package, files) else { continue };
        let mut refuse = |message: String, advice: &str| {
            report.add(file, &[path::FILE_PACKAGE], message, advice);
        };
        let own = format!("package `{}`", package.name);
        if model.layout == Layout::Modules {
            if let Some(other) = modules.insert(&package.module, &package.name) {
                let module = &package.module;
                refuse(
                    format!("package `{other}` and {own} both become module `{module}`"),
                    ADVICE,
                );
            }
            continue;
        }
        if let Some(other) = crates.insert(package.crate_name.clone(), own.clone()) {
            let message = format!("{other} and {own} both become crate `{}`", package.crate_name);
            refuse(message, ADVICE);
        }
        if let Some(other) = modules.insert(&package.module, &package.name) {
            let module = &package.module;
            refuse(format!("package `{other}` and {own} both become module `{module}`"), ADVICE);
        }
        let is_taken = package.name.starts_with("treaty.") || !package.name.contains('.');
        if is_taken && package.layout == Layout::Crates {
            let advice = "Use your organisation's name, the domain and a version, for example \
                          `acme.orders.v1`.";
            refuse(
                format!("{own} becomes crate `{}`, which may exist", package.crate_name),
                advice,
            );
        }
    }
}

/// Crates cannot depend on each other in a circle, although packages can.
fn check_cycles(model: &Model, files: &[FileDescriptor], report: &mut Report) {
    for package in &model.packages {
        let mut reached = BTreeSet::new();
        let mut pending: Vec<&String> = package.dependencies.iter().collect();
        while let Some(name) = pending.pop() {
            if reached.insert(name) {
                pending.extend(model.package(name).into_iter().flat_map(|next| &next.dependencies));
            }
        }
        if let (true, Some(file)) = (reached.contains(&package.name), file_of(package, files)) {
            let message = format!("package `{}` needs itself through others", package.name);
            let advice = "Move what they share into a package of its own.";
            report.add(file, &[path::FILE_PACKAGE], message, advice);
        }
    }
}

/// Names at the top of a package's crate: types, modules of nested types, services.
fn check_scope(
    package: &Package,
    files: &[FileDescriptor],
    pool: &DescriptorPool,
    in_ports: &BTreeSet<&str>,
    report: &mut Report,
) {
    let mut scope: BTreeMap<String, String> =
        MODULES.map(|name| (name.to_owned(), format!("the crate's own module `{name}`"))).into();
    let mut add = |name: String, origin: &str, file: &FileDescriptor, place: &[i32]| {
        if let Some(other) = scope.insert(name.clone(), origin.to_owned())
            && other != origin
        {
            let message = format!("{other} and {origin} both become `{name}` in Rust");
            report.add(file, place, message, ADVICE);
        }
    };
    for file in files.iter().filter(|file| file.package_name() == package.name) {
        for enumeration in file.enums() {
            let origin = format!("enum {}", enumeration.name());
            add(names::enum_type(&enumeration).path, &origin, file, enumeration.path());
        }
        for message in file.messages() {
            let origin = format!("message {}", message.name());
            add(names::message_type(&message).path, &origin, file, message.path());
            if names::has_module(&message) {
                add(names::inner_module(&message), &origin, file, message.path());
            }
        }
    }
    for service in &package.services {
        let Some(declared) = pool.get_service_by_name(&service.full_name) else { continue };
        let (file, origin) = (declared.parent_file(), format!("service {}", declared.name()));
        // Only ports put services and messages into one module.
        let patterns = ["{}", "Local{}", "{}Client", "{}Grpc", "{}Pages", "Mock{}"];
        for pattern in patterns.iter().filter(|_| in_ports.contains(service.full_name.as_str())) {
            add(pattern.replace("{}", &service.name), &origin, &file, declared.path());
        }
        add(service.module.clone(), &origin, &file, declared.path());
    }
    for service in &package.workflows {
        let Some(declared) = pool.get_service_by_name(&service.full_name) else { continue };
        let (file, origin) = (declared.parent_file(), format!("service {}", declared.name()));
        add(service.module.clone(), &origin, &file, declared.path());
    }
}

/// Names inside the module of one service.
fn check_methods(package: &Package, files: &[FileDescriptor], report: &mut Report) {
    for service in &package.services {
        let methods = service.methods.iter().map(|method| {
            let constant = method.name.to_shouty_snake_case();
            let routes = (0..method.routes.len()).map(|index| match index {
                0 => format!("{constant}_ROUTE"),
                index => format!("{constant}_ROUTE_{index}"),
            });
            let pages = method.page.iter().map(|_| format!("{constant}_PAGES"));
            (&method.name, routes.chain(pages).chain([constant.clone()]).collect())
        });
        check_module(&service.full_name, "SERVICE_NAME", methods.collect(), files, report);
    }
    for service in &package.workflows {
        let workflows = service.workflows.iter().map(|workflow| {
            let name = &workflow.name;
            let camel = name.to_upper_camel_case();
            (name, vec![format!("{camel}Starter"), camel, name.to_shouty_snake_case()])
        });
        let activities = service.activities.iter().map(|activity| {
            let name = &activity.name;
            (name, vec![name.to_upper_camel_case(), name.to_shouty_snake_case()])
        });
        let methods = workflows.chain(activities).collect();
        check_module(&service.full_name, "TASK_QUEUE", methods, files, report);
    }
}

fn check_module(
    full_name: &str,
    own: &str,
    methods: Vec<(&String, Vec<String>)>,
    files: &[FileDescriptor],
    report: &mut Report,
) {
    let Some(declared) = find_service(files, full_name) else { return };
    let mut scope = BTreeMap::from([(own.to_owned(), "the constant of every service".to_owned())]);
    for (method, names) in methods {
        let origin = format!("RPC {method}");
        let found = declared.methods().find(|candidate| candidate.name() == method);
        let place = found.map(|found| found.path().to_vec()).unwrap_or_default();
        for name in names {
            if let Some(other) = scope.insert(name.clone(), origin.clone()) {
                let message = format!("{other} and {origin} both become `{name}` in Rust");
                report.add(&declared.parent_file(), &place, message, ADVICE);
            }
        }
    }
}

/// Durable names, which lose the dots of what they are made of, and the starters of a port.
fn check_deployables(model: &Model, files: &[FileDescriptor], report: &mut Report) {
    let mut durables: BTreeMap<&str, &str> = BTreeMap::new();
    for deployable in &model.deployables {
        let Some(file) = files.iter().find(|file| declares(file, deployable)) else { continue };
        let mut refuse = |message| report.add(file, &DEPLOYABLE.on(&[]), message, ADVICE);
        for handler in &deployable.handles {
            if let Some(other) = durables.insert(&handler.durable, &handler.event)
                && other != handler.event
            {
                refuse(format!(
                    "handlers of {other} and {} both become durable `{}`",
                    handler.event, handler.durable
                ));
            }
        }
        let started = deployable.starts.iter().filter_map(|name| model.workflow_service(name));
        let mut starters = BTreeMap::new();
        for (_, service) in started {
            for workflow in &service.workflows {
                let field = workflow.name.to_snake_case();
                if let Some(other) = starters.insert(field.clone(), &service.full_name)
                    && *other != service.full_name
                {
                    let own = &service.full_name;
                    refuse(format!("workflows of {other} and {own} both become starter `{field}`"));
                }
            }
        }
    }
}

fn declares(file: &FileDescriptor, deployable: &Deployable) -> bool {
    let options = file.options();
    let Some(descriptor) = file.parent_pool().get_extension_by_name(DEPLOYABLE.name) else {
        return false;
    };
    let value = options.get_extension(&descriptor);
    let name = value.as_message().and_then(|rule| rule.get_field_by_name("name"));
    name.is_some_and(|name| name.as_str() == Some(&deployable.name))
}

fn file_of<'a>(package: &Package, files: &'a [FileDescriptor]) -> Option<&'a FileDescriptor> {
    files.iter().find(|file| file.package_name() == package.name)
}
