//! CEL expressions as Rust.
//!
//! A message is an `Option` of a reference, since reading a field of an absent one gives
//! its default; a list is an iterator over values; strings are slices unless they were
//! made by the expression. Functions that may have no result end in `?`.

mod code;
mod fields;
mod functions;
mod operators;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens as _, format_ident, quote};

use crate::model::{CelExpr, CelNode, CelPiece};

pub(super) use code::This;
use code::{Code, fallible};
use fields::{has, select, this_value};
use functions::{call, comprehension, entry, format, has_key, list, size};
use operators::{compare, conditional, double2, logic};

/// Whether an expression asks for the time.
pub(super) fn uses_now(expr: &CelExpr) -> bool {
    let both = |a: &CelExpr, b: &CelExpr| uses_now(a) || uses_now(b);
    match &expr.node {
        CelNode::Now => true,
        CelNode::Select(of, _)
        | CelNode::Has(of, _)
        | CelNode::Not(of)
        | CelNode::Size(of)
        | CelNode::Unwrap(of)
        | CelNode::IsNull(of)
        | CelNode::Matches(of, _) => uses_now(of),
        CelNode::And(a, b)
        | CelNode::Or(a, b)
        | CelNode::Compare(_, a, b)
        | CelNode::Double2(_, a, b)
        | CelNode::At(a, b)
        | CelNode::Entry(a, b)
        | CelNode::In(a, b)
        | CelNode::HasKey(a, b)
        | CelNode::Macro(_, a, _, b) => both(a, b),
        CelNode::Conditional(parts) => parts.iter().any(uses_now),
        CelNode::Call(_, items) | CelNode::List(items) => items.iter().any(uses_now),
        CelNode::Format(pieces) => pieces.iter().any(|piece| match piece {
            CelPiece::Text(_) => false,
            CelPiece::Value(value, _) => uses_now(value),
        }),
        _ => false,
    }
}

/// The body of a closure that evaluates an expression.
pub(super) fn body(expr: &CelExpr, this: &This<'_>) -> TokenStream {
    if let CelNode::NoSuchField = expr.node {
        return quote!(cel::no_such_field::<bool>());
    }
    let code = emit(expr, this);
    let tokens = code.tokens;
    quote!(Ok(#tokens))
}

fn emit(expr: &CelExpr, this: &This<'_>) -> Code {
    match &expr.node {
        CelNode::Bool(value) => Code::new(quote!(#value)),
        CelNode::Int(value) => {
            let code = Code::new(Literal::i64_suffixed(*value).into_token_stream());
            if *value < 0 { code.loose() } else { code }
        }
        CelNode::Uint(value) => Code::new(Literal::u64_suffixed(*value).into_token_stream()),
        CelNode::Double(value) => double(*value),
        CelNode::String(value) => Code::new(quote!(#value)),
        CelNode::Bytes(value) => {
            let literal = Literal::byte_string(value);
            Code::new(quote!(#literal.as_slice()))
        }
        CelNode::Duration(seconds, nanos) => {
            let (seconds, nanos) = (signed(*seconds), signed(i64::from(*nanos)));
            Code::new(quote!(cel::Duration::new(#seconds, #nanos)))
        }
        CelNode::Timestamp(seconds, nanos) => {
            let (seconds, nanos) = (signed(*seconds), signed(i64::from(*nanos)));
            Code::new(quote!(cel::Timestamp::new(#seconds, #nanos)))
        }
        CelNode::Null => Code::new(quote!(())),
        CelNode::This(shape) => this_value(shape, this),
        CelNode::Now => Code::new(quote!(now)),
        CelNode::Variable(name) => {
            let name = variable(name);
            Code::new(quote!(#name))
        }
        CelNode::Select(of, field) => select(&emit(of, this), field, this),
        CelNode::Has(of, field) => has(&emit(of, this), field, this),
        CelNode::Not(of) => {
            let of = emit(of, this);
            let operand = of.operand();
            Code::new(quote!(!#operand)).loose().with(&[&of])
        }
        CelNode::And(a, b) => logic("and", &emit(a, this), &emit(b, this)),
        CelNode::Or(a, b) => logic("or", &emit(a, this), &emit(b, this)),
        CelNode::Conditional(parts) => conditional(parts, this),
        CelNode::Compare(operator, a, b) => compare(operator, a, b, this),
        CelNode::Double2(operator, a, b) => double2(operator, &emit(a, this), &emit(b, this)),
        CelNode::Call(function, arguments) => call(*function, arguments, &expr.ty, this),
        CelNode::List(items) => list(items, this),
        CelNode::At(list, index) => {
            let (list, index) = (emit(list, this), emit(index, this));
            let (items, number) = (&list.tokens, &index.tokens);
            fallible(quote!(cel::at(#items, #number)?)).owned(list.owned)
        }
        CelNode::Entry(map, key) => entry(map, key, this),
        CelNode::In(item, list) => {
            let (item, list) = (emit(item, this), emit(list, this));
            let (wanted, items) = (item.text(), &list.tokens);
            Code::new(quote!(cel::contains(#items, #wanted))).with(&[&item, &list])
        }
        CelNode::HasKey(key, map) => has_key(key, map, this),
        CelNode::Size(of) => size(of, this),
        CelNode::Unwrap(of) => {
            let tokens = emit(of, this).tokens;
            fallible(quote!(cel::unwrap(#tokens)?))
        }
        CelNode::IsNull(of) => {
            let of = emit(of, this);
            if of.place.is_some() {
                return Code::new(quote!(false));
            }
            let operand = of.operand();
            Code::new(quote!(#operand.is_none())).with(&[&of])
        }
        CelNode::Macro(name, over, variable, body) => {
            comprehension(name, over, variable, body, this)
        }
        CelNode::Format(pieces) => format(pieces, this),
        CelNode::Matches(text, pattern) => {
            let code = emit(text, this);
            let text = code.text();
            let tokens = quote!({
                static PATTERN: cel::Pattern = cel::Pattern::new(#pattern);
                PATTERN.matches(#text)
            });
            Code::new(tokens).with(&[&code])
        }
        CelNode::NoSuchField => fallible(quote!(cel::no_such_field::<bool>()?)),
    }
}

/// A number with its sign, without the name of its type.
pub(super) fn signed(value: i64) -> TokenStream {
    let literal = Literal::u64_unsuffixed(value.unsigned_abs());
    if value < 0 { quote!(-#literal) } else { quote!(#literal) }
}

fn double(value: f64) -> Code {
    if value.is_nan() {
        return Code::new(quote!(f64::NAN));
    }
    if value.is_infinite() {
        let name = if value > 0.0 { quote!(f64::INFINITY) } else { quote!(f64::NEG_INFINITY) };
        return Code::new(name);
    }
    let literal = Literal::f64_suffixed(value.abs());
    if value.is_sign_negative() {
        Code::new(quote!(-#literal)).loose()
    } else {
        Code::new(quote!(#literal))
    }
}

fn variable(name: &str) -> Ident {
    format_ident!("{name}_")
}
