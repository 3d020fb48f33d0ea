//! Messages, as far as our options say more of them than protobuf does.

use std::collections::BTreeSet;

use super::Findings;
use super::rules::{FIELD_REDACTION_REMOVED, FIELD_REQUIRED, HTTP_NAME_REMOVED};
use crate::model::{EnumValue, Field, Message, Model, TypeRef};

/// What a message is sent for.
#[derive(Debug, Default)]
pub(super) struct Roles<'a> {
    /// Types inside of requests and of the arguments of workflows and activities.
    pub(super) sent: BTreeSet<&'a TypeRef>,
    /// Those of them that HTTP callers send.
    pub(super) sent_by_http: BTreeSet<&'a TypeRef>,
    /// Types inside of responses and results.
    pub(super) answered: BTreeSet<&'a TypeRef>,
    /// Types inside of events.
    pub(super) published: BTreeSet<&'a TypeRef>,
}

impl<'a> Roles<'a> {
    pub(super) fn of(model: &'a Model) -> Self {
        let mut roles = Self::default();
        for package in &model.packages {
            for method in package.services.iter().flat_map(|service| &service.methods) {
                reach(model, &method.input, &mut roles.sent);
                if !method.routes.is_empty() {
                    reach(model, &method.input, &mut roles.sent_by_http);
                }
                reach(model, &method.output, &mut roles.answered);
            }
            for service in &package.workflows {
                for workflow in &service.workflows {
                    reach(model, &workflow.input, &mut roles.sent);
                    reach(model, &workflow.output, &mut roles.answered);
                }
                for activity in &service.activities {
                    reach(model, &activity.input, &mut roles.sent);
                    reach(model, &activity.output, &mut roles.answered);
                }
            }
            for event in &package.events {
                reach(model, &event.rust, &mut roles.published);
            }
        }
        roles
    }
}

/// Adds a type and all types inside of it.
fn reach<'a>(model: &'a Model, from: &'a TypeRef, reached: &mut BTreeSet<&'a TypeRef>) {
    let mut pending = vec![from];
    while let Some(reference) = pending.pop() {
        if reached.insert(reference)
            && let Some(message) = model.message(reference)
        {
            pending.extend(message.refers());
        }
    }
}

/// Every message that is there before and after.
pub(super) fn pairs<'a>(
    old: &'a Model,
    new: &'a Model,
) -> impl Iterator<Item = (&'a Message, &'a Message)> {
    let messages = old.packages.iter().flat_map(|package| &package.messages);
    messages.filter_map(|message| Some((message, new.message(&message.rust)?)))
}

pub(super) fn compare(old: &Model, new: &Model, findings: &mut Findings) {
    let (before, after) = (Roles::of(old), Roles::of(new));
    for (was, is) in pairs(old, new) {
        compare_redaction(was, is, findings);
        // A message that nobody sent before may ask for what it likes.
        if before.sent.contains(&was.rust) && after.sent.contains(&is.rust) {
            compare_required(was, is, findings);
        }
        if before.sent_by_http.contains(&was.rust) && after.sent_by_http.contains(&is.rust) {
            compare_fields(was, is, findings);
        }
    }
    compare_values(old, new, &before, findings);
}

fn compare_redaction(was: &Message, is: &Message, findings: &mut Findings) {
    for field in was.fields.iter().filter(|field| field.redacted) {
        let now = is.fields.iter().find(|now| now.number == field.number);
        if let Some(now) = now.filter(|now| !now.redacted) {
            let element = format!("{}.{}", is.full_name, now.name);
            let message = format!("field `{}` is no longer redacted", now.name);
            findings.add(FIELD_REDACTION_REMOVED, &element, message);
        }
    }
}

fn compare_required(was: &Message, is: &Message, findings: &mut Findings) {
    let required = |message: &Message, number: u32| {
        let field = message.fields.iter().find(|field| field.number == number);
        field.is_some_and(|field| field.behaviors.iter().any(|name| name == "REQUIRED"))
    };
    for field in &is.fields {
        if required(is, field.number) && !required(was, field.number) {
            let element = format!("{}.{}", is.full_name, field.name);
            let message = format!("field `{}` is required, was not", field.name);
            findings.add(FIELD_REQUIRED, &element, message);
        }
    }
}

/// Numbers that are gone; that of a field with another name is judged by buf.
fn compare_fields(was: &Message, is: &Message, findings: &mut Findings) {
    for field in &was.fields {
        let stays = |now: &Field| now.number == field.number || now.name == field.name;
        if !is.fields.iter().any(stays) {
            let element = format!("{}.{}", was.full_name, field.name);
            let message = format!("field `{}` is gone", field.name);
            findings.add(HTTP_NAME_REMOVED, &element, message);
        }
    }
}

fn compare_values(old: &Model, new: &Model, before: &Roles<'_>, findings: &mut Findings) {
    let sent = old.packages.iter().flat_map(|package| &package.enums);
    for was in sent.filter(|was| before.sent_by_http.contains(&was.rust)) {
        let Some(is) = new.enumeration(&was.rust) else { continue };
        for value in &was.values {
            let stays = |now: &EnumValue| now.number == value.number || now.name == value.name;
            if !is.values.iter().any(stays) {
                let element = format!("{}.{}", was.full_name, value.name);
                let message = format!("value `{}` is gone", value.name);
                findings.add(HTTP_NAME_REMOVED, &element, message);
            }
        }
    }
}
