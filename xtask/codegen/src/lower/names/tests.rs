use super::*;

/// Descriptors of a small contract.
fn pool(body: &str) -> prost_reflect::DescriptorPool {
    let text = format!("syntax = \"proto2\";\npackage a.b;\n{body}");
    let file = protox::file::File::from_source("a.proto", &text).unwrap();
    let mut pool = prost_reflect::DescriptorPool::new();
    pool.add_file_descriptor_proto(file.file_descriptor_proto().clone()).unwrap();
    pool
}

#[test]
fn single_names_are_those_of_prost() {
    let cases = [
        ("type", "r#type", "Type"),
        ("self", "self_", "Self_"),
        ("gen", "r#gen", "Gen"),
        ("_4th", "_4th", "_4th"),
        ("HTTPServer", "http_server", "HttpServer"),
        ("__field__Name", "field_name", "FieldName"),
    ];
    for (name, as_field, as_type) in cases {
        assert_eq!((snake(name).as_str(), upper(name).as_str()), (as_field, as_type), "{name}");
    }
}

#[test]
fn a_name_of_underscores_alone_is_still_an_identifier() {
    // prost-build makes `_` of it, which no field and no variant can be called.
    for name in ["_", "__", "___"] {
        assert_eq!((snake(name).as_str(), upper(name).as_str()), ("__", "__"), "{name}");
    }
}

#[test]
fn fields_that_meet_are_told_apart_by_number() {
    let pool = pool(
        "message M { optional int32 id = 1; optional int32 _id = 7; optional int32 Id = 3 [json_name = \"three\"];
         oneof ID { int32 x = 4; int32 X = 5; } }",
    );
    let message = pool.get_message_by_name("a.b.M").unwrap();
    let names = members(&message);
    let fields: Vec<_> = names.fields.values().map(String::as_str).collect();
    assert_eq!(fields, ["id", "id_3", "X", "X_5", "id_7"]);
    assert_eq!(names.oneofs["ID"], "id_oneof");
    let third = message.get_field(3).unwrap();
    assert_eq!(field(&third), "id_3");
}

#[test]
fn variants_keep_their_whole_name_where_the_rest_is_taken() {
    let pool = pool(
        "enum Colour { option allow_alias = true; COLOUR_UNSPECIFIED = 0; COLOUR_RED = 1; RED = 2;
         ROT = 1; COLOUR_4 = 4; MINUS = -1; minus = -2; }",
    );
    let names = variants(&pool.get_enum_by_name("a.b.Colour").unwrap());
    let names: Vec<_> = names.iter().map(|(number, name)| (*number, name.as_str())).collect();
    let expected = [
        (-2, "Minus_minus_2"),
        (-1, "Minus"),
        (0, "Unspecified"),
        (1, "Red"),
        (2, "Red_2"),
        (4, "Colour4"),
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_oneof_named_like_a_nested_type_gets_the_suffix_of_prost() {
    let pool = pool("message M { message Kind {} oneof kind { int32 x = 1; } }");
    let message = pool.get_message_by_name("a.b.M").unwrap();
    let oneof = message.oneofs().next().unwrap();
    assert_eq!(oneof_type(&oneof).path, "m::KindOneOf");
}
