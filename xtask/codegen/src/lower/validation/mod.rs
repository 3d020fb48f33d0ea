//! Rules of `buf.validate`: whether they fit what they stand on, and what they say.

mod cel;
mod rules;
mod standard;

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, FileDescriptor, MessageDescriptor,
    OneofDescriptor,
};

use self::rules::Rules;
use super::options::{self, Rule};
use super::source::Report;
use crate::load::Contracts;
use crate::model::{
    CelPlace, CelRule, CelShape, FieldCardinality, FieldGroup, FieldRules, FieldType, Ignore,
    MessageRules, Package, StandardRules,
};

/// Where rules are read, and mistakes noted.
pub(super) struct Context<'a> {
    pub(super) contracts: &'a Contracts,
    pub(super) file: &'a FileDescriptor,
    pub(super) report: &'a mut Report,
}

const ADVICE: &str =
    "Rules are explained in docs/validation.md and in buf/validate/validate.proto.";

impl Context<'_> {
    fn mistake(&mut self, holder: &str, path: &[i32], rule: Rule, text: impl Into<String>) {
        self.report.add_rule(holder, self.file, &rule.on(path), text, ADVICE);
    }

    /// The expressions of a message's or field's rules.
    fn expressions(
        &mut self,
        holder: &DynamicMessage,
        this: &CelShape,
        redacted: bool,
    ) -> Result<Vec<CelRule>, String> {
        let rules = Rules(holder);
        let scope = cel::Scope { contracts: self.contracts, this: this.clone(), rule: None };
        let mut found = Vec::new();
        for (index, expression) in (0..).zip(rules.strings("cel_expression")) {
            let place = CelPlace::Expression(index);
            found.push(expression_rule(&expression, "", &expression, place, &scope, redacted)?);
        }
        for (index, rule) in (0..).zip(rules.messages("cel")) {
            found.push(declared(&rule, CelPlace::Cel(index), &scope, redacted)?);
        }
        Ok(found)
    }
}

/// A `buf.validate.Rule`.
fn declared(
    rule: &DynamicMessage,
    place: CelPlace,
    scope: &cel::Scope<'_>,
    redacted: bool,
) -> Result<CelRule, String> {
    let text = |name| Rules(rule).string(name).unwrap_or_default();
    let (id, expression) = (text("id"), text("expression"));
    // Without an id the expression is the only name that the rule has.
    let id = if id.is_empty() { &expression } else { &id };
    expression_rule(id, &text("message"), &expression, place, scope, redacted)
}

fn expression_rule(
    id: &str,
    message: &str,
    expression: &str,
    place: CelPlace,
    scope: &cel::Scope<'_>,
    redacted: bool,
) -> Result<CelRule, String> {
    let checked = cel::compile(expression, scope)
        .map_err(|error| format!("the expression of rule `{id}` is wrong: {error}"))?;
    Ok(CelRule {
        id: id.to_owned(),
        message: message.to_owned(),
        expression: expression.to_owned(),
        place,
        program: checked.program,
        redacted: redacted || checked.reads_redacted,
    })
}

/// Rules of a message as a whole.
pub(super) fn message(context: &mut Context<'_>, message: &MessageDescriptor) -> MessageRules {
    let rule = options::MESSAGE_RULES;
    let Some(holder) = holder(&context.contracts.pool, &message.options(), rule) else {
        return MessageRules::default();
    };
    let mut lowered = MessageRules::default();
    match context.expressions(&holder, &cel::of_message(message), false) {
        Ok(found) => lowered.cel = found,
        Err(error) => context.mistake(message.full_name(), message.path(), rule, error),
    }
    for group in Rules(&holder).messages("oneof") {
        let group = FieldGroup {
            fields: Rules(&group).strings("fields"),
            required: Rules(&group).bool("required").unwrap_or_default(),
        };
        if let Err(error) = check_group(message, &group) {
            context.mistake(message.full_name(), message.path(), rule, error);
            continue;
        }
        lowered.groups.push(group);
    }
    lowered
}

