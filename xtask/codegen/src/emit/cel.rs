//! CEL expressions as Rust.
//!
//! A message is an `Option` of a reference, since reading a field of an absent one gives
//! its default; a list is an iterator over values; strings are slices unless they were
//! made by the expression. Functions that may have no result end in `?`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::rust;
use crate::model::{
    CelExpr, CelField, CelFunction, CelNode, CelPiece, CelShape, CelStored, CelType, Package,
    Scalar,
};

/// How the value that `this` stands for is reached.
pub(super) struct This<'a> {
    /// As an expression of which methods are called.
    pub(super) place: &'a TokenStream,
    /// As an argument: numbers by value, everything else by reference.
    pub(super) argument: &'a TokenStream,
    /// The package whose crate is written.
    pub(super) package: &'a Package,
}

/// Rust for an expression.
struct Code {
    tokens: TokenStream,
    /// Whether it can stand beside an operator or before a dot as it is.
    atomic: bool,
    /// Whether a string, or the strings of a list, belong to the expression.
    owned: bool,
    /// Whether it ends the evaluation when something has no value.
    fallible: bool,
    /// A message that is surely there, as an expression of which fields are read.
    place: Option<TokenStream>,
}

impl Code {
    fn new(tokens: TokenStream) -> Self {
        Self { tokens, atomic: true, owned: false, fallible: false, place: None }
    }

    fn with(self, parts: &[&Self]) -> Self {
        Self { fallible: self.fallible || parts.iter().any(|part| part.fallible), ..self }
    }

    fn loose(self) -> Self {
        Self { atomic: false, ..self }
    }

    fn owned(self, owned: bool) -> Self {
        Self { owned, ..self }
    }

