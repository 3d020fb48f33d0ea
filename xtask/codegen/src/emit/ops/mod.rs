//! What operations need to know of the contracts, as data under `ops/`: streams and
//! consumers, who may do what at the broker, who may call what, who talks to whom, and
//! what of all this the chart of the services needs.

mod access;
mod network;
mod permissions;
mod streams;
mod values;

use serde::Serialize;

use crate::File;
use crate::model::Model;

/// Writes everything below `ops/`; nothing without deployables.
pub(super) fn emit(model: &Model) -> Vec<File> {
    if model.deployables.is_empty() {
        return Vec::new();
    }
    let mut files = streams::emit(model);
    files.extend(permissions::emit(model));
    files.push(access::emit(model));
    files.push(network::emit(model));
    files.extend(values::emit(model));
    files
}

/// A file of JSON. Types with named fields are written in the order of their
/// fields, so that the bytes do not depend on how a map is kept.
fn json(path: &str, value: &impl Serialize) -> File {
    // Only a map with keys that are no texts fails, and none is written here.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    File::new(format!("ops/{path}"), text)
}
