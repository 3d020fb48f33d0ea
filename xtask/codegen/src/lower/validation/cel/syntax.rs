//! The grammar of CEL: a text to a tree
//! (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax>).

use super::tokens::{Token, tokens};

/// An expression as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ast {
    pub(super) node: Node,
    /// Where it begins, in bytes of the expression.
    pub(super) at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Literal(Token),
    Ident(String),
    Select(Box<Ast>, String),
    Index(Box<Ast>, Box<Ast>),
    Call(Option<Box<Ast>>, String, Vec<Ast>),
    List(Vec<Ast>),
    Unary(&'static str, Box<Ast>),
    Binary(&'static str, Box<Ast>, Box<Ast>),
    Conditional(Box<[Ast; 3]>),
}

/// Deepest nesting: a text must not exhaust the stack.
const DEEPEST: usize = 100;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Ast, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), depth: 0 };
    let ast = parser.conditional()?;
    match parser.peek() {
        None => Ok(ast),
        Some(_) => Err(parser.unexpected()),
    }
}

/// Binary operators, from the weakest; those of one row bind alike.
const OPERATORS: [&[&str]; 5] =
    [&["||"], &["&&"], &["==", "!=", "<", "<=", ">", ">=", "in"], &["+", "-"], &["*", "/", "%"]];

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn unexpected(&self) -> String {
        match self.peek() {
            Some(token) => format!("unexpected {token} at position {}", self.at() + 1),
            None => "the expression ends too early".to_owned(),
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(sign));
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn conditional(&mut self) -> Result<Ast, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the expression is nested too deeply".to_owned());
        }
        let at = self.at();
        let condition = self.binary(0)?;
        let ast = if self.takes("?") {
            let then = self.conditional()?;
            self.expect(":")?;
            let otherwise = self.conditional()?;
            let node = Node::Conditional(Box::new([condition, then, otherwise]));
            Ast { node, at }
        } else {
            condition
        };
        self.depth -= 1;
        Ok(ast)
    }

    fn binary(&mut self, row: usize) -> Result<Ast, String> {
        let Some(operators) = OPERATORS.get(row) else { return self.unary() };
        let at = self.at();
        let mut left = self.binary(row + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.takes(operator)) {
            let right = self.binary(row + 1)?;
            left = Ast { node: Node::Binary(operator, Box::new(left), Box::new(right)), at };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Ast, String> {
        let at = self.at();
        let Some(operator) = ["!", "-"].into_iter().find(|operator| self.takes(operator)) else {
            let primary = self.primary()?;
            return self.member(primary);
        };
        // A literal keeps its sign: the least integer has no positive counterpart.
        if operator == "-"
            && let Some(negative) = self.peek().and_then(Token::negated)
        {
            self.next += 1;
            return self.member(Ast { node: Node::Literal(negative), at });
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the expression is nested too deeply".to_owned());
        }
        let operand = self.unary()?;
        self.depth -= 1;
        Ok(Ast { node: Node::Unary(operator, Box::new(operand)), at })
    }

    fn member(&mut self, mut ast: Ast) -> Result<Ast, String> {
        loop {
            let at = ast.at;
            if self.takes(".") {
                let name = self.name()?;
                let node = if self.takes("(") {
                    Node::Call(Some(Box::new(ast)), name, self.list(")")?)
                } else {
                    Node::Select(Box::new(ast), name)
                };
                ast = Ast { node, at };
            } else if self.takes("[") {
                let index = self.conditional()?;
                self.expect("]")?;
                ast = Ast { node: Node::Index(Box::new(ast), Box::new(index)), at };
            } else {
                return Ok(ast);
            }
        }
    }

    fn primary(&mut self) -> Result<Ast, String> {
        let at = self.at();
        if self.takes("(") {
            let inner = self.conditional()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.takes("[") {
            return Ok(Ast { node: Node::List(self.list("]")?), at });
        }
        let node = match self.peek() {
            Some(Token::Ident(name)) if name != "in" => {
                let name = name.clone();
                self.next += 1;
                if self.takes("(") {
                    Node::Call(None, name, self.list(")")?)
                } else {
                    Node::Ident(name)
                }
            }
            Some(token) if token.is_literal() => {
                let literal = token.clone();
                self.next += 1;
                Node::Literal(literal)
            }
            _ => return Err(self.unexpected()),
        };
        Ok(Ast { node, at })
    }

    fn name(&mut self) -> Result<String, String> {
        match self.peek() {
            Some(Token::Ident(name)) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Expressions with commas between them, up to a sign; a last comma is allowed.
    fn list(&mut self, end: &str) -> Result<Vec<Ast>, String> {
        let mut items = Vec::new();
        while !self.takes(end) {
            items.push(self.conditional()?);
            if !self.takes(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(items)
    }
}
