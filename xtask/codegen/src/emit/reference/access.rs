//! Who may call.

use super::html::{badge, link};
use super::links;
use crate::model::{Access, Method};

/// The access rule of a method, with links to the callers.
pub(super) fn access(method: &Method, top: &str) -> String {
    let rules = method.access.iter().map(|access| match access {
        Access::Public => badge("public", "public"),
        Access::Operators => badge("operators", "operators"),
        Access::Callers(names) if names.is_empty() => badge("callers", "callers: none"),
        Access::Callers(names) => {
            let links: Vec<_> = names
                .iter()
                .map(|name| link(&format!("{top}{}", links::deployable(name)), name))
                .collect();
            format!("{} {}", badge("callers", "callers"), links.join(", "))
        }
    });
    rules.collect::<Vec<_>>().join(" ")
}
