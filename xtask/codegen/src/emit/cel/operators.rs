//! Operators, and the choice between two values.

use proc_macro2::Literal;
use quote::quote;

use super::code::{Code, This, fallible};
use super::{emit, signed};
use crate::emit::rust;
use crate::model::{CelExpr, CelNode, CelType};

pub(super) fn logic(name: &str, a: &Code, b: &Code) -> Code {
    let function = rust::ident(name);
    if a.fallible || b.fallible {
        let (a, b) = (&a.tokens, &b.tokens);
        return fallible(quote!(cel::#function(|| Ok(#a), || Ok(#b))?));
    }
    let (a, b) = (a.operand(), b.operand());
    Code::new(if name == "and" { quote!(#a && #b) } else { quote!(#a || #b) }).loose()
}

pub(super) fn conditional(parts: &[CelExpr; 3], this: &This<'_>) -> Code {
    let [condition, then, otherwise] = parts.each_ref().map(|part| emit(part, this));
    let owned = then.owned || otherwise.owned;
    let ty = &parts[1].ty;
    let side = |code: &Code| {
        let tokens = &code.tokens;
        match ty {
            CelType::List(_) => quote!(#tokens.collect::<Vec<_>>().into_iter()),
            CelType::String if owned && !code.owned => quote!(#tokens.to_owned()),
            _ => tokens.clone(),
        }
    };
    let (test, a, b) = (&condition.tokens, side(&then), side(&otherwise));
    Code::new(quote!(if #test { #a } else { #b }))
        .loose()
        .owned(owned)
        .with(&[&condition, &then, &otherwise])
}

pub(super) fn compare(operator: &str, left: &CelExpr, right: &CelExpr, this: &This<'_>) -> Code {
    let (a, b) = (emit(left, this), emit(right, this));
    let tokens = match left.ty {
        CelType::Message(_) => {
            let (x, y) = (&a.tokens, &b.tokens);
            quote!(cel::message_eq(#x, #y))
        }
        CelType::List(_) => {
            let (x, y) = (&a.tokens, &b.tokens);
            quote!(cel::list_eq(#x, #y))
        }
        _ => return ordinary(operator, left, right, &a, &b),
    };
    if operator == "!=" {
        Code::new(quote!(!#tokens)).loose().with(&[&a, &b])
    } else {
        Code::new(tokens).with(&[&a, &b])
    }
}

pub(super) fn ordinary(
    operator: &str,
    left: &CelExpr,
    right: &CelExpr,
    a: &Code,
    b: &Code,
) -> Code {
    if let (CelNode::Bool(value), true) = (&right.node, operator == "==" || operator == "!=") {
        // `x == false` is `!x`.
        let operand = a.operand();
        let same = *value == (operator == "==");
        return Code::new(if same { quote!(#operand) } else { quote!(!#operand) })
            .loose()
            .with(&[a]);
    }
    let plain = |expr: &CelExpr, other: &CelExpr, code: &Code| match (&expr.node, &other.node) {
        // The other side says the type of a literal.
        (CelNode::Int(value), node) if !matches!(node, CelNode::Int(_)) => signed(*value),
        (CelNode::Uint(value), node) if !matches!(node, CelNode::Uint(_)) => {
            let literal = Literal::u64_unsuffixed(*value);
            quote!(#literal)
        }
        _ if code.owned => code.text(),
        _ => code.operand(),
    };
    let (x, y) = (plain(left, right, a), plain(right, left, b));
    let tokens = match operator {
        "==" => quote!(#x == #y),
        "!=" => quote!(#x != #y),
        "<" => quote!(#x < #y),
        "<=" => quote!(#x <= #y),
        ">" => quote!(#x > #y),
        _ => quote!(#x >= #y),
    };
    Code::new(tokens).loose().with(&[a, b])
}

pub(super) fn double2(operator: &str, a: &Code, b: &Code) -> Code {
    let (x, y) = (a.operand(), b.operand());
    let tokens = match operator {
        "+" => quote!(#x + #y),
        "-" => quote!(#x - #y),
        "*" => quote!(#x * #y),
        "/" => quote!(#x / #y),
        _ => quote!(#x as f64),
    };
    Code::new(tokens).loose().with(&[a, b])
}
