//! Addresses within the reference, relative to its top.

use crate::emit::document::index::local;

/// A top-level thing of a package: a service, an event, a message.
pub(in crate::emit) fn to(full_name: &str) -> String {
    let package = full_name.rsplit_once('.').map_or("", |(package, _)| package);
    within(package, full_name)
}

/// A thing of a package, nested or not.
pub(in crate::emit) fn within(package: &str, full_name: &str) -> String {
    format!("{}#{}", self::package(package), local(package, full_name))
}

/// The page of a package.
pub(in crate::emit) fn package(name: &str) -> String {
    format!("packages/{name}.html")
}

/// An RPC, a workflow or an activity.
pub(in crate::emit) fn method(service: &str, method: &str) -> String {
    format!("{}.{method}", to(service))
}

/// The page of a deployable.
pub(in crate::emit) fn deployable(name: &str) -> String {
    format!("deployables/{name}.html")
}

/// A stream.
pub(in crate::emit) fn stream(name: &str) -> String {
    format!("events.html#stream-{name}")
}
