//! The schema of one message.

use super::rules::{MessageRules, Rules};
use super::{Object, Schemas, Value, list, with_notes};
use crate::model::{Field, FieldCardinality, Message};

/// The whole message.
pub(in crate::emit) fn message_schema<'a>(
    schemas: &mut Schemas<'a>,
    message: &'a Message,
) -> Object {
    body_schema(schemas, message, &[])
}

/// The message as a body, without the fields that the request's path holds.
pub(in crate::emit) fn body_schema<'a>(
    schemas: &mut Schemas<'a>,
    message: &'a Message,
    without: &[&str],
) -> Object {
    let fields = || message.fields.iter().filter(|field| !without.contains(&field.name.as_str()));
    let rules = MessageRules::of(message);
    let properties: Object =
        fields().map(|field| (field.json_name.clone(), schemas.field(field).into())).collect();
    let required = fields().filter(|field| is_required(field)).map(|field| &field.json_name);
    let required: Vec<Value> = required.map(Value::from).collect();
    let described =
        with_notes(Object::new().with("type", "object"), &message.comment, &rules.notes);
    let schema = described
        .with_flag("deprecated", message.deprecated)
        .with_list("required", required)
        .with_object("properties", properties);
    with_choices(schema, choices(message, &rules, without))
}

/// Whether a message without the field is wrong.
pub(in crate::emit) fn is_required(field: &Field) -> bool {
    field.cardinality == FieldCardinality::Required
        || field.behaviors.iter().any(|behavior| behavior == "REQUIRED")
        || Rules::of(field).refuses_absence(field)
}

/// Fields of which at most one, or exactly one, may be there.
struct Choice<'a> {
    names: Vec<&'a str>,
    required: bool,
}

fn choices<'a>(message: &'a Message, rules: &'a MessageRules, without: &[&str]) -> Vec<Choice<'a>> {
    let oneofs = message.oneofs.iter().enumerate().map(|(index, oneof)| Choice {
        names: message.variants(index).map(|field| field.json_name.as_str()).collect(),
        required: rules.required_oneofs.contains(&oneof.name),
    });
    let extra = rules.choices.iter().map(|(names, required)| Choice {
        names: names.iter().filter_map(|name| json_name(message, name)).collect(),
        required: *required,
    });
    let bound = |name: &&str| {
        without.iter().any(|field| json_name(message, field).is_some_and(|json| json == *name))
    };
    oneofs
        .chain(extra)
        .filter(|choice| choice.names.len() > 1 && !choice.names.iter().any(bound))
        .collect()
}

fn json_name<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    let field = message.fields.iter().find(|field| field.name == name);
    field.map(|field| field.json_name.as_str())
}

fn with_choices(schema: Object, choices: Vec<Choice<'_>>) -> Object {
    let mut alternatives: Vec<Value> = choices.iter().map(one_of).collect();
    match alternatives.len() {
        0 => schema,
        1 => schema.with("oneOf", alternatives.remove(0)),
        _ => {
            let all = alternatives.into_iter().map(|one| Object::new().with("oneOf", one));
            schema.with("allOf", list(all))
        }
    }
}

/// Exactly one of the fields, or none of them where that is allowed.
fn one_of(choice: &Choice<'_>) -> Value {
    let has = |name: &&str| Object::new().with("required", list([*name]));
    let mut alternatives: Vec<Object> = choice.names.iter().map(has).collect();
    if !choice.required {
        let any = Object::new().with("anyOf", list(alternatives.clone()));
        alternatives.push(Object::new().with("not", any));
    }
    list(alternatives)
}
