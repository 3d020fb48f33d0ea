//! `Debug` of messages with fields that must not be printed.

use super::last;
use super::writer::Writer;
use crate::model::{Member, Message, Oneof};

pub(super) fn message(writer: &mut Writer, message: &Message) {
    let name = last(&message.rust.path);
    implementation(writer, name, |writer| {
        writer.line(&format!("f.debug_struct(\"{name}\")"));
        writer.inside(|writer| {
            for member in message.members() {
                let (field, redacted) = match member {
                    Member::Field(field) => (&field.rust_name, field.redacted),
                    // What of a oneof must not be printed is known to its enum.
                    Member::Oneof(oneof) => (&oneof.rust_name, false),
                };
                let label = label(field);
                if redacted {
                    writer.line(&format!(
                        ".field(\"{label}\", &::core::format_args!(\"[redacted]\"))"
                    ));
                } else {
                    writer.line(&format!(".field(\"{label}\", &self.{field})"));
                }
            }
            writer.line(".finish()");
        });
    });
}

pub(super) fn oneof(writer: &mut Writer, message: &Message, index: usize, oneof: &Oneof) {
    implementation(writer, last(&oneof.rust.path), |writer| {
        writer.line("match self {");
        writer.inside(|writer| {
            for field in message.variants(index) {
                let (name, label) = (&field.rust_name, label(&field.rust_name));
                let (bound, value) = if field.redacted {
                    ("_", "&::core::format_args!(\"[redacted]\")")
                } else {
                    ("value", "value")
                };
                writer.line(&format!("Self::{name}({bound}) => {{"));
                writer.inside(|writer| {
                    writer.line(&format!("f.debug_tuple(\"{label}\").field({value}).finish()"));
                });
                writer.line("}");
            }
        });
        writer.line("}");
    });
}

/// A name as it is printed.
fn label(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

fn implementation(writer: &mut Writer, name: &str, body: impl FnOnce(&mut Writer)) {
    writer.item();
    writer.line("#[allow(deprecated)]");
    writer.line(&format!("impl ::core::fmt::Debug for {name} {{"));
    writer.inside(|writer| {
        writer.line("fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {");
        writer.inside(body);
        writer.line("}");
    });
    writer.line("}");
}
