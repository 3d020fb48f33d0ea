//! Messages and enums.

use std::collections::BTreeSet;

use prost_reflect::{
    Cardinality, DynamicMessage, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind,
    MessageDescriptor, Syntax,
};

use super::options::field_behaviors;
use super::source::{Report, comment};
use super::{defaults, message_names, names, validation};
use crate::load::{Contracts, Features};
use crate::model::{
    Derives, Enum, EnumValue, Field, FieldCardinality, FieldType, Message, Model, Oneof, Package,
    Scalar,
};

/// Adds the messages, enums and type names of a file to its package.
pub(super) fn lower(
    package: &mut Package,
    file: &FileDescriptor,
    contracts: &Contracts,
    report: &mut Report,
) {
    // A library has these, and who refers to them refers to the library's.
    let is_ours = |message: &MessageDescriptor| !names::message_type(message).is_well_known();
    let messages: Vec<_> = file.messages().filter(is_ours).collect();
    package.types.extend(messages.iter().map(|message| names::message_type(message).path));
    package.types.extend(file.enums().map(|enumeration| names::enum_type(&enumeration).path));
    for enumeration in file.enums() {
        package.enums.push(lower_enum(file, contracts, &enumeration, report));
    }
    for message in &messages {
        lower_message(package, file, contracts, message, report);
    }
}

fn lower_message(
    package: &mut Package,
    file: &FileDescriptor,
    contracts: &Contracts,
    message: &MessageDescriptor,
    report: &mut Report,
) {
    if message.is_map_entry() {
        return;
    }
    message_names::check(file, message, report);
    for child in message.child_enums() {
        package.enums.push(lower_enum(file, contracts, &child, report));
    }
    let names = names::members(message);
    package.messages.push(Message {
        rust: names::message_type(message),
        name: message.name().to_owned(),
        full_name: message.full_name().to_owned(),
        comment: comment(file, message.path()),
        deprecated: is_set(&message.options(), "deprecated"),
        fields: fields(file, contracts, message, &names, report),
        oneofs: oneofs(file, contracts, message, &names),
        module: names::inner_module(message),
        derives: Derives::default(),
        rules: validation::message(&mut validation::Context { contracts, file, report }, message),
    });
    for child in message.child_messages() {
        lower_message(package, file, contracts, &child, report);
    }
}

/// Fields in the order of the contract; the descriptor keeps them by number.
fn fields(
    file: &FileDescriptor,
    contracts: &Contracts,
    message: &MessageDescriptor,
    names: &names::Members,
    report: &mut Report,
) -> Vec<Field> {
    let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic());
    let oneofs: Vec<_> = oneofs.map(|oneof| oneof.full_name().to_owned()).collect();
    let mut fields: Vec<_> = message.fields().collect();
    fields.sort_by(|a, b| a.path().cmp(b.path()));
    let lowered = fields.iter().map(|field| {
        let oneof = names::oneof_of(field);
        let position = |name: &str| oneofs.iter().position(|known| known == name);
        let oneof = oneof.and_then(|oneof| position(oneof.full_name()));
        let rust_name = names.fields.get(&field.number()).cloned().unwrap_or_default();
        lower_field(file, contracts, field, rust_name, oneof, report)
    });
    lowered.collect()
}

fn lower_field(
    file: &FileDescriptor,
    contracts: &Contracts,
    field: &FieldDescriptor,
    rust_name: String,
    oneof: Option<usize>,
    report: &mut Report,
) -> Field {
    let options = field.options();
    Field {
        name: field.name().to_owned(),
        json_name: field.json_name().to_owned(),
        number: field.number(),
        comment: comment(file, field.path()),
        rust_name,
        ty: field_type(field),
        cardinality: cardinality(&contracts.features, field),
        oneof,
        packed: is_packed(contracts, field, &options),
        delimited: is_delimited(&contracts.features, field),
        boxed: false,
        default: defaults::of(field),
        redacted: is_redacted(field),
        deprecated: is_set(&options, "deprecated"),
        behaviors: field_behaviors(&contracts.pool, &options),
        rules: validation::field(
            &mut validation::Context { contracts, file, report },
            field,
            cardinality(&contracts.features, field),
            is_redacted(field),
        ),
    }
}

/// Whether the field's values must not be shown.
pub(crate) fn is_redacted(field: &FieldDescriptor) -> bool {
    is_set(&field.options(), "debug_redact")
}

/// Whether repeated values share one length: as the option `packed` says where it stands.
/// `FieldDescriptor::is_packed` was decided before the options of a source were read.
fn is_packed(contracts: &Contracts, field: &FieldDescriptor, options: &DynamicMessage) -> bool {
    if options.has_field_by_name("packed") {
        return is_set(options, "packed");
    }
    field.is_packed() || contracts.features.packed.contains(field.full_name())
}

/// Type of a field's value; of a map, that of its values.
pub(super) fn field_type(field: &FieldDescriptor) -> FieldType {
    match field.kind() {
        Kind::Message(message) if message.is_map_entry() => {
            field_type(&message.map_entry_value_field())
        }
        Kind::Message(message) => FieldType::Message {
            rust: names::message_type(&message),
            full_name: message.full_name().to_owned(),
        },
        Kind::Enum(enumeration) => FieldType::Enum {
            rust: names::enum_type(&enumeration),
            full_name: enumeration.full_name().to_owned(),
        },
        Kind::Double => FieldType::Scalar(Scalar::Double),
        Kind::Float => FieldType::Scalar(Scalar::Float),
        Kind::Int32 => FieldType::Scalar(Scalar::Int32),
        Kind::Int64 => FieldType::Scalar(Scalar::Int64),
        Kind::Uint32 => FieldType::Scalar(Scalar::Uint32),
        Kind::Uint64 => FieldType::Scalar(Scalar::Uint64),
        Kind::Sint32 => FieldType::Scalar(Scalar::Sint32),
        Kind::Sint64 => FieldType::Scalar(Scalar::Sint64),
        Kind::Fixed32 => FieldType::Scalar(Scalar::Fixed32),
        Kind::Fixed64 => FieldType::Scalar(Scalar::Fixed64),
        Kind::Sfixed32 => FieldType::Scalar(Scalar::Sfixed32),
        Kind::Sfixed64 => FieldType::Scalar(Scalar::Sfixed64),
        Kind::Bool => FieldType::Scalar(Scalar::Bool),
        Kind::String => FieldType::Scalar(Scalar::String),
        Kind::Bytes => FieldType::Scalar(Scalar::Bytes),
    }
}

