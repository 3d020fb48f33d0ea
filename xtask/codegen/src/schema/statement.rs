//! What each statement does to the schema.

use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation, ColumnDef, ColumnOption, CommentObject,
    CreateTable, Expr, Ident, ObjectName, ObjectNamePart, ObjectType, RenameTableNameKind, SetExpr,
    Spanned, Statement, TableConstraint,
};

use super::emit::{pascal, row_name};
use super::replay::Mistake;
use super::types::understand;
use super::{Column, ColumnType, Schema, Table, enums};

pub(super) type Outcome = Result<(), Mistake>;

/// Applies one statement.
pub(super) fn apply(schema: &mut Schema, statement: &Statement) -> Outcome {
    match statement {
        Statement::CreateTable(create) => create_table(schema, create),
        Statement::AlterTable(alter) => alter_table(schema, alter),
        Statement::CreateType { name, representation } => {
            enums::create(schema, name, representation.as_ref())
        }
        Statement::AlterType(alter) => enums::alter(schema, alter),
        Statement::Drop { object_type, if_exists, names, .. } => {
            names.iter().try_for_each(|name| drop_object(schema, *object_type, *if_exists, name))
        }
        Statement::Comment { object_type, object_name, comment, .. } => {
            comment_on(schema, *object_type, object_name, comment.as_deref())
        }
        Statement::Query(query) => match query.body.as_ref() {
            SetExpr::Select(select) if select.into.is_none() => Ok(()),
            _ => Err(not_understood()),
        },
        // These cannot change the shape of a table.
        Statement::CreateIndex(_)
        | Statement::AlterIndex { .. }
        | Statement::CreateExtension(_)
        | Statement::CreateFunction(_)
        | Statement::DropFunction(_)
        | Statement::CreateTrigger(_)
        | Statement::DropTrigger(_)
        | Statement::CreateView(_)
        | Statement::CreateSequence { .. }
        | Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::Truncate(_)
        | Statement::Analyze(_)
        | Statement::Set(_)
        | Statement::Grant(_)
        | Statement::Revoke(_) => Ok(()),
        _ => Err(not_understood()),
    }
}

fn not_understood() -> Mistake {
    Mistake::new(
        "this statement may change a table in a way that the generator does not understand",
        "write it with CREATE TABLE, ALTER TABLE, CREATE TYPE ... AS ENUM, ALTER TYPE, DROP or \
         COMMENT ON, or teach schema/statement.rs what it does",
    )
}

/// A table, type or index name. Only the default schema is known.
pub(super) fn object_name(name: &ObjectName) -> Result<String, Mistake> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => identifier(name),
        [ObjectNamePart::Identifier(schema), ObjectNamePart::Identifier(name)]
            if schema.value.eq_ignore_ascii_case("public") =>
        {
            identifier(name)
        }
        _ => Err(Mistake::new(
            format!("`{name}` is outside the schema `public`"),
            "keep tables and types in the schema `public` and name them without it",
        )
        .at(name.span().start)),
    }
}

/// An identifier as Postgres keeps it, if it can also be a Rust name.
pub(super) fn identifier(ident: &Ident) -> Result<String, Mistake> {
    let name = match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    };
    let mut letters = name.chars();
    let begins_well = letters.next().is_some_and(|first| first.is_ascii_lowercase());
    let goes_on_well = letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let forbidden = ["self", "super", "crate"].contains(&name.as_str());
    if begins_well && goes_on_well && !forbidden {
        return Ok(name);
    }
    Err(Mistake::new(
        format!("`{name}` cannot be the name of a Rust item"),
        "use lower-case letters, digits and underscores, beginning with a letter",
    )
    .at(ident.span.start))
}

fn create_table(schema: &mut Schema, create: &CreateTable) -> Outcome {
    let name = object_name(&create.name)?;
    let at = create.name.span().start;
    let foreign_clause = create.query.is_some()
        || create.like.is_some()
        || create.clone.is_some()
        || create.inherits.is_some()
        || create.partition_of.is_some();
    if foreign_clause {
        return Err(Mistake::new(
            "the table takes its columns from elsewhere",
            "write out the columns: AS, LIKE, INHERITS and PARTITION OF are not understood",
        )
        .at(at));
    }
    if create.temporary {
        return Ok(());
    }
    if schema.tables.contains_key(&name) {
        let twice = Mistake::new(format!("the table `{name}` exists already"), "").at(at);
        return if create.if_not_exists { Ok(()) } else { Err(twice) };
    }
    free_name(schema, &name, &row_name(&name)).map_err(|mistake| mistake.at(at))?;
    let mut table = Table::default();
    for definition in &create.columns {
        add_column(schema, &mut table, definition)?;
    }
    for constraint in &create.constraints {
        constrain(&mut table, constraint)?;
    }
    schema.tables.insert(name, table);
    Ok(())
}

