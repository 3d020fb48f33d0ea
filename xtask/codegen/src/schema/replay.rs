//! One migration file: from text to statements, each with its place.

use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use super::{Schema, statement};
use crate::{Diagnostic, Diagnostics};

/// A mistake within a statement. Without a place of its own it is at the statement's.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) at: Option<Location>,
    pub(super) message: String,
    pub(super) advice: String,
}

impl Mistake {
    pub(super) fn new(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { at: None, message: message.into(), advice: advice.into() }
    }

    pub(super) fn at(mut self, location: Location) -> Self {
        // An empty location means that the parser did not keep it.
        if location.line > 0 {
            self.at = Some(location);
        }
        self
    }
}

/// Replays the statements of one file.
pub(super) fn file(schema: &mut Schema, name: &str, text: &str) -> Result<(), Diagnostics> {
    let statements = parse(text).map_err(|mistake| {
        Diagnostics(vec![diagnostic(name, Location { line: 0, column: 0 }, mistake)])
    })?;
    let mut diagnostics = Vec::new();
    for (place, statement) in &statements {
        if let Err(mistake) = statement::apply(schema, statement) {
            diagnostics.push(diagnostic(name, *place, mistake));
        }
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics(diagnostics)) }
}

fn diagnostic(file: &str, place: Location, mistake: Mistake) -> Diagnostic {
    let place = mistake.at.unwrap_or(place);
    Diagnostic {
        file: file.to_owned(),
        line: usize::try_from(place.line).unwrap_or(0),
        column: usize::try_from(place.column).unwrap_or(0),
        message: mistake.message,
        advice: mistake.advice,
    }
}

fn parse(text: &str) -> Result<Vec<(Location, Statement)>, Mistake> {
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|error| {
        Mistake::new(format!("is not SQL: {}", error.message), "").at(error.location)
    })?;
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
    let mut statements = Vec::new();
    loop {
        while parser.consume_token(&Token::SemiColon) {}
        let next = parser.peek_token();
        if next.token == Token::EOF {
            return Ok(statements);
        }
        let start = next.span.start;
        let statement = parser.parse_statement().map_err(|error| unparsed(&error, start))?;
        let end = parser.peek_token();
        if !matches!(end.token, Token::SemiColon | Token::EOF) {
            return Err(Mistake::new(
                format!("the statement is not understood from `{}` on", end.token),
                ADVICE,
            )
            .at(end.span.start));
        }
        statements.push((start, statement));
    }
}

const ADVICE: &str = "end each statement with `;`; a statement that Postgres takes and the parser \
does not has to be written in another way";

/// The parser puts the place at the end of its text.
fn unparsed(error: &ParserError, start: Location) -> Mistake {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "too deeply nested",
    };
    let place = text.rsplit_once(" at Line: ").and_then(|(message, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((message, Location { line: line.parse().ok()?, column: column.parse().ok()? }))
    });
    let (message, location) = place.unwrap_or((text, start));
    Mistake::new(format!("is not understood: {message}"), ADVICE).at(location)
}