pub(super) fn cardinality(features: &Features, field: &FieldDescriptor) -> FieldCardinality {
    if let Kind::Message(entry) = field.kind()
        && field.is_map()
        && let FieldType::Scalar(key) = field_type(&entry.map_entry_key_field())
    {
        return FieldCardinality::Map(key);
    }
    match field.cardinality() {
        Cardinality::Repeated => FieldCardinality::Repeated,
        Cardinality::Required => FieldCardinality::Required,
        Cardinality::Optional if is_implicit(features, field) => FieldCardinality::Implicit,
        Cardinality::Optional if field.supports_presence() => FieldCardinality::Explicit,
        Cardinality::Optional => FieldCardinality::Implicit,
    }
}

/// Whether a feature of an edition makes the absence of a value its default.
fn is_implicit(features: &Features, field: &FieldDescriptor) -> bool {
    let is_message = matches!(field.kind(), Kind::Message(_));
    !is_message && features.implicit.contains(field.full_name())
}

/// Whether a message stands between two keys on the wire; the values of maps never do.
fn is_delimited(features: &Features, field: &FieldDescriptor) -> bool {
    field.is_group() || (!field.is_map() && features.delimited.contains(field.full_name()))
}

/// The enums that oneofs become, in the module of the message's nested types.
fn oneofs(
    file: &FileDescriptor,
    contracts: &Contracts,
    message: &MessageDescriptor,
    names: &names::Members,
) -> Vec<Oneof> {
    let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic());
    oneofs
        .map(|oneof| Oneof {
            name: oneof.name().to_owned(),
            rust_name: names.oneofs.get(oneof.name()).cloned().unwrap_or_default(),
            rust: names::oneof_type(&oneof),
            comment: comment(file, oneof.path()),
            derives: Derives::default(),
            required: validation::is_required(&contracts.pool, &oneof),
        })
        .collect()
}

fn lower_enum(
    file: &FileDescriptor,
    contracts: &Contracts,
    enumeration: &EnumDescriptor,
    report: &mut Report,
) -> Enum {
    message_names::check_enum(file, enumeration, report);
    let variants = names::variants(enumeration);
    let values = names::declared_values(enumeration).into_iter().map(|value| EnumValue {
        name: value.name().to_owned(),
        number: value.number(),
        rust_name: variants.get(&value.number()).cloned().unwrap_or_default(),
        comment: comment(file, value.path()),
        deprecated: is_set(&value.options(), "deprecated"),
    });
    Enum {
        rust: names::enum_type(enumeration),
        name: enumeration.name().to_owned(),
        full_name: enumeration.full_name().to_owned(),
        comment: comment(file, enumeration.path()),
        deprecated: is_set(&enumeration.options(), "deprecated"),
        closed: file.syntax() == Syntax::Proto2
            && !contracts.features.open.contains(enumeration.full_name()),
        values: values.collect(),
    }
}

/// Refuses fields and payloads of which nothing is generated.
pub(super) fn check_types(
    model: &Model,
    files: &[FileDescriptor],
    imported: &[FileDescriptor],
    report: &mut Report,
) {
    let generated = |name: &str| model.package(name).is_some();
    for file in files.iter().chain(imported) {
        let mut pending: Vec<_> = file.messages().collect();
        while let Some(message) = pending.pop() {
            for field in message.fields() {
                message_names::check_type(file, &field, &generated, report);
            }
            pending.extend(message.child_messages());
        }
    }
    // Services of imported files are somebody else's to answer.
    for file in files {
        for method in file.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            for payload in [method.input(), method.output()] {
                let (name, package) = (payload.full_name(), payload.package_name());
                if let Some(advice) = message_names::missing(name, package, &generated) {
                    let text = format!("{name} cannot be generated");
                    report.add(file, method.path(), text, advice);
                }
            }
        }
    }
}

/// Whether a flag of `google/protobuf/descriptor.proto` is set.
pub(super) fn is_set(options: &DynamicMessage, flag: &str) -> bool {
    options.get_field_by_name(flag).and_then(|value| value.as_bool()) == Some(true)
}

/// Other generated packages that a package's types, methods and events refer to.
pub(super) fn dependencies(package: &Package) -> Vec<String> {
    let fields = package.messages.iter().flat_map(Message::refers);
    let methods = package.services.iter().flat_map(|service| &service.methods);
    let rpc = methods.flat_map(|method| [&method.input, &method.output]);
    let workflows = package.workflows.iter().flat_map(|service| &service.workflows);
    let workflows = workflows.flat_map(|workflow| [&workflow.input, &workflow.output]);
    let activities = package.workflows.iter().flat_map(|service| &service.activities);
    let activities = activities.flat_map(|activity| [&activity.input, &activity.output]);
    let referred = fields.chain(rpc).chain(workflows).chain(activities);
    let names: BTreeSet<_> = referred
        .filter(|reference| !reference.is_well_known() && reference.package != package.name)
        .map(|reference| reference.package.clone())
        .collect();
    names.into_iter().collect()
}