/// Tables and types share one space of names in Postgres, and another in Rust.
pub(super) fn free_name(schema: &Schema, name: &str, rust: &str) -> Outcome {
    let taken = schema.tables.contains_key(name)
        || schema.enums.contains_key(name)
        || schema.tables.keys().any(|table| row_name(table) == rust)
        || schema.enums.keys().any(|kind| pascal(kind) == rust)
        || ["Option", "String", "Vec"].contains(&rust);
    if taken {
        let message = format!("the name `{name}` is taken (in Rust it becomes `{rust}`)");
        return Err(Mistake::new(message, "choose another name"));
    }
    Ok(())
}

fn add_column(schema: &Schema, table: &mut Table, definition: &ColumnDef) -> Outcome {
    let at = definition.name.span.start;
    let name = identifier(&definition.name)?;
    if table.column(&name).is_some() {
        return Err(Mistake::new(format!("the column `{name}` exists already"), "").at(at));
    }
    let declared = understand(schema, &definition.data_type).map_err(|advice| {
        let message = format!("the column `{name}` has the type {}", definition.data_type);
        Mistake::new(format!("{message}, which has no Rust type"), advice).at(at)
    })?;
    let not_null = declared.not_null
        || definition.options.iter().any(|option| {
            matches!(
                option.option,
                ColumnOption::NotNull
                    | ColumnOption::PrimaryKey(_)
                    | ColumnOption::Identity(_)
                    | ColumnOption::Generated { generation_expr: None, .. }
            )
        });
    table.columns.push(Column { name, kind: declared.kind, nullable: !not_null, comment: None });
    Ok(())
}

/// A primary key makes its columns not null; other constraints change no type.
fn constrain(table: &mut Table, constraint: &TableConstraint) -> Outcome {
    let key = match constraint {
        TableConstraint::PrimaryKey(key) => key,
        TableConstraint::Unique(_) | TableConstraint::ForeignKey(_) | TableConstraint::Check(_) => {
            return Ok(());
        }
        other => {
            return Err(Mistake::new(
                format!("the constraint `{other}` is not understood"),
                "use PRIMARY KEY (columns), UNIQUE, FOREIGN KEY or CHECK",
            ));
        }
    };
    for part in &key.columns {
        let Expr::Identifier(ident) = &part.column.expr else { continue };
        existing(table, ident)?.nullable = false;
    }
    Ok(())
}

fn existing<'a>(table: &'a mut Table, ident: &Ident) -> Result<&'a mut Column, Mistake> {
    let name = identifier(ident)?;
    let at = ident.span.start;
    table
        .column_mut(&name)
        .ok_or_else(|| Mistake::new(format!("there is no column `{name}` here"), "").at(at))
}

fn alter_table(schema: &mut Schema, alter: &AlterTable) -> Outcome {
    let name = object_name(&alter.name)?;
    let at = alter.name.span().start;
    let Some(mut table) = schema.tables.get(&name).cloned() else {
        let unknown = Mistake::new(format!("there is no table `{name}` at this point"), "").at(at);
        return if alter.if_exists { Ok(()) } else { Err(unknown) };
    };
    let mut new_name = name.clone();
    for operation in &alter.operations {
        if let AlterTableOperation::RenameTable { table_name } = operation {
            let (RenameTableNameKind::To(to) | RenameTableNameKind::As(to)) = table_name;
            new_name = object_name(to)?;
            free_name(schema, &new_name, &row_name(&new_name))
                .map_err(|mistake| mistake.at(to.span().start))?;
        } else {
            alter_columns(schema, &mut table, operation)
                .map_err(|mistake| if mistake.at.is_none() { mistake.at(at) } else { mistake })?;
        }
    }
    schema.tables.remove(&name);
    schema.tables.insert(new_name, table);
    Ok(())
}

