//! Types of expressions.

use super::super::super::messages;
use super::operators::{arithmetic, equality, membership, ordering};
use super::rule::{constant, rule_field};
use super::shapes::{field_of, shape_type};
use super::syntax::{Ast, Node};
use super::tokens::Token;
use super::typed::{Checked, call, expr, shown, unwrapped};
use super::{Scope, functions};
use crate::model::{CelNode, CelType};

pub(super) struct Checker<'a> {
    scope: &'a Scope<'a>,
    variables: Vec<(String, CelType)>,
    pub(super) reads_redacted: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(scope: &'a Scope<'a>) -> Self {
        Self { scope, variables: Vec::new(), reads_redacted: false }
    }

    pub(super) fn check(&mut self, ast: &Ast) -> Checked {
        match &ast.node {
            Node::Literal(token) => literal(token),
            Node::Ident(name) => self.ident(name),
            Node::Select(of, name) => self.select(of, name, false),
            Node::Index(of, index) => self.index(of, index),
            Node::Call(target, name, arguments) => self.call(target.as_deref(), name, arguments),
            Node::List(items) => self.list(items),
            Node::Unary(operator, operand) => self.unary(operator, operand),
            Node::Binary(operator, left, right) => self.binary(operator, left, right),
            Node::Conditional(parts) => self.conditional(parts),
        }
    }

    fn ident(&self, name: &str) -> Checked {
        if let Some((_, ty)) = self.variables.iter().rev().find(|(known, _)| known == name) {
            return Ok(expr(CelNode::Variable(name.to_owned()), ty.clone()));
        }
        match (name, self.scope.rule) {
            ("this", _) => {
                let shape = self.scope.this.clone();
                let ty = shape_type(&shape);
                Ok(expr(CelNode::This(shape), ty))
            }
            ("now", _) => Ok(expr(CelNode::Now, CelType::Timestamp)),
            ("rule", Some((value, _))) => constant(value),
            _ => Err(format!("`{name}` is not declared; a rule can use `this` and `now`")),
        }
    }

    fn select(&mut self, of: &Ast, name: &str, has: bool) -> Checked {
        if matches!(&of.node, Node::Ident(variable) if variable == "rules")
            && let Some((_, rules)) = self.scope.rule
        {
            return rule_field(rules, name, has);
        }
        if let Node::Call(None, function, arguments) = &of.node
            && function == "dyn"
            && let [hidden] = arguments.as_slice()
        {
            return self
                .select(hidden, name, has)
                .or(Ok(expr(CelNode::NoSuchField, CelType::Missing)));
        }
        let of = self.check(of)?;
        let CelType::Message(message) = &of.ty else {
            return Err(format!("{} has no field `{name}`", shown(&of.ty)));
        };
        let descriptor = self.scope.contracts.pool.get_message_by_name(message);
        let field = descriptor.and_then(|descriptor| descriptor.get_field_by_name(name));
        let Some(field) = field else {
            return Err(format!("message {message} has no field `{name}`"));
        };
        let redacted = messages::is_set(&field.options(), "debug_redact");
        self.reads_redacted |= redacted && !has;
        let read = field_of(self.scope.contracts, &field);
        let ty = shape_type(&read.shape);
        Ok(if has {
            expr(CelNode::Has(Box::new(of), read), CelType::Bool)
        } else {
            expr(CelNode::Select(Box::new(of), read), ty)
        })
    }

    fn index(&mut self, of: &Ast, index: &Ast) -> Checked {
        let (of, index) = (self.check(of)?, self.check(index)?);
        match (&of.ty, &index.ty) {
            (CelType::List(item), CelType::Int) => {
                let ty = (**item).clone();
                Ok(expr(CelNode::At(Box::new(of), Box::new(index)), ty))
            }
            (CelType::Map(key, value), wanted) if key.ty() == *wanted => {
                let ty = value.ty();
                Ok(expr(CelNode::Entry(Box::new(of), Box::new(index)), ty))
            }
            (of, index) => Err(format!("{} cannot be indexed by {}", shown(of), shown(index))),
        }
    }

    fn list(&mut self, items: &[Ast]) -> Checked {
        let items = items.iter().map(|item| self.value(item)).collect::<Result<Vec<_>, _>>()?;
        let ty = items.first().map_or(CelType::Null, |item| item.ty.clone());
        if let Some(other) = items.iter().find(|item| item.ty != ty) {
            return Err(format!("a list holds {} and {}", shown(&ty), shown(&other.ty)));
        }
        Ok(expr(CelNode::List(items), CelType::List(Box::new(ty))))
    }

    fn unary(&mut self, operator: &str, operand: &Ast) -> Checked {
        let operand = self.value(operand)?;
        let ty = operand.ty.clone();
        match (operator, &ty) {
            ("!", CelType::Bool) => Ok(expr(CelNode::Not(Box::new(operand)), ty)),
            ("-", CelType::Int) => Ok(call("neg", true, vec![operand], ty)),
            ("-", CelType::Double) => {
                let zero = expr(CelNode::Double(-0.0), CelType::Double);
                Ok(expr(CelNode::Double2("-", Box::new(zero), Box::new(operand)), ty))
            }
            _ => Err(format!("`{operator}` does not apply to {}", shown(&ty))),
        }
    }

    fn binary(&mut self, operator: &'static str, left: &Ast, right: &Ast) -> Checked {
        match operator {
            "&&" | "||" => {
                let (left, right) = (Box::new(self.boolean(left)?), Box::new(self.boolean(right)?));
                let node = if operator == "&&" {
                    CelNode::And(left, right)
                } else {
                    CelNode::Or(left, right)
                };
                Ok(expr(node, CelType::Bool))
            }
            "==" | "!=" => {
                let (left, right) = (self.check(left)?, self.check(right)?);
                equality(operator, left, right)
            }
            "<" | "<=" | ">" | ">=" => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                ordering(operator, left, right)
            }
            "in" => {
                let (left, right) = (self.value(left)?, self.check(right)?);
                membership(left, right)
            }
            _ => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                arithmetic(operator, left, right)
            }
        }
    }

    fn boolean(&mut self, ast: &Ast) -> Checked {
        let checked = self.value(ast)?;
        match checked.ty {
            CelType::Bool => Ok(checked),
            other => Err(format!("{} stands where a bool must", shown(&other))),
        }
    }

    /// An expression whose wrapper, if it is one, is used as a value.
    pub(super) fn value(&mut self, ast: &Ast) -> Checked {
        self.check(ast).map(unwrapped)
    }

    fn conditional(&mut self, parts: &[Ast; 3]) -> Checked {
        let [condition, then, otherwise] = parts;
        let condition = self.boolean(condition)?;
        let (then, otherwise) = (self.value(then)?, self.value(otherwise)?);
        if then.ty != otherwise.ty {
            let (a, b) = (shown(&then.ty), shown(&otherwise.ty));
            return Err(format!("`?:` has {a} on one side and {b} on the other"));
        }
        let ty = then.ty.clone();
        Ok(expr(CelNode::Conditional(Box::new([condition, then, otherwise])), ty))
    }

    fn call(&mut self, target: Option<&Ast>, name: &str, arguments: &[Ast]) -> Checked {
        match (target, name, arguments) {
            (None, "has", [Ast { node: Node::Select(of, field), .. }]) => {
                self.select(of, field, true)
            }
            (None, "has", _) => Err("`has` takes a field, as in has(this.name)".to_owned()),
            (None, "dyn", [value]) => self.check(value),
            (None, "getField", [of, Ast { node: Node::Literal(Token::String(field)), .. }]) => {
                self.select(of, field, false)
            }
            (Some(over), "all" | "exists" | "exists_one" | "map" | "filter", [variable, body]) => {
                self.comprehension(name, over, variable, body)
            }
            (Some(text), "format", [Ast { node: Node::List(values), .. }]) => {
                self.format(text, values)
            }
            (Some(text), "matches", [pattern]) => self.matches(text, pattern),
            (None, "matches", [text, pattern]) => self.matches(text, pattern),
            _ => {
                let target = target.map(|target| self.value(target)).transpose()?;
                let arguments = arguments
                    .iter()
                    .map(|argument| self.value(argument))
                    .collect::<Result<_, _>>()?;
                functions::call(target, name, arguments)
            }
        }
    }

    fn matches(&mut self, text: &Ast, pattern: &Ast) -> Checked {
        let (text, pattern) = (self.value(text)?, self.value(pattern)?);
        let CelNode::String(pattern) = pattern.node else {
            return Err("the expression of `matches` must be a constant".to_owned());
        };
        if text.ty != CelType::String {
            return Err(format!("`matches` does not apply to {}", shown(&text.ty)));
        }
        super::super::pattern(&pattern)?;
        Ok(expr(CelNode::Matches(Box::new(text), pattern), CelType::Bool))
    }

    fn comprehension(&mut self, name: &str, over: &Ast, variable: &Ast, body: &Ast) -> Checked {
        let over = self.check(over)?;
        let item = match &over.ty {
            CelType::List(item) => (**item).clone(),
            CelType::Map(key, _) => key.ty(),
            other => return Err(format!("`{name}` does not apply to {}", shown(other))),
        };
        let Node::Ident(variable) = &variable.node else {
            return Err(format!("`{name}` takes a variable's name first"));
        };
        self.variables.push((variable.clone(), item.clone()));
        let body = self.value(body);
        self.variables.pop();
        let body = body?;
        let (macro_name, ty) = match name {
            "map" => ("map", CelType::List(Box::new(body.ty.clone()))),
            "filter" => ("filter", CelType::List(Box::new(item))),
            "all" => ("all", CelType::Bool),
            "exists" => ("exists", CelType::Bool),
            _ => ("exists_one", CelType::Bool),
        };
        if name != "map" && body.ty != CelType::Bool {
            return Err(format!("`{name}` needs a bool, not {}", shown(&body.ty)));
        }
        let node = CelNode::Macro(macro_name, Box::new(over), variable.clone(), Box::new(body));
        Ok(expr(node, ty))
    }

    fn format(&mut self, text: &Ast, values: &[Ast]) -> Checked {
        let Node::Literal(Token::String(text)) = &text.node else {
            return Err("the text of `format` must be a constant".to_owned());
        };
        let values = values.iter().map(|value| self.value(value)).collect::<Result<Vec<_>, _>>()?;
        let pieces = functions::pieces(text, values)?;
        Ok(expr(CelNode::Format(pieces), CelType::String))
    }
}

fn literal(token: &Token) -> Checked {
    Ok(match token {
        Token::Bool(value) => expr(CelNode::Bool(*value), CelType::Bool),
        Token::Null => expr(CelNode::Null, CelType::Null),
        Token::Int(value) => expr(CelNode::Int(*value), CelType::Int),
        Token::Uint(value) => expr(CelNode::Uint(*value), CelType::Uint),
        Token::Double(value) => expr(CelNode::Double(*value), CelType::Double),
        Token::String(value) => expr(CelNode::String(value.clone()), CelType::String),
        Token::Bytes(value) => expr(CelNode::Bytes(value.clone()), CelType::Bytes),
        Token::Sign(_) | Token::Ident(_) | Token::TooLarge => {
            return Err(format!("{token} is not a value"));
        }
    })
}
