//! What statements do to enum types.

use sqlparser::ast::{
    AlterType, AlterTypeAddValuePosition, AlterTypeOperation, Ident, ObjectName, Spanned,
    UserDefinedTypeRepresentation,
};

use super::emit::pascal;
use super::replay::Mistake;
use super::statement::{Outcome, free_name, identifier, object_name};
use super::{ColumnType, EnumType, Schema};

/// `CREATE TYPE ... AS ENUM`.
pub(super) fn create(
    schema: &mut Schema,
    name: &ObjectName,
    representation: Option<&UserDefinedTypeRepresentation>,
) -> Outcome {
    let at = name.span().start;
    let name = object_name(name)?;
    let Some(UserDefinedTypeRepresentation::Enum { labels }) = representation else {
        return Err(Mistake::new(
            format!("the type `{name}` is not an enum"),
            "only CREATE TYPE ... AS ENUM is understood",
        )
        .at(at));
    };
    free_name(schema, &name, &pascal(&name)).map_err(|mistake| mistake.at(at))?;
    let mut kind = EnumType::default();
    for label in labels {
        let position = kind.labels.len();
        add_label(&mut kind, label, position)?;
    }
    schema.enums.insert(name, kind);
    Ok(())
}

fn add_label(kind: &mut EnumType, label: &Ident, position: usize) -> Outcome {
    let at = label.span.start;
    let mut letters = label.value.chars();
    let well_formed = letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
    if !well_formed || label.value == "self" {
        return Err(Mistake::new(
            format!("the label '{}' cannot be the name of a Rust variant", label.value),
            "use lower-case letters, digits, underscores and hyphens, beginning with a letter",
        )
        .at(at));
    }
    let same = |other: &String| pascal(other) == pascal(&label.value);
    if kind.labels.iter().any(same) {
        let message = format!("the label '{}' collides with another", label.value);
        return Err(Mistake::new(message, "choose another label").at(at));
    }
    kind.labels.insert(position, label.value.clone());
    Ok(())
}

/// `ALTER TYPE`.
pub(super) fn alter(schema: &mut Schema, alter: &AlterType) -> Outcome {
    let at = alter.name.span().start;
    let name = object_name(&alter.name)?;
    let Some(mut kind) = schema.enums.get(&name).cloned() else {
        let message = format!("there is no enum type `{name}` at this point");
        return Err(Mistake::new(message, "").at(at));
    };
    let position = |kind: &EnumType, label: &Ident| {
        kind.labels.iter().position(|other| *other == label.value).ok_or_else(|| {
            let message = format!("`{name}` has no label '{}'", label.value);
            Mistake::new(message, "").at(label.span.start)
        })
    };
    match &alter.operation {
        AlterTypeOperation::AddValue(add) => {
            if add.if_not_exists && kind.labels.contains(&add.value.value) {
                return Ok(());
            }
            let place = match &add.position {
                None => kind.labels.len(),
                Some(AlterTypeAddValuePosition::Before(label)) => position(&kind, label)?,
                Some(AlterTypeAddValuePosition::After(label)) => position(&kind, label)? + 1,
            };
            add_label(&mut kind, &add.value, place)?;
        }
        AlterTypeOperation::RenameValue(rename) => {
            let place = position(&kind, &rename.from)?;
            kind.labels.remove(place);
            add_label(&mut kind, &rename.to, place)?;
        }
        AlterTypeOperation::Rename(rename) => {
            let new_name = identifier(&rename.new_name)?;
            free_name(schema, &new_name, &pascal(&new_name)).map_err(|mistake| mistake.at(at))?;
            rename_enum(schema, &name, &new_name);
            schema.enums.remove(&name);
            schema.enums.insert(new_name, kind);
            return Ok(());
        }
    }
    schema.enums.insert(name, kind);
    Ok(())
}

fn rename_enum(schema: &mut Schema, from: &str, to: &str) {
    fn rename(kind: &mut ColumnType, from: &str, to: &str) {
        match kind {
            ColumnType::Enum(name) if name == from => to.clone_into(name),
            ColumnType::Array(element) => rename(element, from, to),
            _ => {}
        }
    }
    for column in schema.tables.values_mut().flat_map(|table| &mut table.columns) {
        rename(&mut column.kind, from, to);
    }
}
