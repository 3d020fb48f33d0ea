//! What `this` is, and reading of fields.

use proc_macro2::TokenStream;
use quote::quote;

use super::code::{Code, This};
use crate::emit::rust;
use crate::model::{CelField, CelShape, CelStored, Scalar};

pub(super) fn this_value(shape: &CelShape, this: &This<'_>) -> Code {
    let (place, argument) = (this.place, this.argument);
    match shape {
        CelShape::One(CelStored::Message(_)) => {
            Code { place: Some(place.clone()), ..Code::new(quote!(Some(#argument))) }
        }
        CelShape::One(stored) => one(stored, place, argument),
        CelShape::List(item) => iterate(&quote!(#place.iter()), item),
        CelShape::Map(..) => Code::new(quote!(Some(#argument))),
    }
}

/// A stored value as CEL's: numbers of 64 bits, slices of strings.
pub(super) fn one(stored: &CelStored, place: &TokenStream, argument: &TokenStream) -> Code {
    match stored {
        CelStored::Scalar(scalar) => Code::new(widened(*scalar, place, argument)),
        CelStored::Enum => Code::new(quote!(i64::from(#argument))),
        CelStored::Duration => Code::new(quote!(cel::Duration::from(#argument))),
        CelStored::Timestamp => Code::new(quote!(cel::Timestamp::from(#argument))),
        CelStored::Wrapper(scalar) => {
            let inner = widened(*scalar, place, argument);
            Code::new(quote!(Some(#inner)))
        }
        CelStored::Message(_) => Code::new(quote!(Some(#argument))),
    }
}

pub(super) fn widened(scalar: Scalar, place: &TokenStream, argument: &TokenStream) -> TokenStream {
    match scalar {
        Scalar::Float => quote!(f64::from(#argument)),
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => quote!(i64::from(#argument)),
        Scalar::Uint32 | Scalar::Fixed32 => quote!(u64::from(#argument)),
        Scalar::String => quote!(#place.as_str()),
        Scalar::Bytes => quote!(#place.as_slice()),
        _ => argument.clone(),
    }
}

/// Whether a value is given by value.
pub(super) fn is_copied(stored: &CelStored) -> bool {
    match stored {
        CelStored::Enum => true,
        CelStored::Scalar(scalar) | CelStored::Wrapper(scalar) => {
            !matches!(scalar, Scalar::String | Scalar::Bytes)
        }
        _ => false,
    }
}

/// A reference named `item` as CEL's value.
pub(super) fn item(stored: &CelStored) -> TokenStream {
    let argument = if is_copied(stored) { quote!(*item) } else { quote!(item) };
    one(stored, &quote!(item), &argument).tokens
}

/// An iterator over references as one over CEL's values.
pub(super) fn iterate(items: &TokenStream, stored: &CelStored) -> Code {
    let converted = item(stored);
    match converted.to_string().as_str() {
        // Said as clippy wants it, which looks at what was generated too.
        "* item" => Code::new(quote!(#items.copied())),
        _ => Code::new(quote!(#items.map(|item| #converted))),
    }
}

/// A field of a message.
pub(super) fn select(of: &Code, field: &CelField, this: &This<'_>) -> Code {
    let read = |place: &TokenStream| read(place, field, this);
    match &of.place {
        Some(place) => finish(read(place), field),
        None => {
            let (operand, inner) = (of.operand(), read(&quote!(message)));
            let tokens = if field.optional {
                quote!(#operand.and_then(|message| #inner))
            } else {
                match &field.shape {
                    CelShape::List(_) => {
                        quote!(#operand.map(|message| #inner.as_slice()).unwrap_or_default())
                    }
                    CelShape::Map(..) => quote!(#operand.map(|message| &#inner)),
                    CelShape::One(_) => quote!(#operand.map(|message| #inner).unwrap_or_default()),
                }
            };
            let finished = match &field.shape {
                CelShape::Map(..) => Code::new(tokens),
                CelShape::List(item) => iterate(&quote!(#tokens.iter()), item),
                CelShape::One(_) if field.optional => defaulted(&tokens, field),
                CelShape::One(_) => Code::new(tokens),
            };
            finished.with(&[of])
        }
    }
}

/// A field as it is stored: an `Option` of CEL's value where its absence is known, CEL's
/// value where it is not, the place itself of a list or map.
pub(super) fn read(place: &TokenStream, field: &CelField, this: &This<'_>) -> TokenStream {
    let CelShape::One(stored) = &field.shape else {
        let name = rust::ident(&field.rust_name);
        return quote!(#place.#name);
    };
    let converted = item(stored);
    if let Some((name, enumeration)) = &field.oneof {
        let (name, variant) = (rust::ident(name), rust::ident(&field.rust_name));
        let enumeration = rust::type_path(enumeration, this.package);
        let converted = match stored {
            CelStored::Wrapper(scalar) => item(&CelStored::Scalar(*scalar)),
            CelStored::Message(_) => quote!(item),
            _ => converted,
        };
        return quote! {
            #place.#name.as_ref().and_then(|oneof| match oneof {
                #enumeration::#variant(item) => Some(#converted),
                _ => None,
            })
        };
    }
    let name = rust::ident(&field.rust_name);
    if !field.optional {
        let (own, argument) = (quote!(#place.#name), quote!(&#place.#name));
        let argument = if is_copied(stored) { own.clone() } else { argument };
        return one(stored, &own, &argument).tokens;
    }
    match stored {
        CelStored::Message(_) => quote!(#place.#name.as_ref()),
        CelStored::Wrapper(scalar) => {
            let inner = item(&CelStored::Scalar(*scalar));
            quote!(#place.#name.as_ref().map(|item| #inner))
        }
        _ => quote!(#place.#name.as_ref().map(|item| #converted)),
    }
}

pub(super) fn finish(tokens: TokenStream, field: &CelField) -> Code {
    match &field.shape {
        CelShape::List(item) => iterate(&quote!(#tokens.iter()), item),
        CelShape::Map(..) => Code::new(quote!(Some(&#tokens))),
        CelShape::One(_) if field.optional => defaulted(&tokens, field),
        CelShape::One(CelStored::Message(_)) => Code::new(tokens),
        CelShape::One(_) => Code::new(tokens),
    }
}

/// The default of what is absent; messages and wrappers stay absent.
pub(super) fn defaulted(tokens: &TokenStream, field: &CelField) -> Code {
    match &field.shape {
        CelShape::One(CelStored::Message(_) | CelStored::Wrapper(_)) => Code::new(tokens.clone()),
        _ => Code::new(quote!(#tokens.unwrap_or_default())),
    }
}

pub(super) fn has(of: &Code, field: &CelField, this: &This<'_>) -> Code {
    let test = |place: &TokenStream| -> TokenStream {
        let name = rust::ident(&field.rust_name);
        match &field.shape {
            CelShape::List(_) | CelShape::Map(..) => quote!(!#place.#name.is_empty()),
            CelShape::One(_) if field.optional => {
                let tokens = read(place, field, this);
                quote!(#tokens.is_some())
            }
            CelShape::One(CelStored::Scalar(Scalar::String | Scalar::Bytes)) => {
                quote!(!#place.#name.is_empty())
            }
            CelShape::One(CelStored::Scalar(Scalar::Bool)) => quote!(#place.#name),
            CelShape::One(CelStored::Scalar(Scalar::Double | Scalar::Float)) => {
                quote!(#place.#name != 0.0)
            }
            CelShape::One(CelStored::Scalar(_) | CelStored::Enum) => quote!(#place.#name != 0),
            CelShape::One(_) => quote!(true),
        }
    };
    match &of.place {
        Some(place) => Code::new(test(place)).loose(),
        None => {
            let (operand, inner) = (of.operand(), test(&quote!(message)));
            Code::new(quote!(#operand.is_some_and(|message| #inner))).with(&[of])
        }
    }
}
