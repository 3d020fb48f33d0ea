//! What `rule` and `rules` are in the expression of a predefined rule: values of options.

use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};

use super::typed::{Checked, expr};
use crate::model::{CelNode, CelType, wrapped};

/// A field of the rules that a predefined rule stands among.
pub(super) fn rule_field(rules: &DynamicMessage, name: &str, has: bool) -> Checked {
    let field = rules.descriptor().get_field_by_name(name);
    let field = field.ok_or_else(|| format!("the rules have no field `{name}`"))?;
    if has {
        return Ok(expr(CelNode::Bool(rules.has_field(&field)), CelType::Bool));
    }
    constant(&rules.get_field(&field))
}

/// A value of an option as an expression.
pub(super) fn constant(value: &Value) -> Checked {
    Ok(match value {
        Value::Bool(value) => expr(CelNode::Bool(*value), CelType::Bool),
        Value::I32(value) | Value::EnumNumber(value) => {
            expr(CelNode::Int(i64::from(*value)), CelType::Int)
        }
        Value::I64(value) => expr(CelNode::Int(*value), CelType::Int),
        Value::U32(value) => expr(CelNode::Uint(u64::from(*value)), CelType::Uint),
        Value::U64(value) => expr(CelNode::Uint(*value), CelType::Uint),
        Value::F32(value) => expr(CelNode::Double(f64::from(*value)), CelType::Double),
        Value::F64(value) => expr(CelNode::Double(*value), CelType::Double),
        Value::String(value) => expr(CelNode::String(value.clone()), CelType::String),
        Value::Bytes(value) => expr(CelNode::Bytes(value.to_vec()), CelType::Bytes),
        Value::List(values) => {
            let items = values.iter().map(constant).collect::<Result<Vec<_>, _>>()?;
            let ty = items.first().map_or(CelType::Null, |item| item.ty.clone());
            expr(CelNode::List(items), CelType::List(Box::new(ty)))
        }
        Value::Message(message) => {
            let part = |name: &str| message.get_field_by_name(name).map(|part| part.into_owned());
            let seconds = part("seconds").and_then(|value| value.as_i64()).unwrap_or_default();
            let nanos = part("nanos").and_then(|value| value.as_i32()).unwrap_or_default();
            match message.descriptor().full_name() {
                "google.protobuf.Duration" => {
                    expr(CelNode::Duration(seconds, nanos), CelType::Duration)
                }
                "google.protobuf.Timestamp" => {
                    expr(CelNode::Timestamp(seconds, nanos), CelType::Timestamp)
                }
                name => match (wrapped(name), part("value")) {
                    (Some(_), Some(value)) => return constant(&value),
                    _ => return Err(format!("a rule of type {name} cannot be used")),
                },
            }
        }
        Value::Map(_) => return Err("a rule that is a map cannot be used".to_owned()),
    })
}
