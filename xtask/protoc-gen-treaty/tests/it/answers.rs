//! The plugin's side of the conversation, without a compiler.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use prost::Message as _;
use prost_types::compiler::code_generator_response::Feature;
use prost_types::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FieldOptions, FileDescriptorProto};

fn run(input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_protoc-gen-treaty"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn answer(request: &CodeGeneratorRequest) -> CodeGeneratorResponse {
    let output = run(&request.encode_to_vec());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    CodeGeneratorResponse::decode(output.stdout.as_slice()).unwrap()
}

/// A contract with one message of one field, which may be deprecated.
fn contract(deprecated: bool) -> FileDescriptorProto {
    let text = FieldDescriptorProto {
        name: Some("text".to_owned()),
        number: Some(1),
        label: Some(Label::Optional.into()),
        r#type: Some(Type::String.into()),
        options: Some(FieldOptions { deprecated: Some(deprecated), ..Default::default() }),
        ..Default::default()
    };
    let note =
        DescriptorProto { name: Some("Note".to_owned()), field: vec![text], ..Default::default() };
    FileDescriptorProto {
        name: Some("acme/notes/v1/notes.proto".to_owned()),
        package: Some("acme.notes.v1".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: vec![note],
        ..Default::default()
    }
}

fn request(parameter: &str) -> CodeGeneratorRequest {
    CodeGeneratorRequest {
        file_to_generate: vec!["acme/notes/v1/notes.proto".to_owned()],
        parameter: Some(parameter.to_owned()),
        proto_file: vec![contract(false)],
        ..Default::default()
    }
}

#[test]
fn a_plain_message_becomes_a_crate() {
    let answer = answer(&request(""));
    assert_eq!(answer.error, None);
    let names: Vec<_> = answer.file.iter().map(|file| file.name()).collect();
    assert!(names.contains(&"packages/acme-notes-v1/src/lib.rs"), "{names:?}");
    let features = answer.supported_features();
    assert_ne!(features & Feature::Proto3Optional as u64, 0);
}

/// Options of sources alone stand in a second copy of each file; the first one lacks them.
#[test]
fn the_source_descriptors_are_preferred() {
    let plain = request("").encode_to_vec();
    let mut with_sources = plain.clone();
    let source = contract(true).encode_to_vec();
    // Field 17, which the type of this test does not know.
    prost::encoding::bytes::encode(17, &source, &mut with_sources);
    let [plain, with_sources] = [plain, with_sources].map(|input| {
        let output = run(&input).stdout;
        let answer = CodeGeneratorResponse::decode(output.as_slice()).unwrap();
        assert_eq!(answer.error, None);
        let mut files = answer.file.into_iter();
        files.find(|file| file.name().ends_with("messages.rs")).unwrap().content.unwrap()
    });
    assert!(!plain.contains("deprecated"));
    assert!(with_sources.contains("deprecated"), "{with_sources}");
}

#[test]
fn unknown_options_and_missing_imports_are_answered_as_errors() {
    for wrong in ["colour=blue", "package=a/b", "allow_undeclared_access=yes"] {
        let error = answer(&request(wrong)).error.unwrap();
        assert!(error.contains(wrong), "{error}");
    }
    let error = answer(&request("package=acme")).error.unwrap();
    assert!(error.contains("treaty="), "{error}");
    let mut request = request("");
    request.proto_file[0].dependency.push("acme/nowhere.proto".to_owned());
    let error = answer(&request).error.unwrap();
    assert!(error.contains("acme/nowhere.proto"), "{error}");
}

#[test]
fn what_is_no_request_ends_in_failure() {
    let output = run(b"\xff\xff");
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("CodeGeneratorRequest"));
}