fn check_group(message: &MessageDescriptor, group: &FieldGroup) -> Result<(), String> {
    if group.fields.is_empty() {
        return Err("a oneof rule names no field".to_owned());
    }
    let mut seen = BTreeSet::new();
    for name in &group.fields {
        if message.get_field_by_name(name).is_none() {
            let message = message.full_name();
            return Err(format!("a oneof rule names `{name}`, which {message} has not"));
        }
        if !seen.insert(name) {
            return Err(format!("a oneof rule names `{name}` twice"));
        }
    }
    Ok(())
}

/// Whether one of a oneof's fields has to be set.
pub(super) fn is_required(pool: &DescriptorPool, oneof: &OneofDescriptor) -> bool {
    let holder = holder(pool, &oneof.options(), options::ONEOF_RULES);
    holder.is_some_and(|holder| Rules(&holder).bool("required") == Some(true))
}

/// Rules of a field.
pub(super) fn field(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    cardinality: FieldCardinality,
    redacted: bool,
) -> FieldRules {
    let grouped = is_grouped(&context.contracts.pool, field);
    let Some(holder) = holder(&context.contracts.pool, &field.options(), options::FIELD_RULES)
    else {
        let ignore = if grouped { Ignore::Zero } else { Ignore::Unset };
        return FieldRules { ignore, ..FieldRules::default() };
    };
    let place = match cardinality {
        FieldCardinality::Repeated => Place::List,
        FieldCardinality::Map(_) => Place::Map,
        _ => Place::One,
    };
    match value(context, &holder, field, place, redacted) {
        Ok(mut rules) => {
            // Of fields of which only one may be set, the others are zero.
            if grouped && rules.ignore == Ignore::Unset {
                rules.ignore = Ignore::Zero;
            }
            rules
        }
        Err(error) => {
            let holder = field.parent_message().full_name().to_owned();
            context.mistake(&holder, field.path(), options::FIELD_RULES, error);
            FieldRules::default()
        }
    }
}

/// Whether a rule of the message names the field among those of which one may be set.
fn is_grouped(pool: &DescriptorPool, field: &FieldDescriptor) -> bool {
    let options = field.parent_message().options();
    holder(pool, &options, options::MESSAGE_RULES).is_some_and(|holder| {
        let mut groups = Rules(&holder).messages("oneof").into_iter();
        groups.any(|group| Rules(&group).strings("fields").iter().any(|name| name == field.name()))
    })
}

/// What of a field rules stand on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The field, which holds one value, or an item of its list, or a key or value.
    One,
    /// The field, which is a list.
    List,
    /// The field, which is a map.
    Map,
}

fn value(
    context: &mut Context<'_>,
    holder: &DynamicMessage,
    field: &FieldDescriptor,
    place: Place,
    redacted: bool,
) -> Result<FieldRules, String> {
    let rules = Rules(holder);
    let ignore = match rules.number("ignore") {
        Some(1) => Ignore::Zero,
        Some(3) => Ignore::Always,
        _ => Ignore::Unset,
    };
    let required = rules.bool("required") == Some(true);
    if ignore == Ignore::Always {
        return Ok(FieldRules { ignore, ..FieldRules::default() });
    }
    let this = this(context.contracts, field, place);
    let cel = context.expressions(holder, &this, redacted)?;
    let mut lowered = FieldRules { required, ignore, cel, ..FieldRules::default() };
    for family in &standard::FAMILIES {
        let Some(of_family) = rules.message(family.name) else { continue };
        standard::check_fit(family, field, place)?;
        lowered.predefined = predefined(context, family, &of_family, &this, redacted)?;
        lowered.standard = Some(match family.name {
            "repeated" => {
                let mut list = standard::repeated(&of_family);
                list.items = inner(context, &of_family, "items", field, redacted)?;
                StandardRules::Repeated(list)
            }
            "map" => {
                let mut map = standard::map(&of_family);
                let (key, value) = standard::entry(field)?;
                map.keys = inner(context, &of_family, "keys", &key, redacted)?;
                map.values = inner(context, &of_family, "values", &value, redacted)?;
                StandardRules::Map(map)
            }
            _ => standard::lower(family, &of_family, field)?,
        });
    }
    Ok(lowered)
}

