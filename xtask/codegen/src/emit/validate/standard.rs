//! Standard rules as calls of the runtime.

use heck::ToShoutySnakeCase;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::Scope;
use super::field::{Value, scalar};
use crate::emit::cel::signed;
use crate::emit::rust;
use crate::model::{
    Bound, BytesRules, EnumRules, Field, FieldType, Moment, Number, NumberRules, Scalar,
    StandardRules, StringRules, TimeRules,
};

/// The runtime's constant of a kind of rules, by its name in `buf.validate.FieldRules`.
pub(super) fn family(name: &str) -> TokenStream {
    let module = rust::ident(match name {
        "string" | "bytes" | "repeated" | "map" | "any" | "duration" | "timestamp"
        | "field_mask" => name,
        "bool" => "boolean",
        "enum" => "enumeration",
        _ => "number",
    });
    let constant = rust::ident(&name.to_shouty_snake_case());
    quote!(rules::#module::#constant)
}

/// The checks of a value by its standard rules; those of items, keys and values are not
/// among them.
pub(super) fn checks(
    scope: &Scope<'_>,
    rules: &StandardRules,
    ty: &FieldType,
    field: &Field,
    value: &Value,
) -> TokenStream {
    let Value { place, argument } = value;
    match rules {
        StandardRules::Bool(rules) => {
            let checks = rules.equals.iter().map(
                |only| quote!(rules::equals(report, &rules::boolean::BOOL, &#argument, &#only);),
            );
            quote!(#(#checks)*)
        }
        StandardRules::Number(rules) => number(rules, argument),
        StandardRules::String(rules) => string(rules, argument),
        StandardRules::Bytes(rules) => bytes(rules, argument),
        StandardRules::Enum(rules) => enumeration(scope, rules, ty, argument),
        StandardRules::Repeated(rules) => {
            let length = |name: &str, limit: Option<u64>| {
                limit.map(|limit| {
                    let (name, limit) = (rust::ident(name), rust::integer(limit));
                    quote!(rules::repeated::#name(report, #place.len(), #limit);)
                })
            };
            let (least, most) =
                (length("min_items", rules.min_items), length("max_items", rules.max_items));
            let is_value =
                scalar(&field.ty).is_some() || matches!(field.ty, FieldType::Enum { .. });
            let unique = (rules.unique && is_value)
                .then(|| quote!(rules::repeated::unique(report, #argument);));
            quote!(#least #most #unique)
        }
        StandardRules::Map(rules) => {
            let length = |name: &str, limit: Option<u64>| {
                limit.map(|limit| {
                    let (name, limit) = (rust::ident(name), rust::integer(limit));
                    quote!(rules::map::#name(report, #place.len(), #limit);)
                })
            };
            let (least, most) =
                (length("min_pairs", rules.min_pairs), length("max_pairs", rules.max_pairs));
            quote!(#least #most)
        }
        StandardRules::Any(rules) => {
            lists("any", &quote!(&#place.type_url), &rules.one_of, &rules.none_of)
        }
        StandardRules::Duration(rules) => time("duration", "Duration", rules, argument),
        StandardRules::Timestamp(rules) => time("timestamp", "Timestamp", rules, argument),
        StandardRules::FieldMask(rules) => {
            let paths = quote!(&#place.paths);
            let equals = rules
                .equals
                .iter()
                .map(|only| quote!(rules::field_mask::equals(report, #paths, &[#(#only),*]);));
            let lists = lists("field_mask", &paths, &rules.one_of, &rules.none_of);
            quote!(#(#equals)* #lists)
        }
    }
}

/// `in` and `not_in` of texts.
fn lists(module: &str, value: &TokenStream, one_of: &[String], none_of: &[String]) -> TokenStream {
    let module = rust::ident(module);
    let one_of = (!one_of.is_empty())
        .then(|| quote!(rules::#module::one_of(report, #value, &[#(#one_of),*]);));
    let none_of = (!none_of.is_empty())
        .then(|| quote!(rules::#module::none_of(report, #value, &[#(#none_of),*]);));
    quote!(#one_of #none_of)
}

fn literal(number: Number, scalar: Scalar) -> TokenStream {
    match number {
        Number::Int(value) => signed(value),
        Number::Uint(value) => {
            let literal = Literal::u64_unsuffixed(value);
            quote!(#literal)
        }
        Number::Float(value) => {
            let ty = if scalar == Scalar::Float { quote!(f32) } else { quote!(f64) };
            if value.is_nan() {
                quote!(#ty::NAN)
            } else if value.is_infinite() {
                if value > 0.0 { quote!(#ty::INFINITY) } else { quote!(#ty::NEG_INFINITY) }
            } else {
                // A `float` is written as short as its own precision allows.
                let text = match scalar {
                    #[allow(clippy::cast_possible_truncation, reason = "it was a float before")]
                    Scalar::Float => format!("{:?}", value.abs() as f32),
                    _ => format!("{:?}", value.abs()),
                };
                let literal: Literal = text.parse().unwrap_or(Literal::f64_unsuffixed(value.abs()));
                if value.is_sign_negative() { quote!(-#literal) } else { quote!(#literal) }
            }
        }
    }
}

/// Two bounds as the runtime's.
fn bounds<T: Copy>(
    lower: Option<Bound<T>>,
    upper: Option<Bound<T>>,
    literal: impl Fn(T) -> TokenStream,
) -> Option<TokenStream> {
    if lower.is_none() && upper.is_none() {
        return None;
    }
    let side = |side: &str, exclusive: &str, inclusive: &str, bound: Option<Bound<T>>| {
        let side = rust::ident(side);
        match bound {
            None => quote!(rules::#side::Open),
            Some(bound) => {
                let name = rust::ident(if bound.inclusive { inclusive } else { exclusive });
                let value = literal(bound.value);
                quote!(rules::#side::#name(#value))
            }
        }
    };
    let (lower, upper) = (side("Lower", "Gt", "Gte", lower), side("Upper", "Lt", "Lte", upper));
    Some(quote!(#lower, #upper))
}

fn number(rules: &NumberRules, value: &TokenStream) -> TokenStream {
    let scalar = rules.scalar;
    let family = family(&format!("{scalar:?}").to_lowercase());
    let literal = |number: &Number| literal(*number, scalar);
    let equals = rules.equals.iter().map(|only| {
        let only = literal(only);
        quote!(rules::equals(report, &#family, &#value, &#only);)
    });
    let range = bounds(rules.lower, rules.upper, |number| literal(&number))
        .map(|bounds| quote!(rules::range(report, &#family, #value, #bounds);));
    let list = |name: &str, values: &[Number]| {
        let (name, values) = (rust::ident(name), values.iter().map(literal).collect::<Vec<_>>());
        (!values.is_empty())
            .then(|| quote!(rules::#name(report, &#family, &#value, &[#(#values),*]);))
    };
    let (one_of, none_of) = (list("one_of", &rules.one_of), list("none_of", &rules.none_of));
    let finite = rules.finite.then(|| quote!(rules::number::finite(report, &#family, #value);));
    quote!(#(#equals)* #range #one_of #none_of #finite)
}

fn string(rules: &StringRules, value: &TokenStream) -> TokenStream {
    let text = |name: &str, rule: &Option<String>| {
        let name = rust::ident(name);
        rule.as_ref().map(|rule| quote!(rules::string::#name(report, #value, #rule);))
    };
    let length = |name: &str, rule: Option<u64>| {
        rule.map(|rule| {
            let (name, rule) = (rust::ident(name), rust::integer(rule));
            quote!(rules::string::#name(report, #value, #rule);)
        })
    };
    let pattern = pattern("string", rules.pattern.as_deref(), value);
    let checks = [
        text("equals", &rules.equals),
        length("len", rules.len),
        length("min_len", rules.min_len),
        length("max_len", rules.max_len),
        length("len_bytes", rules.len_bytes),
        length("min_bytes", rules.min_bytes),
        length("max_bytes", rules.max_bytes),
        pattern,
        text("prefix", &rules.prefix),
        text("suffix", &rules.suffix),
        text("contains", &rules.contains),
        text("not_contains", &rules.not_contains),
        format("string", rules.format.as_deref(), value),
    ];
    let checks = checks.into_iter().flatten();
    let lists = lists("string", value, &rules.one_of, &rules.none_of);
    quote!(#(#checks)* #lists)
}

fn pattern(module: &str, pattern: Option<&str>, value: &TokenStream) -> Option<TokenStream> {
    let module = rust::ident(module);
    pattern.map(|pattern| {
        quote! {
            {
                static PATTERN: cel::Pattern = cel::Pattern::new(#pattern);
                rules::#module::pattern(report, #value, &PATTERN);
            }
        }
    })
}

fn format(module: &str, format: Option<&str>, value: &TokenStream) -> Option<TokenStream> {
    let module = rust::ident(module);
    format.map(|format| {
        let constant = rust::ident(&format.to_shouty_snake_case());
        quote!(rules::#module::format(report, #value, &rules::#module::#constant);)
    })
}

fn bytes(rules: &BytesRules, value: &TokenStream) -> TokenStream {
    let slice = |bytes: &Vec<u8>| {
        let literal = Literal::byte_string(bytes);
        quote!(#literal)
    };
    let some = |name: &str, rule: &Option<Vec<u8>>| {
        let name = rust::ident(name);
        rule.as_ref().map(|rule| {
            let rule = slice(rule);
            quote!(rules::bytes::#name(report, #value, #rule);)
        })
    };
    let length = |name: &str, rule: Option<u64>| {
        rule.map(|rule| {
            let (name, rule) = (rust::ident(name), rust::integer(rule));
            quote!(rules::bytes::#name(report, #value, #rule);)
        })
    };
    let list = |name: &str, values: &[Vec<u8>]| {
        let (name, values) = (rust::ident(name), values.iter().map(slice).collect::<Vec<_>>());
        (!values.is_empty()).then(|| quote!(rules::bytes::#name(report, #value, &[#(#values),*]);))
    };
    let checks = [
        some("equals", &rules.equals),
        length("len", rules.len),
        length("min_len", rules.min_len),
        length("max_len", rules.max_len),
        pattern("bytes", rules.pattern.as_deref(), value),
        some("prefix", &rules.prefix),
        some("suffix", &rules.suffix),
        some("contains", &rules.contains),
        list("one_of", &rules.one_of),
        list("none_of", &rules.none_of),
        format("bytes", rules.format.as_deref(), value),
    ];
    let checks = checks.into_iter().flatten();
    quote!(#(#checks)*)
}

fn enumeration(
    scope: &Scope<'_>,
    rules: &EnumRules,
    ty: &FieldType,
    value: &TokenStream,
) -> TokenStream {
    let numbers = |values: &[i32]| -> Vec<TokenStream> {
        values.iter().map(|value| signed(i64::from(*value))).collect()
    };
    let equals = rules.equals.iter().map(|only| {
        let only = signed(i64::from(*only));
        quote!(rules::equals(report, &rules::enumeration::ENUM, &#value, &#only);)
    });
    let defined = ty.rust().filter(|_| rules.defined_only).map(|enumeration| {
        let enumeration = rust::type_path(enumeration, scope.package);
        quote!(rules::enumeration::defined(report, #enumeration::is_valid(#value));)
    });
    let list = |name: &str, values: &[i32]| {
        let (name, values) = (rust::ident(name), numbers(values));
        (!values.is_empty())
            .then(|| quote!(rules::enumeration::#name(report, #value, &[#(#values),*]);))
    };
    let (one_of, none_of) = (list("one_of", &rules.one_of), list("none_of", &rules.none_of));
    quote!(#(#equals)* #defined #one_of #none_of)
}

fn time(module: &str, ty: &str, rules: &TimeRules, value: &TokenStream) -> TokenStream {
    let family = family(module);
    let (module, name) = (rust::ident(module), rust::ident(ty));
    let literal = |moment: &Moment| time_literal(ty, *moment);
    let equals = rules.equals.iter().map(|only| {
        let only = literal(only);
        quote!(rules::equals(report, &#family, &value, &#only);)
    });
    let range = bounds(rules.lower, rules.upper, |moment| literal(&moment))
        .map(|bounds| quote!(rules::range(report, &#family, value, #bounds);));
    let list = |name: &str, values: &[Moment]| {
        let (name, values) = (rust::ident(name), values.iter().map(literal).collect::<Vec<_>>());
        (!values.is_empty())
            .then(|| quote!(rules::#name(report, &#family, &value, &[#(#values),*]);))
    };
    let (one_of, none_of) = (list("one_of", &rules.one_of), list("none_of", &rules.none_of));
    let before = rules.before_now.then(|| quote!(rules::#module::before_now(report, value);));
    let after = rules.after_now.then(|| quote!(rules::#module::after_now(report, value);));
    let within = rules.within.iter().map(|span| {
        let span = time_literal("Duration", *span);
        quote!(rules::#module::within(report, value, #span);)
    });
    let checks = quote!(#(#equals)* #range #one_of #none_of #before #after #(#within)*);
    if checks.is_empty() {
        return checks;
    }
    quote!(let value = cel::#name::from(#value); #checks)
}

fn time_literal(ty: &str, moment: Moment) -> TokenStream {
    let ty = rust::ident(ty);
    let (seconds, nanos) = (signed(moment.seconds), signed(i64::from(moment.nanos)));
    quote!(cel::#ty::new(#seconds, #nanos))
}
