//! Rust for an expression, and what is known of it.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Package;

/// How the value that `this` stands for is reached.
pub(in crate::emit) struct This<'a> {
    /// As an expression of which methods are called.
    pub(in crate::emit) place: &'a TokenStream,
    /// As an argument: numbers by value, everything else by reference.
    pub(in crate::emit) argument: &'a TokenStream,
    /// The package whose crate is written.
    pub(in crate::emit) package: &'a Package,
}

/// Rust for an expression.
pub(super) struct Code {
    pub(super) tokens: TokenStream,
    /// Whether it can stand beside an operator or before a dot as it is.
    pub(super) atomic: bool,
    /// Whether a string, or the strings of a list, belong to the expression.
    pub(super) owned: bool,
    /// Whether it ends the evaluation when something has no value.
    pub(super) fallible: bool,
    /// A message that is surely there, as an expression of which fields are read.
    pub(super) place: Option<TokenStream>,
}

impl Code {
    pub(super) fn new(tokens: TokenStream) -> Self {
        Self { tokens, atomic: true, owned: false, fallible: false, place: None }
    }

    pub(super) fn with(self, parts: &[&Self]) -> Self {
        Self { fallible: self.fallible || parts.iter().any(|part| part.fallible), ..self }
    }

    pub(super) fn loose(self) -> Self {
        Self { atomic: false, ..self }
    }

    pub(super) fn owned(self, owned: bool) -> Self {
        Self { owned, ..self }
    }

    /// In parentheses where they are needed.
    pub(super) fn operand(&self) -> TokenStream {
        let tokens = &self.tokens;
        if self.atomic { quote!(#tokens) } else { quote!((#tokens)) }
    }

    /// A string as a slice.
    pub(super) fn text(&self) -> TokenStream {
        let operand = self.operand();
        if self.owned { quote!(#operand.as_str()) } else { self.tokens.clone() }
    }
}

/// What ends the evaluation when something has no value.
pub(super) fn fallible(tokens: TokenStream) -> Code {
    Code { fallible: true, ..Code::new(tokens) }
}
