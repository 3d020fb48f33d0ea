//! What workflows are found by: their ids and search attributes.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};

use super::options::{SearchAttributeRule, WORKFLOW};
use super::source::Report;
use super::{events, find_service, messages};
use crate::model::{Model, Part, SearchAttribute, SearchSource};

/// Splits the template of a workflow's id. Ids are shown in lists and logs, so nothing hidden may be
/// part of them.
pub(super) fn workflow_id(text: &str, request: &MessageDescriptor) -> Result<Vec<Part>, String> {
    let parts =
        events::template(text, request).map_err(|message| format!("workflow_id: {message}"))?;
    for part in &parts {
        let Part::Field { name, .. } = part else { continue };
        if request.get_field_by_name(name).is_some_and(|field| messages::is_redacted(&field)) {
            return Err(format!("workflow_id shows field `{name}`, which is debug_redact"));
        }
    }
    Ok(parts)
}

pub(super) fn attributes(
    rules: Vec<SearchAttributeRule>,
    request: &MessageDescriptor,
) -> Result<Vec<SearchAttribute>, String> {
    let mut names = BTreeSet::new();
    rules
        .into_iter()
        .map(|rule| {
            let name = rule.name.clone();
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(plain) {
                return Err(format!(
                    "search attribute `{name}` needs a name of letters and digits"
                ));
            }
            if !names.insert(name.clone()) {
                return Err(format!("search attribute `{name}` is set twice"));
            }
            attribute(rule, request)
                .map_err(|problem| format!("search attribute `{name}`: {problem}"))
        })
        .collect()
}

fn attribute(
    rule: SearchAttributeRule,
    request: &MessageDescriptor,
) -> Result<SearchAttribute, String> {
    let name = rule.name;
    match (rule.field, rule.value) {
        (None, Some(value)) if !value.is_empty() => {
            Ok(SearchAttribute { name, kind: "Keyword", source: SearchSource::Value(value) })
        }
        (Some(field), None) => {
            let found = request
                .get_field_by_name(&field)
                .ok_or_else(|| format!("{} has no field `{field}`", request.full_name()))?;
            let kind = kind(&found)?;
            let json_name = found.json_name().to_owned();
            Ok(SearchAttribute {
                name,
                kind,
                source: SearchSource::Field { name: field, json_name },
            })
        }
        _ => Err("set either `field` or `value`".to_owned()),
    }
}

/// The type at the server.
fn kind(field: &FieldDescriptor) -> Result<&'static str, String> {
    let name = field.name();
    if field.is_list() || field.is_map() {
        return Err(format!("field `{name}` holds several values"));
    }
    if messages::is_redacted(field) {
        return Err(format!("field `{name}` is debug_redact, and search attributes are shown"));
    }
    match field.kind() {
        Kind::String | Kind::Enum(_) => Ok("Keyword"),
        Kind::Bool => Ok("Bool"),
        Kind::Double | Kind::Float => Ok("Double"),
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            Ok("Datetime")
        }
        Kind::Message(_) | Kind::Bytes => {
            Err(format!("field `{name}` is neither text, number, boolean, enum nor timestamp"))
        }
        _ => Ok("Int"),
    }
}

/// All workflows share the names of a namespace, so one name has one type.
pub(super) fn check_kinds(model: &Model, files: &[FileDescriptor], report: &mut Report) {
    let mut known: BTreeMap<&str, (&str, String)> = BTreeMap::new();
    for service in model.packages.iter().flat_map(|package| &package.workflows) {
        for workflow in &service.workflows {
            let element = format!("{}.{}", service.full_name, workflow.name);
            for SearchAttribute { name, kind, .. } in &workflow.search_attributes {
                let (other, of) = known.entry(name).or_insert_with(|| (*kind, element.clone()));
                if *other == *kind {
                    continue;
                }
                let Some(declared) = find_service(files, &service.full_name) else { continue };
                let methods = declared.methods();
                let Some(method) = methods.into_iter().find(|one| one.name() == workflow.name)
                else {
                    continue;
                };
                let message =
                    format!("search attribute `{name}` is {kind} here and {other} in {of}");
                let advice = "Give one of them another name.";
                let file = declared.parent_file();
                report.add(&file, &WORKFLOW.on(method.path()), message, advice);
            }
        }
    }
}
