//! Validation: rules of the contracts as code that reads the messages' fields.

mod field;
mod standard;

use std::collections::BTreeSet;

use heck::ToShoutySnakeCase;
use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use super::cel::{self, This};
use super::rust;
use crate::File;
use crate::model::{
    CelFieldKind, CelPlace, CelRule, Field, FieldCardinality, FieldGroup, FieldType, Message,
    Model, Package, Scalar,
};

/// What the emission of one message's rules needs to know.
struct Scope<'a> {
    package: &'a Package,
    /// Full names of the messages that have anything to check.
    checked: &'a BTreeSet<&'a str>,
}

/// Writes `validate.rs`, when the package has messages.
pub(super) fn emit(model: &Model, package: &Package) -> Option<File> {
    if package.messages.is_empty() {
        return None;
    }
    let path = format!("{}/validate.rs", package.directory());
    Some(File::new(path, implementations(model, package)))
}

/// An implementation for each message of a package.
fn implementations(model: &Model, package: &Package) -> String {
    let messages = model.packages.iter().flat_map(|package| &package.messages);
    let checked = messages.filter(|message| message.rules.checked);
    let checked: BTreeSet<_> = checked.map(|message| message.full_name.as_str()).collect();
    let scope = Scope { package, checked: &checked };
    let messages = package.messages.iter().map(|message| implementation(&scope, message));
    let messages: Vec<_> = messages.collect();
    let mut begun = BTreeSet::new();
    for message in &messages {
        collect_begins(message, &mut begun);
    }
    let names = RUNTIME.into_iter().filter(|name| begun.contains(*name)).map(rust::ident);
    let imports = quote!(
        use ::treaty_validate::{#(#names),*};
    );
    rust::items(std::iter::once(imports).chain(messages))
}

/// What implementations may need of the runtime.
const RUNTIME: [&str; 6] = ["Field", "Kind", "Report", "Validate", "cel", "rules"];

/// Collects the words of [`RUNTIME`] that begin a path. Further on in one they are
/// something else: messages may be called like it.
fn collect_begins(tokens: &TokenStream, begun: &mut BTreeSet<String>) {
    let mut is_inside = false;
    for token in tokens.clone() {
        match &token {
            TokenTree::Ident(word) if !is_inside => {
                begun.extend(RUNTIME.into_iter().filter(|name| word == name).map(str::to_owned));
            }
            TokenTree::Group(group) => collect_begins(&group.stream(), begun),
            _ => {}
        }
        is_inside = matches!(&token, TokenTree::Punct(mark) if matches!(mark.as_char(), ':' | '.'));
    }
}

fn implementation(scope: &Scope<'_>, message: &Message) -> TokenStream {
    let ty = rust::type_path(&message.rust, scope.package);
    if !message.rules.checked {
        return quote!(impl Validate for #ty {});
    }
    let expressions = message.rules.cel.iter().map(|rule| {
        let (place, argument) = (quote!(self), quote!(self));
        let this = This { place: &place, argument: &argument, package: scope.package };
        expression(rule, true, &this)
    });
    let groups = message.rules.groups.iter().map(|group| self::group(scope, message, group));
    let oneofs = message.oneofs.iter().filter(|oneof| oneof.required).map(|oneof| {
        let (member, name) = (rust::ident(&oneof.rust_name), &oneof.name);
        quote! {
            if self.#member.is_none() {
                report.oneof_missing(#name);
            }
        }
    });
    let fields = message.fields.iter().map(|field| field::checks(scope, message, field));
    quote! {
        impl Validate for #ty {
            const HAS_RULES: bool = true;

            fn check(&self, report: &mut Report) {
                #(#expressions)*
                #(#groups)*
                #(#oneofs)*
                #(#fields)*
            }
        }
    }
}

/// Name of the constant that describes a field.
fn constant(field: &Field) -> proc_macro2::Ident {
    rust::ident(&field.name.to_shouty_snake_case())
}

/// The constant that describes a field.
fn declaration(field: &Field) -> TokenStream {
    let (constant, name) = (constant(field), &field.name);
    let number = rust::integer(field.number);
    let kind = kind(&field.ty);
    let value = match field.cardinality {
        FieldCardinality::Map(key) => {
            let key = scalar_kind(key);
            quote!(Field::map(#number, #name, #key, #kind))
        }
        _ if field.delimited => quote!(Field::new(#number, #name, Kind::Group)),
        _ => quote!(Field::new(#number, #name, #kind)),
    };
    let value = if field.redacted { quote!(#value.redacted()) } else { value };
    quote!(const #constant: Field = #value;)
}

fn kind(ty: &FieldType) -> TokenStream {
    match ty {
        FieldType::Scalar(scalar) => scalar_kind(*scalar),
        FieldType::Message { .. } => quote!(Kind::Message),
        FieldType::Enum { .. } => quote!(Kind::Enum),
    }
}

fn scalar_kind(scalar: Scalar) -> TokenStream {
    let name = rust::ident(&format!("{scalar:?}"));
    quote!(Kind::#name)
}

/// At most one of some fields is set.
fn group(scope: &Scope<'_>, message: &Message, group: &FieldGroup) -> TokenStream {
    let (names, required) = (&group.fields, group.required);
    let fields =
        names.iter().filter_map(|name| message.fields.iter().find(|field| field.name == *name));
    let set = fields.map(|field| {
        let is_set = field::is_set(scope, message, field);
        quote!(usize::from(#is_set))
    });
    quote! {
        report.one_of(&[#(#names),*], #(#set)+*, #required);
    }
}

/// A rule that is an expression.
fn expression(rule: &CelRule, of_message: bool, this: &This<'_>) -> TokenStream {
    let (id, redacted) = (&rule.id, rule.redacted);
    let message = match rule.message.as_str() {
        "" => format!("\"{}\" returned false", rule.expression),
        message => message.to_owned(),
    };
    let place = match &rule.place {
        _ if of_message => quote!(Message),
        CelPlace::Cel(index) => {
            let index = rust::integer(*index);
            quote!(FieldCel(#index))
        }
        CelPlace::Expression(index) => {
            let index = rust::integer(*index);
            quote!(FieldExpression(#index))
        }
        CelPlace::Predefined { family, name, number, ty } => {
            let family = standard::family(&family.0);
            let name = format!("[{name}]");
            let number = rust::integer(*number);
            let kind = match ty {
                CelFieldKind::Scalar(scalar) => scalar_kind(*scalar),
                CelFieldKind::Enum => quote!(Kind::Enum),
                CelFieldKind::Message => quote!(Kind::Message),
            };
            quote!(Predefined(#family, Field::new(#number, #name, #kind)))
        }
    };
    let now = cel::uses_now(&rule.program).then(|| quote!(let now = report.now();));
    let body = cel::body(&rule.program, this);
    let comment = format!(" {}", rule.expression.replace('\n', " "));
    quote! {
        {
            #[doc = #comment]
            const RULE: cel::Rule = cel::Rule {
                id: #id,
                message: #message,
                place: cel::Place::#place,
                redacted: #redacted,
            };
            #now
            report.expression(&RULE, || #body);
        }
    }
}
