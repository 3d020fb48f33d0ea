//! Edition 2023 (<https://protobuf.dev/editions/overview/>) for a parser that knows proto2
//! and proto3.
//!
//! A file of the edition is parsed as proto3, whose grammar is nearest, and goes on as
//! proto2, whose descriptors can say most. What neither syntax can say of an element is
//! kept beside the descriptors, in [`Features`].

mod features;
mod source;

use std::collections::BTreeSet;

use protox::file::File;

pub use features::Features;

use crate::Diagnostic;

/// What became of a file.
pub(super) enum Outcome {
    /// It is no file of an edition.
    Other,
    /// It was understood.
    File(Box<File>, Features),
    /// It was refused.
    Refused(Diagnostic),
}

/// Reads a file, if it is one of an edition.
///
/// # Errors
/// What the parser says of it.
pub(super) fn read(name: &str, text: &str) -> Result<Outcome, protox::Error> {
    let refused = |offset: usize, message: String, advice: &str| {
        let before = text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Outcome::Refused(Diagnostic {
            file: name.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            message,
            advice: advice.to_owned(),
        })
    };
    let rewritten = match source::rewrite(text) {
        source::Rewritten::No => return Ok(Outcome::Other),
        source::Rewritten::Unknown { edition, offset } => {
            let message = format!("edition {edition} cannot be generated");
            return Ok(refused(offset, message, "Use edition 2023, proto3 or proto2."));
        }
        source::Rewritten::Yes(rewritten) => rewritten,
    };
    let file = File::from_source(name, &rewritten)?;
    let mut descriptor = file.file_descriptor_proto().clone();
    Ok(match features::resolve(&mut descriptor) {
        Ok(found) => Outcome::File(Box::new(File::from_file_descriptor_proto(descriptor)), found),
        Err(message) => {
            let advice = "See https://protobuf.dev/editions/features/.";
            refused(text.find("features").unwrap_or_default(), message, advice)
        }
    })
}

impl Features {
    /// Takes over what is known of another file.
    pub(super) fn extend(&mut self, other: Self) {
        let join = |own: &mut BTreeSet<String>, other| own.extend::<BTreeSet<_>>(other);
        join(&mut self.implicit, other.implicit);
        join(&mut self.packed, other.packed);
        join(&mut self.delimited, other.delimited);
        join(&mut self.open, other.open);
    }
}

#[cfg(test)]
mod tests;
