//! The checks of one field.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Scope, constant, declaration, expression, standard};
use crate::emit::cel::This;
use crate::emit::rust;
use crate::model::{
    Field, FieldCardinality, FieldRules, FieldType, Ignore, Message, Scalar, StandardRules,
};

/// How a value is reached.
pub(super) struct Value {
    /// As an expression of which methods are called.
    pub(super) place: TokenStream,
    /// As an argument: numbers by value, everything else by reference.
    pub(super) argument: TokenStream,
}

/// What a value is, for what is done with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Bool,
    Number,
    Float,
    /// Strings and bytes.
    Text,
    Message,
}

impl Nature {
    fn of(ty: &FieldType) -> Self {
        match scalar(ty) {
            Some(Scalar::Bool) => Self::Bool,
            Some(Scalar::Double | Scalar::Float) => Self::Float,
            Some(Scalar::String | Scalar::Bytes) => Self::Text,
            Some(_) => Self::Number,
            None if matches!(ty, FieldType::Enum { .. }) => Self::Number,
            None => Self::Message,
        }
    }

    fn is_copied(self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::Float)
    }

    /// Whether a value is not zero.
    fn is_set(self, value: &Value) -> TokenStream {
        let Value { place, argument } = value;
        match self {
            Self::Bool => quote!(#argument),
            Self::Number => quote!(#argument != 0),
            Self::Float => quote!(#argument != 0.0),
            Self::Text => quote!(!#place.is_empty()),
            Self::Message => quote!(*#argument != Default::default()),
        }
    }
}

/// The scalar of a field; that of a wrapper is what it wraps.
pub(super) fn scalar(ty: &FieldType) -> Option<Scalar> {
    match ty {
        FieldType::Scalar(scalar) => Some(*scalar),
        FieldType::Message { full_name, .. } => crate::model::wrapped(full_name),
        FieldType::Enum { .. } => None,
    }
}

/// Whether a field is set, as rules that count fields mean it.
pub(super) fn is_set(scope: &Scope<'_>, message: &Message, field: &Field) -> TokenStream {
    let name = rust::ident(&field.rust_name);
    if let Some(oneof) = field.oneof.and_then(|index| message.oneofs.get(index)) {
        let member = rust::ident(&oneof.rust_name);
        let enumeration = rust::type_path(&oneof.rust, scope.package);
        return quote!(matches!(self.#member, Some(#enumeration::#name(_))));
    }
    match field.cardinality {
        FieldCardinality::Explicit => quote!(self.#name.is_some()),
        FieldCardinality::Required => quote!(true),
        FieldCardinality::Repeated | FieldCardinality::Map(_) => quote!(!self.#name.is_empty()),
        FieldCardinality::Implicit => Nature::of(&field.ty).is_set(&own(field)),
    }
}

/// Whether a field is not set.
fn is_absent(scope: &Scope<'_>, message: &Message, field: &Field) -> TokenStream {
    if field.oneof.is_none() && field.cardinality == FieldCardinality::Explicit {
        let name = rust::ident(&field.rust_name);
        return quote!(self.#name.is_none());
    }
    let is_set = is_set(scope, message, field);
    quote!(!(#is_set))
}

/// A field of `self` that is no `Option`.
fn own(field: &Field) -> Value {
    let name = rust::ident(&field.rust_name);
    let place = quote!(self.#name);
    let single =
        !matches!(field.cardinality, FieldCardinality::Repeated | FieldCardinality::Map(_));
    let copied = single && Nature::of(&field.ty).is_copied();
    Value { argument: if copied { place.clone() } else { quote!(&self.#name) }, place }
}

/// A value bound by a pattern as a reference named `value`.
fn bound(ty: &FieldType) -> Value {
    let copied = Nature::of(ty).is_copied();
    let argument = if copied { quote!(*value) } else { quote!(value) };
    Value { argument, place: quote!(value) }
}

/// Everything that is checked of a field.
pub(super) fn checks(scope: &Scope<'_>, message: &Message, field: &Field) -> TokenStream {
    let rules = &field.rules;
    let nested = is_checked(scope, field) && rules.checks_messages();
    if rules.ignore == Ignore::Always || (rules.is_empty() && !nested) {
        return TokenStream::new();
    }
    let (constant, declaration) = (constant(field), declaration(field));
    let body = present(scope, field, message, nested);
    let missing = rules.required.then(|| quote!(report.required(&#constant);));
    let checks = match (access(scope, message, field), missing) {
        (_, Some(missing)) if body.is_empty() => {
            let absent = is_absent(scope, message, field);
            quote!(if #absent { #missing })
        }
        (Access::Sure, None) => body,
        (Access::If(test), missing) => {
            let otherwise = missing.map(|missing| quote!(else { #missing }));
            quote!(if #test { #body } #otherwise)
        }
        (Access::Sure, Some(missing)) => {
            let test = is_set(scope, message, field);
            quote!(if #test { #body } else { #missing })
        }
    };
    quote!({ #declaration #checks })
}

/// Whether a value is there to be checked.
enum Access {
    /// It always is.
    Sure,
    /// When this holds, which may bind it.
    If(TokenStream),
}

fn access(scope: &Scope<'_>, message: &Message, field: &Field) -> Access {
    let name = rust::ident(&field.rust_name);
    if let Some(oneof) = field.oneof.and_then(|index| message.oneofs.get(index)) {
        let member = rust::ident(&oneof.rust_name);
        let enumeration = rust::type_path(&oneof.rust, scope.package);
        return Access::If(quote!(let Some(#enumeration::#name(value)) = &self.#member));
    }
    match field.cardinality {
        FieldCardinality::Explicit => Access::If(quote!(let Some(value) = &self.#name)),
        _ if field.rules.ignore == Ignore::Zero
            && field.cardinality != FieldCardinality::Required =>
        {
            Access::If(is_set(scope, message, field))
        }
        _ => Access::Sure,
    }
}

/// Whether the messages in a field have rules.
fn is_checked(scope: &Scope<'_>, field: &Field) -> bool {
    matches!(&field.ty, FieldType::Message { full_name, .. }
        if scope.checked.contains(full_name.as_str()))
}

/// The checks of a field that is there.
fn present(scope: &Scope<'_>, field: &Field, message: &Message, nested: bool) -> TokenStream {
    let rules = &field.rules;
    let constant = constant(field);
    let is_bound = field.oneof.is_some_and(|index| index < message.oneofs.len())
        || field.cardinality == FieldCardinality::Explicit;
    let value = if is_bound { bound(&field.ty) } else { own(field) };
    let own = value_rules(scope, rules, &field.ty, field, &value);
    let own = (!own.is_empty()).then(|| quote!(report.field(&#constant, |report| { #own });));
    let argument = &value.argument;
    let inner = match field.cardinality {
        FieldCardinality::Repeated => list(scope, field, argument, nested),
        FieldCardinality::Map(key) => map(scope, field, key, argument, nested),
        _ if nested => quote!(report.message(&#constant, #argument);),
        _ => TokenStream::new(),
    };
    quote!(#own #inner)
}

/// Rules of a value that is there: expressions, predefined and standard rules.
fn value_rules(
    scope: &Scope<'_>,
    rules: &FieldRules,
    ty: &FieldType,
    field: &Field,
    value: &Value,
) -> TokenStream {
    if rules.ignore == Ignore::Always {
        return TokenStream::new();
    }
    let this = This { place: &value.place, argument: &value.argument, package: scope.package };
    let expressions = rules.cel.iter().map(|rule| expression(rule, false, &this));
    let predefined = rules.predefined.iter().map(|rule| expression(rule, false, &this));
    let standard =
        rules.standard.as_ref().map(|rules| standard::checks(scope, rules, ty, field, value));
    quote!(#(#expressions)* #standard #(#predefined)*)
}

/// What a closure over items, keys or values runs, under its own `ignore`.
fn inner(
    scope: &Scope<'_>,
    rules: &FieldRules,
    ty: &FieldType,
    field: &Field,
) -> Option<TokenStream> {
    let value = bound(ty);
    let checks = value_rules(scope, rules, ty, field, &value);
    if checks.is_empty() {
        return None;
    }
    Some(unless_zero(rules, ty, checks))
}

fn unless_zero(rules: &FieldRules, ty: &FieldType, checks: TokenStream) -> TokenStream {
    if rules.ignore != Ignore::Zero {
        return checks;
    }
    let test = Nature::of(ty).is_set(&bound(ty));
    quote!(if #test { #checks })
}

fn list(scope: &Scope<'_>, field: &Field, argument: &TokenStream, nested: bool) -> TokenStream {
    let constant = constant(field);
    let items = match &field.rules.standard {
        Some(StandardRules::Repeated(rules)) => rules.items.as_deref(),
        _ => None,
    };
    let rules = items
        .and_then(|items| inner(scope, items, &field.ty, field))
        .map(|checks| quote!(report.items(&#constant, #argument, |report, value| { #checks });));
    let messages = nested.then(|| match items {
        Some(items) if items.ignore == Ignore::Zero => {
            let check = unless_zero(items, &field.ty, quote!(value.check(report);));
            quote!(report.each(&#constant, #argument, |report, value| { #check });)
        }
        _ => quote!(report.messages(&#constant, #argument);),
    });
    quote!(#rules #messages)
}

fn map(
    scope: &Scope<'_>,
    field: &Field,
    key: Scalar,
    argument: &TokenStream,
    nested: bool,
) -> TokenStream {
    let constant = constant(field);
    let (keys, values) = match &field.rules.standard {
        Some(StandardRules::Map(rules)) => (rules.keys.as_deref(), rules.values.as_deref()),
        _ => (None, None),
    };
    let key = FieldType::Scalar(key);
    let keys = keys
        .and_then(|rules| inner(scope, rules, &key, field))
        .map(|checks| quote!(report.keys(&#constant, #argument, |report, value| { #checks });));
    let values = values
        .and_then(|rules| inner(scope, rules, &field.ty, field))
        .map(|checks| quote!(report.values(&#constant, #argument, |report, value| { #checks });));
    let messages = nested.then(|| quote!(report.value_messages(&#constant, #argument);));
    quote!(#keys #values #messages)
}
