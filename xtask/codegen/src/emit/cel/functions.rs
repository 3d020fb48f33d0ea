//! Functions, macros, lists and maps.

use proc_macro2::TokenStream;
use quote::quote;

use super::code::{Code, This, fallible};
use super::fields::{is_copied, iterate, one};
use super::{emit, variable};
use crate::emit::rust;
use crate::model::{CelExpr, CelFunction, CelPiece, CelStored, CelType, Scalar};

pub(super) fn call(
    function: CelFunction,
    arguments: &[CelExpr],
    ty: &CelType,
    this: &This<'_>,
) -> Code {
    let codes: Vec<_> = arguments.iter().map(|argument| emit(argument, this)).collect();
    let given = |code: &Code, ty: &CelType| match ty {
        CelType::String => code.text(),
        _ => code.tokens.clone(),
    };
    let texts: Vec<_> =
        codes.iter().zip(arguments).map(|(code, argument)| given(code, &argument.ty)).collect();
    let mut tokens = match (function.name.strip_prefix('.'), codes.as_slice()) {
        (Some(method), [of, ..]) => {
            let (of, method) = (of.operand(), rust::ident(method));
            let rest = &texts[1..];
            quote!(#of.#method(#(#rest),*))
        }
        _ => {
            let path = function.name.split("::").map(rust::ident);
            quote!(cel::#(#path)::*(#(#texts),*))
        }
    };
    if function.fallible {
        tokens = quote!(#tokens?);
    }
    let made = matches!(
        function.name,
        "char_at" | "lower_ascii" | "upper_ascii" | "replace" | "join" | "split"
    );
    let kept = function.name == "concat" && codes.first().is_some_and(|code| code.owned);
    if matches!(ty, CelType::List(_)) {
        tokens = quote!(#tokens.into_iter());
    }
    let parts: Vec<_> = codes.iter().collect();
    Code { fallible: function.fallible, ..Code::new(tokens) }.owned(made || kept).with(&parts)
}

pub(super) fn list(items: &[CelExpr], this: &This<'_>) -> Code {
    let codes: Vec<_> = items.iter().map(|item| emit(item, this)).collect();
    let owned = codes.iter().any(|code| code.owned);
    let values = codes.iter().map(|code| {
        let tokens = &code.tokens;
        if owned && !code.owned { quote!(#tokens.to_owned()) } else { quote!(#tokens) }
    });
    let parts: Vec<_> = codes.iter().collect();
    Code::new(quote!([#(#values),*].into_iter())).owned(owned).with(&parts)
}

/// A key as it is stored, by reference.
pub(super) fn key(ty: &CelType, code: &Code) -> TokenStream {
    let CelType::Map(stored, _) = ty else { return code.tokens.clone() };
    let tokens = &code.tokens;
    match stored {
        CelStored::Scalar(Scalar::String) => code.text(),
        CelStored::Scalar(Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32) => {
            quote!(&i32::try_from(#tokens).map_err(|_| cel::Error::NoSuchKey)?)
        }
        CelStored::Scalar(Scalar::Uint32 | Scalar::Fixed32) => {
            quote!(&u32::try_from(#tokens).map_err(|_| cel::Error::NoSuchKey)?)
        }
        _ => quote!(&#tokens),
    }
}

pub(super) fn entry(map: &CelExpr, index: &CelExpr, this: &This<'_>) -> Code {
    let (of, at) = (emit(map, this), emit(index, this));
    let (tokens, key) = (&of.tokens, key(&map.ty, &at));
    let CelType::Map(_, stored) = &map.ty else { return of };
    let found = quote!(cel::entry(#tokens, #key)?);
    let found = if is_copied(stored) {
        one(stored, &found, &quote!(*#found)).tokens
    } else {
        one(stored, &found, &found).tokens
    };
    fallible(found)
}

pub(super) fn has_key(index: &CelExpr, map: &CelExpr, this: &This<'_>) -> Code {
    let (at, of) = (emit(index, this), emit(map, this));
    let (key, operand) = (key(&map.ty, &at), of.operand());
    fallible(quote!(cel::entry(#operand, #key).is_ok()))
}

pub(super) fn size(of: &CelExpr, this: &This<'_>) -> Code {
    let code = emit(of, this);
    let operand = code.operand();
    let counted = match of.ty {
        CelType::Map(..) => quote!(#operand.into_iter().flatten()),
        CelType::Bytes => quote!(#operand.iter()),
        _ => quote!(#operand),
    };
    Code::new(quote!(cel::count(#counted))).with(&[&code])
}

pub(super) fn comprehension(
    name: &str,
    over: &CelExpr,
    item: &str,
    body: &CelExpr,
    this: &This<'_>,
) -> Code {
    let list = emit(over, this);
    let body = emit(body, this);
    let variable = variable(item);
    let tokens = &list.tokens;
    let items = match &over.ty {
        CelType::Map(key, _) => {
            let operand = list.operand();
            iterate(&quote!(#operand.into_iter().flat_map(|map| map.keys())), key).tokens
        }
        _ => tokens.clone(),
    };
    let result = &body.tokens;
    match (name, body.fallible) {
        ("all", false) => Code::new(quote!(#items.all(|#variable| #result))).with(&[&list]),
        ("exists", false) => Code::new(quote!(#items.any(|#variable| #result))).with(&[&list]),
        ("map", false) => {
            Code::new(quote!(#items.map(|#variable| #result))).owned(body.owned).with(&[&list])
        }
        _ => {
            let function = rust::ident(name);
            let called = quote!(cel::#function(#items, |#variable| Ok(#result))?);
            match name {
                "map" => fallible(quote!(#called.into_iter())).owned(body.owned),
                "filter" => fallible(quote!(#called.into_iter())).owned(list.owned),
                _ => fallible(called),
            }
        }
    }
}

pub(super) fn format(pieces: &[CelPiece], this: &This<'_>) -> Code {
    let mut text = String::new();
    let mut values = Vec::new();
    let mut parts = Vec::new();
    for piece in pieces {
        match piece {
            CelPiece::Text(plain) => text.push_str(&plain.replace('{', "{{").replace('}', "}}")),
            CelPiece::Value(value, show) => {
                let code = emit(value, this);
                let tokens = &code.tokens;
                let (shown, show) = match (&value.ty, *show) {
                    (CelType::List(_), _) => (quote!(cel::list_text(#tokens)), ""),
                    (CelType::Bytes, "") => (quote!(cel::bytes_text(#tokens)?), ""),
                    (CelType::Bytes, _) => (quote!(cel::hex(#tokens)), ""),
                    (CelType::String, ":x" | ":X") => {
                        let text = code.text();
                        (quote!(cel::hex(#text.as_bytes())), "")
                    }
                    (_, show) => (tokens.clone(), show),
                };
                text.push_str(&format!("{{{show}}}"));
                values.push(shown);
                let fails = matches!((&value.ty, show), (CelType::Bytes, ""));
                parts.push(Code { fallible: code.fallible || fails, ..code });
            }
        }
    }
    let parts: Vec<_> = parts.iter().collect();
    Code::new(quote!(::std::format!(#text, #(#values),*))).owned(true).with(&parts)
}
