//! Finding the model's things by name, in constant time.

use std::collections::HashMap;

use crate::model::{Access, Deployable, Enum, Event, Message, Method, Model, Package, TypeRef};

/// The model with its things by name.
pub(in crate::emit) struct Index<'a> {
    pub(in crate::emit) model: &'a Model,
    messages: HashMap<&'a TypeRef, &'a Message>,
    enums: HashMap<&'a TypeRef, &'a Enum>,
    packages: HashMap<&'a str, &'a Package>,
}

impl<'a> Index<'a> {
    pub(in crate::emit) fn new(model: &'a Model) -> Self {
        let packages = &model.packages;
        let messages = packages.iter().flat_map(|package| &package.messages);
        let enums = packages.iter().flat_map(|package| &package.enums);
        Self {
            model,
            messages: messages.map(|message| (&message.rust, message)).collect(),
            enums: enums.map(|enumeration| (&enumeration.rust, enumeration)).collect(),
            packages: packages.iter().map(|package| (package.name.as_str(), package)).collect(),
        }
    }

    /// A message of the contracts; none for what a library brings.
    pub(in crate::emit) fn message(&self, rust: &TypeRef) -> Option<&'a Message> {
        self.messages.get(rust).copied()
    }

    /// An enum of the contracts; none for what a library brings.
    pub(in crate::emit) fn enumeration(&self, rust: &TypeRef) -> Option<&'a Enum> {
        self.enums.get(rust).copied()
    }

    /// Whether a package is one of the contracts'.
    pub(in crate::emit) fn is_package(&self, name: &str) -> bool {
        self.packages.contains_key(name)
    }

    /// Full proto name of a message.
    pub(in crate::emit) fn message_name(&self, rust: &TypeRef) -> String {
        self.message(rust).map_or_else(|| foreign_name(rust), |message| message.full_name.clone())
    }

    /// The deployable that answers a service.
    pub(in crate::emit) fn server(&self, service: &str) -> Option<&'a Deployable> {
        self.model.deployables.iter().find(|one| one.serves.iter().any(|name| name == service))
    }

    /// The event that a message is, by the message's full name.
    pub(in crate::emit) fn event(&self, full_name: &str) -> Option<&'a Event> {
        self.model.event(full_name).map(|(_, event)| event)
    }
}

/// A library's types are not nested, so that their path is their name.
fn foreign_name(rust: &TypeRef) -> String {
    format!("{}.{}", rust.package, rust.path.replace("::", "."))
}

/// Whether anybody may call.
pub(in crate::emit) fn is_public(method: &Method) -> bool {
    method.access.contains(&Access::Public)
}

/// The part of a full name after the last dot.
pub(in crate::emit) fn short(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}

/// A name below its package, for example `Order.Line` of `acme.orders.v1.Order.Line`.
pub(in crate::emit) fn local<'n>(package: &str, full_name: &'n str) -> &'n str {
    full_name.strip_prefix(package).map_or(full_name, |rest| rest.trim_start_matches('.'))
}
