//! Contracts that were not written for this generator, as one crate.

use std::collections::{BTreeMap, BTreeSet};

use codegen::emit::{Standalone, emit_standalone};
use codegen::lower::{Settings, lower_with};
use codegen::model::Layout;
use codegen::{Diagnostics, File, load};

use crate::support::includes;

/// Generates for some of the files; the others can be imported.
fn generate(roots: &[&str], texts: &[(&str, &str)]) -> Result<Vec<File>, Diagnostics> {
    let texts = texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let mut contracts = load::from_texts(BTreeMap::from_iter(texts), includes())?;
    contracts.roots.retain(|name| roots.contains(&name.as_str()));
    let settings = Settings { layout: Layout::Modules, allow_undeclared_access: true };
    let model = lower_with(&contracts, settings)?;
    Ok(emit_standalone(&model, &contracts, &Standalone::default()))
}

fn text<'a>(files: &'a [File], path: &str) -> std::borrow::Cow<'a, str> {
    files.iter().find(|file| file.path == path).unwrap().text()
}

/// google.api's service contracts do, and so do all that describe types.
#[test]
fn a_well_known_type_is_the_library_s_inside_of_its_own_package_too() {
    let contract = "syntax = \"proto3\"; package acme; import \"google/protobuf/type.proto\";\n\
                    message M { google.protobuf.Type type = 1; }";
    let files = generate(&["a.proto"], &[("a.proto", contract)]).unwrap();
    let messages = text(&files, "src/google_protobuf/messages.rs");
    assert!(messages.contains("pub value: ::core::option::Option<::prost_types::Any>"));
    assert!(!messages.contains("pub struct Any"));
}

#[test]
fn the_body_of_http_is_the_platform_s_where_it_is_declared_too() {
    let body = "syntax = \"proto3\"; package google.api; message HttpBody { bytes data = 2; }\n\
                message Page { HttpBody body = 1; }";
    let files = generate(&["body.proto"], &[("body.proto", body)]).unwrap();
    let messages = text(&files, "src/google_api/messages.rs");
    assert!(messages.contains("pub body: ::core::option::Option<::treaty_json::HttpBody>"));
    assert!(!messages.contains("pub struct HttpBody"));
}

#[test]
fn services_of_imported_files_need_nothing() {
    let far = "syntax = \"proto3\"; package far; message Answer {}";
    let near = "syntax = \"proto3\"; package near; import \"far.proto\";\n\
                message Question {} service S { rpc Ask(Question) returns (far.Answer); }";
    let own = "syntax = \"proto3\"; package own; import \"near.proto\";\n\
               message M { near.Question question = 1; }";
    let texts = [("far.proto", far), ("near.proto", near), ("own.proto", own)];
    let files = generate(&["own.proto"], &texts).unwrap();
    let library = text(&files, "src/lib.rs");
    assert!(library.contains("pub mod near;") && !library.contains("pub mod far;"), "{library}");
}

#[test]
fn one_file_of_a_directory_is_generated_for_with_what_it_imports_alone() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let head = "syntax = \"proto3\";\npackage acme.v1;\n";
        std::fs::write(directory.path().join(name), format!("{head}{text}")).unwrap();
    };
    write("thing.proto", "message Thing {}\n");
    write("a.proto", "import \"thing.proto\";\nmessage A { Thing thing = 1; }\n");
    write("b.proto", "message B {}\n");
    let found = load::load(&directory.path().join("a.proto"), &[]).unwrap();
    assert_eq!(found.roots, BTreeSet::from(["a.proto".to_owned()]));
    let files: BTreeSet<_> = found.pool.files().map(|file| file.name().to_owned()).collect();
    assert!(files.contains("thing.proto") && !files.contains("b.proto"), "{files:?}");

    let include = [directory.path().parent().unwrap().to_path_buf()];
    let error = load::load(&directory.path().join("a.proto"), &include).unwrap_err().to_string();
    assert!(error.contains("thing.proto"), "named from the include: {error}");
}

#[test]
fn a_service_without_messages_of_its_own_compiles_too() {
    let contract = "syntax = \"proto3\"; package acme; import \"google/protobuf/empty.proto\";\n\
                    service S { rpc Do(google.protobuf.Empty) returns (google.protobuf.Empty); }";
    let files = generate(&["a.proto"], &[("a.proto", contract)]).unwrap();
    let service = text(&files, "src/acme/s.rs");
    assert!(service.contains("::treaty_validate::validate(&request)"), "{service}");
    let manifest = text(&files, "Cargo.toml");
    assert!(manifest.contains("treaty-validate"), "{manifest}");
    // There would be nothing to export, of which rustc warns.
    let module = text(&files, "src/acme/mod.rs");
    assert!(!module.contains("pub use messages::*;"), "{module}");
}
