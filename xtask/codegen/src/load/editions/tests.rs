use super::*;

fn read_text(body: &str) -> Outcome {
    read("a.proto", &format!("edition = \"2023\";\npackage a.b;\n{body}")).unwrap()
}

fn understood(body: &str) -> (prost_types::FileDescriptorProto, Features) {
    match read_text(body) {
        Outcome::File(file, features) => (file.file_descriptor_proto().clone(), features),
        Outcome::Refused(mistake) => panic!("{mistake}"),
        Outcome::Other => panic!("no edition was found"),
    }
}

fn names(set: &BTreeSet<String>) -> Vec<&str> {
    set.iter().map(String::as_str).collect()
}

#[test]
fn features_go_from_file_to_field() {
    let (file, found) = understood(
        "option features.enum_type = CLOSED;
         option features = { repeated_field_encoding: EXPANDED };
         option features.(pb.go).api_level = API_OPAQUE;
         message M {
           option features.field_presence = IMPLICIT;
           int32 a = 1;
           int32 b = 2 [features.field_presence = EXPLICIT, default = -7];
           int32 c = 3 [features.field_presence = LEGACY_REQUIRED];
           repeated int32 d = 4;
           repeated int32 e = 5 [features.repeated_field_encoding = PACKED];
           M f = 6 [features.message_encoding = DELIMITED];
           oneof kind { int32 g = 7; }
           map<string, M> h = 8;
           reserved x, y;
           enum E { option features.enum_type = OPEN; X = 0; }
         }
         enum F { Y = 3; }",
    );
    assert_eq!(names(&found.implicit), ["a.b.M.a", "a.b.M.f"]);
    assert_eq!(names(&found.packed), ["a.b.M.e"]);
    assert_eq!(names(&found.delimited), ["a.b.M.f"]);
    assert_eq!(names(&found.open), ["a.b.M.E"]);
    let fields = &file.message_type[0].field;
    assert_eq!(fields[1].default_value.as_deref(), Some("-7"));
    assert_eq!(fields[2].label(), prost_types::field_descriptor_proto::Label::Required);
    assert_eq!(file.syntax, None);
}

#[test]
fn other_syntaxes_are_left_alone() {
    for text in ["syntax = \"proto3\";", "", "message edition {}", "// edition = \"2023\";\n"] {
        assert!(matches!(read("a.proto", text), Ok(Outcome::Other)), "{text}");
    }
}

#[test]
fn what_is_not_known_is_told_with_its_place() {
    let said = |text: &str| match read("a.proto", text) {
        Ok(Outcome::Refused(mistake)) => mistake.to_string(),
        _ => panic!("{text} was not refused"),
    };
    assert_eq!(
        said("// A comment.\n  edition = \"2024\";\n"),
        "a.proto:2:3: edition 2024 cannot be generated\n  help: Use edition 2023, proto3 or proto2."
    );
    assert_eq!(
        said("edition = \"2023\";\noption features.field_presence = SOMETIMES;\n"),
        "a.proto:2:8: feature field_presence = SOMETIMES is not known\n  \
         help: See https://protobuf.dev/editions/features/."
    );
}