    /// In parentheses where they are needed.
    fn operand(&self) -> TokenStream {
        let tokens = &self.tokens;
        if self.atomic { quote!(#tokens) } else { quote!((#tokens)) }
    }

    /// A string as a slice.
    fn text(&self) -> TokenStream {
        let operand = self.operand();
        if self.owned { quote!(#operand.as_str()) } else { self.tokens.clone() }
    }
}

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
            let code = Code::new(Literal::i64_suffixed(*value).into_token_stream_());
            if *value < 0 { code.loose() } else { code }
        }
        CelNode::Uint(value) => Code::new(Literal::u64_suffixed(*value).into_token_stream_()),
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

fn fallible(tokens: TokenStream) -> Code {
    Code { fallible: true, ..Code::new(tokens) }
}

/// A literal as tokens.
trait IntoTokens {
    fn into_token_stream_(self) -> TokenStream;
}

impl IntoTokens for Literal {
    fn into_token_stream_(self) -> TokenStream {
        quote!(#self)
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

fn this_value(shape: &CelShape, this: &This<'_>) -> Code {
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
fn one(stored: &CelStored, place: &TokenStream, argument: &TokenStream) -> Code {
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

fn widened(scalar: Scalar, place: &TokenStream, argument: &TokenStream) -> TokenStream {
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
fn item(stored: &CelStored) -> TokenStream {
    let argument = if is_copied(stored) { quote!(*item) } else { quote!(item) };
    one(stored, &quote!(item), &argument).tokens
}

/// An iterator over references as one over CEL's values.
fn iterate(items: &TokenStream, stored: &CelStored) -> Code {
    let converted = item(stored);
    Code::new(quote!(#items.map(|item| #converted)))
}

/// A field of a message.
fn select(of: &Code, field: &CelField, this: &This<'_>) -> Code {
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
fn read(place: &TokenStream, field: &CelField, this: &This<'_>) -> TokenStream {
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

fn finish(tokens: TokenStream, field: &CelField) -> Code {
    match &field.shape {
        CelShape::List(item) => iterate(&quote!(#tokens.iter()), item),
        CelShape::Map(..) => Code::new(quote!(Some(&#tokens))),
        CelShape::One(_) if field.optional => defaulted(&tokens, field),
        CelShape::One(CelStored::Message(_)) => Code::new(tokens),
        CelShape::One(_) => Code::new(tokens),
    }
}

/// The default of what is absent; messages and wrappers stay absent.
fn defaulted(tokens: &TokenStream, field: &CelField) -> Code {
    match &field.shape {
        CelShape::One(CelStored::Message(_) | CelStored::Wrapper(_)) => Code::new(tokens.clone()),
        _ => Code::new(quote!(#tokens.unwrap_or_default())),
    }
}

fn has(of: &Code, field: &CelField, this: &This<'_>) -> Code {
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

fn logic(name: &str, a: &Code, b: &Code) -> Code {
    let function = rust::ident(name);
    if a.fallible || b.fallible {
        let (a, b) = (&a.tokens, &b.tokens);
        return fallible(quote!(cel::#function(|| Ok(#a), || Ok(#b))?));
    }
    let (a, b) = (a.operand(), b.operand());
    Code::new(if name == "and" { quote!(#a && #b) } else { quote!(#a || #b) }).loose()
}

fn conditional(parts: &[CelExpr; 3], this: &This<'_>) -> Code {
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

fn compare(operator: &str, left: &CelExpr, right: &CelExpr, this: &This<'_>) -> Code {
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

fn ordinary(operator: &str, left: &CelExpr, right: &CelExpr, a: &Code, b: &Code) -> Code {
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

fn double2(operator: &str, a: &Code, b: &Code) -> Code {
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

fn call(function: CelFunction, arguments: &[CelExpr], ty: &CelType, this: &This<'_>) -> Code {
    let codes: Vec<_> = arguments.iter().map(|argument| emit(argument, this)).collect();
    let given = |code: &Code, ty: &CelType| match ty {
        CelType::String => code.text(),
        _ => code.tokens.clone(),
    };
    let texts: Vec<_> =
        codes.iter().zip(arguments).map(|(code, argument)| given(code, &argument.ty)).collect();
    let mut tokens = match (function.name.strip_prefix('.'), codes.as_slice()) {
        (Some(method), [of, ..]) => {
            let (of, method) = (of.operand(), rust::ident(method));
            let rest = &texts[1..];
            quote!(#of.#method(#(#rest),*))
        }
        _ => {
            let path = function.name.split("::").map(rust::ident);
            quote!(cel::#(#path)::*(#(#texts),*))
        }
    };
    if function.fallible {
        tokens = quote!(#tokens?);
    }
    let made = matches!(
        function.name,
        "char_at" | "lower_ascii" | "upper_ascii" | "replace" | "join" | "split"
    );
    let kept = function.name == "concat" && codes.first().is_some_and(|code| code.owned);
    if matches!(ty, CelType::List(_)) {
        tokens = quote!(#tokens.into_iter());
    }
    let parts: Vec<_> = codes.iter().collect();
    Code { fallible: function.fallible, ..Code::new(tokens) }.owned(made || kept).with(&parts)
}

fn list(items: &[CelExpr], this: &This<'_>) -> Code {
    let codes: Vec<_> = items.iter().map(|item| emit(item, this)).collect();
    let owned = codes.iter().any(|code| code.owned);
    let values = codes.iter().map(|code| {
        let tokens = &code.tokens;
        if owned && !code.owned { quote!(#tokens.to_owned()) } else { quote!(#tokens) }
    });
    let parts: Vec<_> = codes.iter().collect();
    Code::new(quote!([#(#values),*].into_iter())).owned(owned).with(&parts)
}

/// A key as it is stored, by reference.
fn key(ty: &CelType, code: &Code) -> TokenStream {
    let CelType::Map(stored, _) = ty else { return code.tokens.clone() };
    let tokens = &code.tokens;
    match stored {
        CelStored::Scalar(Scalar::String) => code.text(),
        CelStored::Scalar(Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32) => {
            quote!(&i32::try_from(#tokens).map_err(|_| cel::Error::NoSuchKey)?)
        }
        CelStored::Scalar(Scalar::Uint32 | Scalar::Fixed32) => {
            quote!(&u32::try_from(#tokens).map_err(|_| cel::Error::NoSuchKey)?)
        }
        _ => quote!(&#tokens),
    }
}

fn entry(map: &CelExpr, index: &CelExpr, this: &This<'_>) -> Code {
    let (of, at) = (emit(map, this), emit(index, this));
    let (tokens, key) = (&of.tokens, key(&map.ty, &at));
    let CelType::Map(_, stored) = &map.ty else { return of };
    let found = quote!(cel::entry(#tokens, #key)?);
    let found = if is_copied(stored) {
        one(stored, &found, &quote!(*#found)).tokens
    } else {
        one(stored, &found, &found).tokens
    };
    fallible(found)
}

fn has_key(index: &CelExpr, map: &CelExpr, this: &This<'_>) -> Code {
    let (at, of) = (emit(index, this), emit(map, this));
    let (key, operand) = (key(&map.ty, &at), of.operand());
    fallible(quote!(cel::entry(#operand, #key).is_ok()))
}

fn size(of: &CelExpr, this: &This<'_>) -> Code {
    let code = emit(of, this);
    let operand = code.operand();
    let counted = match of.ty {
        CelType::Map(..) => quote!(#operand.into_iter().flatten()),
        CelType::Bytes => quote!(#operand.iter()),
        _ => quote!(#operand),
    };
    Code::new(quote!(cel::count(#counted))).with(&[&code])
}

fn comprehension(name: &str, over: &CelExpr, item: &str, body: &CelExpr, this: &This<'_>) -> Code {
    let list = emit(over, this);
    let body = emit(body, this);
    let variable = variable(item);
    let tokens = &list.tokens;
    let items = match &over.ty {
        CelType::Map(key, _) => {
            let operand = list.operand();
            iterate(&quote!(#operand.into_iter().flat_map(|map| map.keys())), key).tokens
        }
        _ => tokens.clone(),
    };
    let result = &body.tokens;
    match (name, body.fallible) {
        ("all", false) => Code::new(quote!(#items.all(|#variable| #result))).with(&[&list]),
        ("exists", false) => Code::new(quote!(#items.any(|#variable| #result))).with(&[&list]),
        ("map", false) => {
            Code::new(quote!(#items.map(|#variable| #result))).owned(body.owned).with(&[&list])
        }
        _ => {
            let function = rust::ident(name);
            let called = quote!(cel::#function(#items, |#variable| Ok(#result))?);
            match name {
                "map" => fallible(quote!(#called.into_iter())).owned(body.owned),
                "filter" => fallible(quote!(#called.into_iter())).owned(list.owned),
                _ => fallible(called),
            }
        }
    }
}

fn format(pieces: &[CelPiece], this: &This<'_>) -> Code {
    let mut text = String::new();
    let mut values = Vec::new();
    let mut parts = Vec::new();
    for piece in pieces {
        match piece {
            CelPiece::Text(plain) => text.push_str(&plain.replace('{', "{{").replace('}', "}}")),
            CelPiece::Value(value, show) => {
                let code = emit(value, this);
                let tokens = &code.tokens;
                let (shown, show) = match (&value.ty, *show) {
                    (CelType::List(_), _) => (quote!(cel::list_text(#tokens)), ""),
                    (CelType::Bytes, "") => (quote!(cel::bytes_text(#tokens)?), ""),
                    (CelType::Bytes, _) => (quote!(cel::hex(#tokens)), ""),
                    (CelType::String, ":x" | ":X") => {
                        let text = code.text();
                        (quote!(cel::hex(#text.as_bytes())), "")
                    }
                    (_, show) => (tokens.clone(), show),
                };
                text.push_str(&format!("{{{show}}}"));
                values.push(shown);
                let fails = matches!((&value.ty, show), (CelType::Bytes, ""));
                parts.push(Code { fallible: code.fallible || fails, ..code });
            }
        }
    }
    let parts: Vec<_> = parts.iter().collect();
    Code::new(quote!(::std::format!(#text, #(#values),*))).owned(true).with(&parts)
}
