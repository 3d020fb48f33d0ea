//! Messages (prost) of a package.

use super::{rust, types};
use crate::File;
use crate::model::Package;

/// Writes `messages.rs`.
pub(super) fn emit(package: &Package) -> File {
    let text = format!("{}{}", rust::HEADER, types::emit(package));
    File::new(format!("{}/messages.rs", package.directory()), text)
}
