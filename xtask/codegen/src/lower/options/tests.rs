//! The structs mirror the vocabulary: nothing that a contract can say is overlooked.

use std::collections::BTreeSet;
use std::path::Path;

use prost_reflect::{ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::*;

fn vocabulary() -> DescriptorPool {
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts");
    let files = ["deployable", "event", "method", "workflow"];
    let files = files.map(|name| format!("treaty/v1/{name}.proto"));
    let mut compiler = protox::Compiler::new([contracts]).unwrap();
    compiler.include_imports(true).open_files(files).unwrap();
    compiler.descriptor_pool()
}

/// A message with every field set to something that is not its default.
fn filled(message: &MessageDescriptor) -> DynamicMessage {
    let mut filled = DynamicMessage::new(message.clone());
    for field in message.fields() {
        let value = value(&field);
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        filled.set_field(&field, value);
    }
    filled
}

fn value(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::Message(message) => Value::Message(filled(&message)),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::String => Value::String("text".into()),
        Kind::Int32 => Value::I32(1),
        Kind::Int64 => Value::I64(1),
        Kind::Double => Value::F64(1.5),
        Kind::Bool => Value::Bool(true),
        kind => panic!("{}: a kind of {kind:?} is new here", field.full_name()),
    }
}

/// Reads an extension with every field set.
fn read<T: DeserializeOwned>(pool: &DescriptorPool, rule: Rule) -> Result<T, String> {
    let descriptor = pool.get_extension_by_name(rule.name).unwrap();
    let Kind::Message(message) = descriptor.kind() else {
        panic!("{} holds no message", rule.name)
    };
    let value = Value::Message(filled(&message));
    let value = if descriptor.is_list() { Value::List(vec![value]) } else { value };
    let mut options = DynamicMessage::new(descriptor.containing_message());
    options.set_extension(&descriptor, value);
    extension(pool, &options, rule).map(Option::unwrap)
}

#[test]
fn every_option_of_the_vocabulary_is_read() {
    let pool = vocabulary();
    let mut known = BTreeSet::new();
    let mut check = |rule: Rule, read: Result<(), String>| {
        assert_eq!(read, Ok(()), "{}", rule.name);
        known.insert(rule.name.to_owned());
    };
    check(METHOD, read::<MethodRule>(&pool, METHOD).map(drop));
    check(EVENT, read::<EventRule>(&pool, EVENT).map(drop));
    check(STREAM, read::<Vec<StreamRule>>(&pool, STREAM).map(drop));
    check(WORKFLOWS, read::<WorkflowsRule>(&pool, WORKFLOWS).map(drop));
    check(WORKFLOW, read::<WorkflowRule>(&pool, WORKFLOW).map(drop));
    check(ACTIVITY, read::<ActivityRule>(&pool, ACTIVITY).map(drop));
    check(DEPLOYABLE, read::<DeployableRule>(&pool, DEPLOYABLE).map(drop));
    let declared: BTreeSet<_> =
        treaty_extensions(&pool).map(|e| e.full_name().to_owned()).collect();
    assert_eq!(declared, known);
}

#[test]
fn options_stand_where_the_vocabulary_puts_them() {
    let pool = vocabulary();
    let rules = [METHOD, EVENT, STREAM, WORKFLOWS, WORKFLOW, ACTIVITY, DEPLOYABLE];
    for rule in rules {
        let descriptor = pool.get_extension_by_name(rule.name).unwrap();
        assert_eq!(descriptor.number(), u32::try_from(rule.number).unwrap(), "{}", rule.name);
        // `FileOptions` is the type of a field of `FileDescriptorProto`, and so on.
        let options = descriptor.containing_message();
        let element = options.full_name().replace("Options", "DescriptorProto");
        let element = element.replace("MessageDescriptorProto", "DescriptorProto");
        let holder = pool.get_message_by_name(&element).unwrap().get_field_by_name("options");
        let holder = holder.unwrap().number();
        assert_eq!(holder, u32::try_from(rule.holder).unwrap(), "{}", rule.name);
    }
}

/// An option that the structs lack is refused rather than overlooked.
#[test]
fn an_option_that_is_not_mirrored_fails() {
    let pool = vocabulary();
    let mistake = read::<WorkflowsRule>(&pool, WORKFLOW).unwrap_err();
    assert!(mistake.contains("unknown field"), "{mistake}");
}

fn treaty_extensions(pool: &DescriptorPool) -> impl Iterator<Item = ExtensionDescriptor> {
    pool.all_extensions().filter(|extension| extension.parent_file().package_name() == "treaty.v1")
}
