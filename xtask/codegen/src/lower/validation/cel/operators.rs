//! Operators: what they apply to, and what comes of them.

use super::typed::{Checked, call, expr, shown, unwrapped};
use crate::model::{CelExpr, CelNode, CelPiece, CelType};

fn mismatch(operator: &str, left: &CelExpr, right: &CelExpr) -> String {
    let (left, right) = (shown(&left.ty), shown(&right.ty));
    format!("`{operator}` does not apply to {left} and {right}")
}

pub(super) fn equality(operator: &'static str, left: CelExpr, right: CelExpr) -> Checked {
    let null = |tested: CelExpr| {
        let is_null = expr(CelNode::IsNull(Box::new(tested)), CelType::Bool);
        if operator == "==" {
            is_null
        } else {
            expr(CelNode::Not(Box::new(is_null)), CelType::Bool)
        }
    };
    match (&left.ty, &right.ty) {
        (CelType::Missing, _) => return Ok(left),
        (_, CelType::Missing) => return Ok(right),
        (CelType::Wrapper(_) | CelType::Message(_), CelType::Null) => return Ok(null(left)),
        (CelType::Null, CelType::Wrapper(_) | CelType::Message(_)) => return Ok(null(right)),
        _ => {}
    }
    let (left, right) = (unwrapped(left), unwrapped(right));
    let empty = |ty: &CelType| matches!(ty, CelType::List(item) if **item == CelType::Null);
    let lists = |a: &CelType, b: &CelType| empty(a) && matches!(b, CelType::List(_));
    let comparable = !matches!(left.ty, CelType::Map(..));
    if lists(&left.ty, &right.ty) || lists(&right.ty, &left.ty) {
        let full = if empty(&left.ty) { right } else { left };
        let size = expr(CelNode::Size(Box::new(full)), CelType::Int);
        let zero = expr(CelNode::Int(0), CelType::Int);
        return Ok(compare(operator, size, zero));
    }
    if left.ty != right.ty || !comparable {
        return Err(mismatch(operator, &left, &right));
    }
    Ok(compare(operator, left, right))
}

pub(super) fn compare(operator: &'static str, left: CelExpr, right: CelExpr) -> CelExpr {
    expr(CelNode::Compare(operator, Box::new(left), Box::new(right)), CelType::Bool)
}

pub(super) fn ordering(operator: &'static str, left: CelExpr, right: CelExpr) -> Checked {
    if left.ty == CelType::Missing {
        return Ok(left);
    }
    let ordered = !matches!(
        left.ty,
        CelType::Null | CelType::Message(_) | CelType::List(_) | CelType::Map(..)
    );
    if left.ty != right.ty || !ordered {
        return Err(mismatch(operator, &left, &right));
    }
    Ok(compare(operator, left, right))
}

pub(super) fn membership(left: CelExpr, right: CelExpr) -> Checked {
    let node = match &right.ty {
        CelType::List(item) if **item == left.ty || **item == CelType::Null => CelNode::In,
        CelType::Map(key, _) if key.ty() == left.ty => CelNode::HasKey,
        _ => return Err(mismatch("in", &left, &right)),
    };
    Ok(expr(node(Box::new(left), Box::new(right)), CelType::Bool))
}

pub(super) fn arithmetic(operator: &'static str, left: CelExpr, right: CelExpr) -> Checked {
    use CelType::{Double, Duration, Int, String, Timestamp, Uint};
    let (name, ty) = match (operator, &left.ty, &right.ty) {
        ("+", Int, Int) => ("add", Int),
        ("+", Uint, Uint) => ("add", Uint),
        ("-", Int, Int) => ("sub", Int),
        ("-", Uint, Uint) => ("sub", Uint),
        ("*", Int, Int) => ("mul", Int),
        ("*", Uint, Uint) => ("mul", Uint),
        ("/", Int, Int) => ("div", Int),
        ("/", Uint, Uint) => ("div", Uint),
        ("%", Int, Int) => ("rem", Int),
        ("%", Uint, Uint) => ("rem", Uint),
        ("+", Timestamp, Duration) | ("+", Duration, Timestamp) => ("add", Timestamp),
        ("+", Duration, Duration) => ("add", Duration),
        ("-", Timestamp, Duration) => ("sub", Timestamp),
        ("-", Duration, Duration) | ("-", Timestamp, Timestamp) => ("sub", Duration),
        ("+" | "-" | "*" | "/", Double, Double) => {
            let node = CelNode::Double2(operator, Box::new(left), Box::new(right));
            return Ok(expr(node, Double));
        }
        ("+", String, String) => {
            let pieces =
                vec![CelPiece::Value(Box::new(left), ""), CelPiece::Value(Box::new(right), "")];
            return Ok(expr(CelNode::Format(pieces), String));
        }
        ("+", CelType::List(a), CelType::List(b)) if a == b => ("concat", left.ty.clone()),
        _ => return Err(mismatch(operator, &left, &right)),
    };
    Ok(call(name, name != "concat", vec![left, right], ty))
}
