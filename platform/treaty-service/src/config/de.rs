//! From a tree to a struct. The expected type decides how text is read, and an
//! error knows its key and never a value.

use std::collections::btree_map;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::ConfigError;
use super::tree::Node;

pub(super) fn from_tree<T: DeserializeOwned>(mut tree: Node) -> Result<T, ConfigError> {
    let mut problem = match T::deserialize(tree.clone()) {
        Ok(config) => return Ok(config),
        Err(problem) => problem,
    };
    // A missing section is no key that anybody can set: an empty one in its place
    // tells which key inside it is missed.
    while problem.missing {
        tree = tree.with_table_at(&problem.path);
        match T::deserialize(tree.clone()) {
            Err(inner)
                if inner.missing
                    && inner.path.len() > problem.path.len()
                    && inner.path.starts_with(&problem.path) =>
            {
                problem = inner;
            }
            _ => break,
        }
    }
    Err(ConfigError {
        key: (!problem.path.is_empty()).then(|| problem.path.join(".")),
        environment: None,
        origin: problem.origin.map(|origin| origin.to_string()),
        problem: problem.text,
    })
}

/// What is wrong and where, built from the inside out.
#[derive(Debug)]
pub(super) struct Problem {
    path: Vec<String>,
    origin: Option<Arc<str>>,
    text: String,
    /// Whether the text is a type's own, which may quote the value.
    foreign: bool,
    /// Whether there is no value at all.
    missing: bool,
}

impl Problem {
    fn new(text: String) -> Self {
        Self { path: Vec::new(), origin: None, text, foreign: false, missing: false }
    }

    fn at(text: &str, key: &str) -> Self {
        Self { path: vec![key.to_owned()], ..Self::new(text.to_owned()) }
    }

    fn within(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_owned());
        self
    }

    /// Adds where the value came from, and takes the value out of the text if a
    /// type's own error has put it there.
    fn about(mut self, source: Option<Source>) -> Self {
        let Some(Source { origin, text }) = source else { return self };
        self.origin.get_or_insert(origin);
        if self.foreign && !text.is_empty() && self.text.contains(&text) {
            "the value is not valid".clone_into(&mut self.text);
        }
        self
    }
}

/// What a single value was and where it came from, kept for the case of an error.
struct Source {
    origin: Arc<str>,
    text: String,
}

impl Source {
    fn of(node: &Node) -> Option<Self> {
        let (origin, text) = match node {
            Node::Text { value, origin } => (origin, value.clone()),
            Node::Leaf { value: toml::Value::String(value), origin } => (origin, value.clone()),
            Node::Leaf { value, origin } => (origin, value.to_string()),
            Node::Table(_) | Node::List(_) => return None,
        };
        Some(Self { origin: Arc::clone(origin), text })
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Problem {}

impl serde::de::Error for Problem {
    fn custom<T: Display>(message: T) -> Self {
        Self { foreign: true, ..Self::new(message.to_string()) }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found {}", kind(&unexpected)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("expected one of {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::at(&format!("unknown key; known here are {}", expected.join(", ")), field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: true, ..Self::at("missing, and there is no default", field) }
    }
}

fn kind(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Str(_) | Unexpected::Char(_) => "text",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        _ => "something else",
    }
}

/// Calls the visitor with text parsed as the type that it asked for.
macro_rules! parsed {
    ($($method:ident => $visit:ident as $type:ty),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            match self {
                Node::Text { value, .. } => {
                    let parsed = parse::<$type>(&value, &visitor)?;
                    visitor.$visit(parsed)
                }
                other => other.deserialize_any(visitor),
            }
        }
    )*};
}

fn parse<T: FromStr>(text: &str, expected: &dyn Expected) -> Result<T, Problem> {
    text.trim().parse().map_err(|_| Problem::invalid_value(Unexpected::Str(""), expected))
}

impl<'de> Deserializer<'de> for Node {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self {
            Self::Text { value, .. } => visitor.visit_str(&value),
            Self::Leaf { value, .. } => leaf(&value, visitor),
            Self::Table(table) => visitor.visit_map(Table { rest: table.into_iter(), next: None }),
            Self::List(list) => visitor.visit_seq(List { rest: list.into_iter().enumerate() }),
        }
    }

    parsed! {
        deserialize_bool => visit_bool as bool,
        deserialize_i8 => visit_i8 as i8,
        deserialize_i16 => visit_i16 as i16,
        deserialize_i32 => visit_i32 as i32,
        deserialize_i64 => visit_i64 as i64,
        deserialize_u8 => visit_u8 as u8,
        deserialize_u16 => visit_u16 as u16,
        deserialize_u32 => visit_u32 as u32,
        deserialize_u64 => visit_u64 as u64,
        deserialize_f32 => visit_f32 as f32,
        deserialize_f64 => visit_f64 as f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        // An empty variable is how a chart leaves an optional key out.
        match &self {
            Self::Text { value, .. } if value.is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let Self::Text { value, origin } = self else { return self.deserialize_any(visitor) };
        let items: Vec<Self> = value
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| Self::Text { value: item.to_owned(), origin: Arc::clone(&origin) })
            .collect();
        visitor.visit_seq(List { rest: items.into_iter().enumerate() })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let text = match &self {
            Self::Text { value, .. } => value.as_str(),
            Self::Leaf { value: toml::Value::String(value), .. } => value.as_str(),
            _ => {
                let text = format!("expected one of {} (a {name})", variants.join(", "));
                return Err(Problem::new(text));
            }
        };
        let variant: StrDeserializer<'_, Problem> = text.into_deserializer();
        visitor.visit_enum(variant)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
        identifier ignored_any
    }
}

fn leaf<'de, V: Visitor<'de>>(value: &toml::Value, visitor: V) -> Result<V::Value, Problem> {
    match value {
        toml::Value::String(text) => visitor.visit_str(text),
        toml::Value::Integer(number) => visitor.visit_i64(*number),
        toml::Value::Float(number) => visitor.visit_f64(*number),
        toml::Value::Boolean(flag) => visitor.visit_bool(*flag),
        toml::Value::Datetime(datetime) => visitor.visit_str(&datetime.to_string()),
        toml::Value::Array(_) | toml::Value::Table(_) => {
            Err(Problem::new("expected a single value".to_owned()))
        }
    }
}

struct Table {
    rest: btree_map::IntoIter<String, Node>,
    next: Option<(String, Node)>,
}

impl<'de> MapAccess<'de> for Table {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        self.next = self.rest.next();
        let Some((key, _)) = &self.next else { return Ok(None) };
        let key: StringDeserializer<Problem> = key.clone().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let Some((key, node)) = self.next.take() else {
            return Err(Problem::custom("a value was read before its key"));
        };
        let source = Source::of(&node);
        seed.deserialize(node).map_err(|problem| problem.about(source).within(&key))
    }
}

struct List {
    rest: std::iter::Enumerate<std::vec::IntoIter<Node>>,
}

impl<'de> SeqAccess<'de> for List {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        let Some((index, node)) = self.rest.next() else { return Ok(None) };
        let source = Source::of(&node);
        seed.deserialize(node)
            .map(Some)
            .map_err(|problem| problem.about(source).within(&index.to_string()))
    }
}
