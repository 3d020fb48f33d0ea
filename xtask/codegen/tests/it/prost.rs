//! Our messages against prost-build's: the same types, fields and encodings, so that
//! what is known of prost's messages holds for ours.

use std::collections::BTreeMap;
use std::path::Path;

use codegen::load::Contracts;
use prost_build::{Config, Module};
use quote::ToTokens as _;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Field, Fields, Item, Type, Variant};

use crate::support::{acme, generate, load};

/// What each type consists of, by its path.
type Types = BTreeMap<String, Vec<String>>;

#[test]
fn messages_are_those_of_prost_build() {
    let stravasync = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts");
    for directory in [acme(), stravasync] {
        let compared = compare(&directory);
        assert!(compared > 10, "{compared} types were compared");
    }
}

/// In a source, `packed` is an option, and options are read last.
#[test]
fn values_are_packed_as_the_contract_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test/v1/numbers.proto");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = "syntax = \"proto3\";\npackage test.v1;\n// Numbers.\nmessage Numbers {\n  \
                // As usual.\n  repeated int32 usual = 1;\n  \
                // One by one.\n  repeated int32 single = 2 [packed = false];\n  \
                // As usual too.\n  repeated int32 packed = 3 [packed = true];\n}\n";
    std::fs::write(path, text).unwrap();
    assert_eq!(compare(directory.path()), 1);
}

/// Compares all types, and tells how many there are.
fn compare(directory: &Path) -> usize {
    let contracts = load(directory).unwrap();
    let files = generate(&contracts).unwrap();
    let theirs = prost_build(&contracts);
    let mut compared = 0;
    for file in files.iter().filter(|file| file.path.ends_with("/src/messages.rs")) {
        let crate_name = file.path.split('/').nth(1).unwrap().replace('-', "_");
        let expected = &theirs[&crate_name];
        let ours = types(&file.text());
        assert_eq!(&ours, expected, "{}", file.path);
        compared += ours.len();
    }
    compared
}

/// What prost-build makes of each package, by the name of our crate.
fn prost_build(contracts: &Contracts) -> BTreeMap<String, Types> {
    let mut config = Config::new();
    config.btree_map(["."]);
    let files = contracts.pool.files().map(|file| file.file_descriptor_proto().clone());
    // Imports are asked for as well: prost-build looks at their types too.
    let requests =
        files.map(|file| (Module::from_protobuf_package_name(file.package()), file)).collect();
    let generated = config.generate(requests).unwrap();
    let named = |(module, text): (Module, String)| {
        (module.parts().collect::<Vec<_>>().join("_"), types(&text))
    };
    generated.into_iter().map(named).collect()
}

/// The structs and enums of a text, without comments, derives and implementations.
fn types(text: &str) -> Types {
    let mut types = Types::new();
    collect("", &syn::parse_file(text).unwrap().items, &mut types);
    types
}

fn collect(module: &str, items: &[Item], types: &mut Types) {
    for item in items {
        match item {
            Item::Mod(inner) => {
                let path = format!("{module}{}::", inner.ident);
                collect(&path, &inner.content.as_ref().unwrap().1, types);
            }
            Item::Struct(item) => {
                // prost-build puts oneofs last, we where the contract has them.
                let mut fields: Vec<_> = item.fields.iter().map(field).collect();
                fields.sort();
                types.insert(format!("{module}{}", item.ident), fields);
            }
            Item::Enum(item) => {
                let variants = item.variants.iter().map(variant).collect();
                types.insert(format!("{module}{}", item.ident), variants);
            }
            _ => {}
        }
    }
}

fn field(field: &Field) -> String {
    let name = field.ident.as_ref().unwrap();
    format!("{} {name}: {}", encoding(&field.attrs), shape(&field.ty))
}

fn variant(variant: &Variant) -> String {
    let value = variant.discriminant.as_ref().map(|(_, value)| value.to_token_stream());
    let held = match &variant.fields {
        Fields::Unnamed(fields) => fields.unnamed.iter().map(|field| shape(&field.ty)).collect(),
        _ => String::new(),
    };
    let value = value.unwrap_or_default();
    format!("{} {}({held}) {value}", encoding(&variant.attrs), variant.ident)
}

/// How a field is encoded, as the attribute says it, by parts.
fn encoding(attributes: &[Attribute]) -> String {
    let prost = attributes.iter().filter(|attribute| attribute.path().is_ident("prost"));
    let texts = prost.map(|attribute| attribute.meta.to_token_stream().to_string());
    texts.map(|text| without_paths(&text)).collect()
}

/// The attribute names types in texts, by paths that two printers may shorten otherwise.
fn without_paths(text: &str) -> String {
    let named = |part: &str| match part.rsplit_once("::") {
        Some((_, last)) if part.starts_with('"') => format!("\"{last}"),
        _ => part.to_owned(),
    };
    text.split(' ').map(named).collect::<Vec<_>>().join(" ")
}

/// A type by the last segments of its paths.
fn shape(ty: &Type) -> String {
    struct Shorten;
    impl VisitMut for Shorten {
        fn visit_path_mut(&mut self, path: &mut syn::Path) {
            syn::visit_mut::visit_path_mut(self, path);
            path.leading_colon = None;
            path.segments =
                path.segments.pop().map(syn::punctuated::Pair::into_value).into_iter().collect();
        }
    }
    let mut ty = ty.clone();
    Shorten.visit_type_mut(&mut ty);
    ty.to_token_stream().to_string()
}
