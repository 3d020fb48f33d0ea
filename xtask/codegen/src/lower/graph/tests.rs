use super::*;
use crate::load;

/// The model of a small contract.
fn model(body: &str) -> Model {
    let directory = tempfile::tempdir().unwrap();
    let text = format!("syntax = \"proto3\";\npackage acme.shop.v1;\n{body}");
    std::fs::write(directory.path().join("shop.proto"), text).unwrap();
    crate::lower::lower(&load::load(directory.path(), &[]).unwrap()).unwrap()
}

fn message<'a>(model: &'a Model, name: &str) -> &'a Message {
    model.packages[0].messages.iter().find(|message| message.name == name).unwrap()
}

#[test]
fn a_field_is_boxed_when_its_type_holds_it() {
    let model = model(
        "message A { B b = 1; A a = 2; repeated A list = 3; map<string, A> map = 4; End end = 5; }
         message B { oneof kind { C c = 1; End end = 2; } }
         message C { optional A a = 1; }
         message End { int32 x = 1; }",
    );
    let boxed = |name: &str| -> Vec<String> {
        let fields = message(&model, name).fields.iter();
        fields.filter(|field| field.boxed).map(|field| field.name.clone()).collect()
    };
    assert_eq!(boxed("A"), ["b", "a"]);
    assert_eq!(boxed("B"), ["c"]);
    assert_eq!(boxed("C"), ["a"]);
    assert_eq!(boxed("End"), [""; 0]);
}

#[test]
fn types_are_as_much_as_all_that_they_hold() {
    let model = model(
        "message Plain { int32 a = 1; Inner inner = 2; }
         message Inner { bool b = 1; oneof kind { int64 c = 2; } }
         message Texts { string a = 1; repeated Inner list = 2; map<string, Inner> map = 3; }
         message Floats { repeated Deep deep = 1; }
         message Deep { Deep again = 1; double x = 2; oneof kind { string s = 3; } }",
    );
    let derives = |name: &str| message(&model, name).derives;
    assert_eq!(derives("Plain"), Derives { copy: true, eq: true });
    assert_eq!(derives("Texts"), Derives { copy: false, eq: true });
    assert_eq!(derives("Floats"), Derives { copy: false, eq: false });
    assert_eq!(derives("Deep"), Derives { copy: false, eq: false });
    assert_eq!(message(&model, "Deep").oneofs[0].derives, Derives { copy: false, eq: true });
}

#[test]
fn a_chain_of_thousands_does_not_exhaust_the_stack() {
    let links: String =
        (0..5000).map(|n| format!("message M{n} {{ M{} next = 1; }}\n", n + 1)).collect();
    let model = model(&format!("{links} message M5000 {{ M0 first = 1; }}"));
    let fields = model.packages[0].messages.iter().flat_map(|message| &message.fields);
    assert_eq!(fields.filter(|field| field.boxed).count(), 5001);
}
