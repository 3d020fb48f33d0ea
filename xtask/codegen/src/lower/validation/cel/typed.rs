//! Expressions with types.

use crate::model::{CelExpr, CelFunction, CelNode, CelType};

/// An expression, or what is wrong with it.
pub(super) type Checked = Result<CelExpr, String>;

pub(super) fn expr(node: CelNode, ty: CelType) -> CelExpr {
    CelExpr { node, ty }
}

pub(super) fn call(
    name: &'static str,
    fallible: bool,
    arguments: Vec<CelExpr>,
    ty: CelType,
) -> CelExpr {
    expr(CelNode::Call(CelFunction { name, fallible }, arguments), ty)
}

pub(super) fn unwrapped(checked: CelExpr) -> CelExpr {
    match &checked.ty {
        CelType::Wrapper(inner) => {
            let ty = (**inner).clone();
            expr(CelNode::Unwrap(Box::new(checked)), ty)
        }
        _ => checked,
    }
}

/// A type as CEL names it.
pub(super) fn shown(ty: &CelType) -> String {
    match ty {
        CelType::Bool => "bool".to_owned(),
        CelType::Int => "int".to_owned(),
        CelType::Uint => "uint".to_owned(),
        CelType::Double => "double".to_owned(),
        CelType::String => "string".to_owned(),
        CelType::Bytes => "bytes".to_owned(),
        CelType::Duration => "google.protobuf.Duration".to_owned(),
        CelType::Timestamp => "google.protobuf.Timestamp".to_owned(),
        CelType::Null => "null".to_owned(),
        CelType::Missing => "a field that does not exist".to_owned(),
        CelType::Message(name) => name.clone(),
        CelType::Wrapper(inner) => format!("wrapper({})", shown(inner)),
        CelType::List(item) => format!("list({})", shown(item)),
        CelType::Map(key, value) => format!("map({}, {})", shown(&key.ty()), shown(&value.ty())),
    }
}