fn alter_columns(schema: &Schema, table: &mut Table, operation: &AlterTableOperation) -> Outcome {
    match operation {
        AlterTableOperation::AddColumn { column_def, if_not_exists, .. } => {
            if *if_not_exists && table.column(&identifier(&column_def.name)?).is_some() {
                return Ok(());
            }
            add_column(schema, table, column_def)
        }
        AlterTableOperation::DropColumn { column_names, if_exists, .. } => {
            for ident in column_names {
                match existing(table, ident).map(|column| column.name.clone()) {
                    Ok(name) => table.columns.retain(|column| column.name != name),
                    Err(_) if *if_exists => {}
                    Err(mistake) => return Err(mistake),
                }
            }
            Ok(())
        }
        AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
            let new_name = identifier(new_column_name)?;
            if table.column(&new_name).is_some() {
                let message = format!("the column `{new_name}` exists already");
                return Err(Mistake::new(message, "").at(new_column_name.span.start));
            }
            existing(table, old_column_name)?.name = new_name;
            Ok(())
        }
        AlterTableOperation::AlterColumn { column_name, op } => {
            alter_column(schema, existing(table, column_name)?, op)
                .map_err(|mistake| mistake.at(column_name.span.start))
        }
        AlterTableOperation::AddConstraint { constraint, .. } => constrain(table, constraint),
        AlterTableOperation::DropConstraint { .. }
        | AlterTableOperation::RenameConstraint { .. }
        | AlterTableOperation::ValidateConstraint { .. }
        | AlterTableOperation::SetOptionsParens { .. }
        | AlterTableOperation::EnableRowLevelSecurity
        | AlterTableOperation::DisableRowLevelSecurity
        | AlterTableOperation::OwnerTo { .. } => Ok(()),
        other => Err(Mistake::new(
            format!("`{other}` is not understood"),
            "write it with ADD, DROP, RENAME or ALTER COLUMN, or teach schema/statement.rs",
        )),
    }
}

fn alter_column(schema: &Schema, column: &mut Column, op: &AlterColumnOperation) -> Outcome {
    match op {
        AlterColumnOperation::SetNotNull => column.nullable = false,
        AlterColumnOperation::DropNotNull => column.nullable = true,
        AlterColumnOperation::SetDataType { data_type, .. } => {
            column.kind = understand(schema, data_type)
                .map_err(|advice| {
                    Mistake::new(format!("the type {data_type} has no Rust type"), advice)
                })?
                .kind;
        }
        AlterColumnOperation::SetDefault { .. }
        | AlterColumnOperation::DropDefault
        | AlterColumnOperation::AddGenerated { .. } => {}
        other => {
            let advice = "teach schema/statement.rs what it does";
            return Err(Mistake::new(format!("`{other}` is not understood"), advice));
        }
    }
    Ok(())
}

fn drop_object(
    schema: &mut Schema,
    kind: ObjectType,
    if_exists: bool,
    name: &ObjectName,
) -> Outcome {
    let at = name.span().start;
    match kind {
        ObjectType::Table => {
            let name = object_name(name)?;
            if schema.tables.remove(&name).is_none() && !if_exists {
                let message = format!("there is no table `{name}` at this point");
                return Err(Mistake::new(message, "").at(at));
            }
        }
        ObjectType::Type => {
            let name = object_name(name)?;
            let used = |column: &Column| *column.kind.element() == ColumnType::Enum(name.clone());
            let user = schema.tables.iter().find(|(_, table)| table.columns.iter().any(used));
            if let Some((table, _)) = user {
                let message = format!("the type `{name}` is still used by the table `{table}`");
                return Err(Mistake::new(message, "drop or alter the columns first").at(at));
            }
            if schema.enums.remove(&name).is_none() && !if_exists {
                let message = format!("there is no enum type `{name}` at this point");
                return Err(Mistake::new(message, "").at(at));
            }
        }
        ObjectType::Index
        | ObjectType::View
        | ObjectType::MaterializedView
        | ObjectType::Sequence
        | ObjectType::Role => {}
        _ => return Err(not_understood().at(at)),
    }
    Ok(())
}

fn comment_on(
    schema: &mut Schema,
    kind: CommentObject,
    name: &ObjectName,
    comment: Option<&str>,
) -> Outcome {
    let at = name.span().start;
    let unknown = || Mistake::new(format!("there is no `{name}` at this point"), "").at(at);
    let slot = match kind {
        CommentObject::Table => {
            &mut schema.tables.get_mut(&object_name(name)?).ok_or_else(unknown)?.comment
        }
        CommentObject::Type => {
            &mut schema.enums.get_mut(&object_name(name)?).ok_or_else(unknown)?.comment
        }
        CommentObject::Column => {
            let (Some(ObjectNamePart::Identifier(column)), parts) =
                (name.0.last(), &name.0[..name.0.len().saturating_sub(1)])
            else {
                return Err(unknown());
            };
            let table = object_name(&ObjectName(parts.to_vec()))?;
            let table = schema.tables.get_mut(&table).ok_or_else(unknown)?;
            &mut existing(table, column)?.comment
        }
        _ => return Ok(()),
    };
    *slot = comment.map(str::to_owned);
    Ok(())
}