/// Rules of items, keys or values.
fn inner(
    context: &mut Context<'_>,
    holder: &DynamicMessage,
    name: &str,
    field: &FieldDescriptor,
    redacted: bool,
) -> Result<Option<Box<FieldRules>>, String> {
    let Some(rules) = Rules(holder).message(name) else { return Ok(None) };
    value(context, &rules, field, Place::One, redacted).map(|rules| Some(Box::new(rules)))
}

/// What `this` is in an expression of a field's rules; a wrapper is its value.
fn this(contracts: &Contracts, field: &FieldDescriptor, place: Place) -> CelShape {
    let shape = cel::field_of(contracts, field).shape;
    match (place, shape) {
        (Place::One, _) => CelShape::One(match cel::stored(field) {
            crate::model::CelStored::Wrapper(scalar) => crate::model::CelStored::Scalar(scalar),
            stored => stored,
        }),
        (_, shape) => shape,
    }
}

/// Extensions of standard rules, each with an expression.
fn predefined(
    context: &Context<'_>,
    family: &standard::Family,
    rules: &DynamicMessage,
    this: &CelShape,
    redacted: bool,
) -> Result<Vec<CelRule>, String> {
    let mut found = Vec::new();
    for (extension, value) in rules.extensions() {
        let options = extension.options();
        let Some(holder) = holder(&context.contracts.pool, &options, options::PREDEFINED_RULES)
        else {
            continue;
        };
        let ty = standard::kind(&extension.kind());
        let place = CelPlace::Predefined {
            family: (family.name.to_owned(), family.number),
            name: extension.full_name().to_owned(),
            number: extension.number(),
            ty,
        };
        let rule = Some((value, rules));
        let scope = cel::Scope { contracts: context.contracts, this: this.clone(), rule };
        for rule in Rules(&holder).messages("cel") {
            found.push(declared(&rule, place.clone(), &scope, redacted)?);
        }
    }
    Ok(found)
}

/// The message of rules in the options of an element.
fn holder(pool: &DescriptorPool, options: &DynamicMessage, rule: Rule) -> Option<DynamicMessage> {
    let extension = pool.get_extension_by_name(rule.name)?;
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_message().cloned()
}

/// Checks that a regular expression compiles, as the runtime will.
fn pattern(text: &str) -> Result<(), String> {
    regex::Regex::new(text).map(drop).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("`{text}` is no regular expression: {reason}")
    })
}

/// Notes which messages have anything to check, in themselves or in what they hold.
pub(super) fn mark_checked(packages: &mut [Package]) {
    let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut pending = Vec::new();
    for message in packages.iter().flat_map(|package| &package.messages) {
        let own = !message.rules.cel.is_empty()
            || !message.rules.groups.is_empty()
            || message.oneofs.iter().any(|oneof| oneof.required)
            || message.fields.iter().any(|field| !field.rules.is_empty());
        if own {
            pending.push(message.full_name.clone());
        }
        for field in &message.fields {
            if let FieldType::Message { full_name, .. } = &field.ty
                && field.rules.checks_messages()
            {
                holders.entry(full_name.clone()).or_default().push(message.full_name.clone());
            }
        }
    }
    let mut checked = BTreeSet::new();
    while let Some(name) = pending.pop() {
        if checked.insert(name.clone()) {
            pending.extend(holders.get(&name).into_iter().flatten().cloned());
        }
    }
    for message in packages.iter_mut().flat_map(|package| &mut package.messages) {
        message.rules.checked = checked.contains(&message.full_name);
    }
}
