//! Path templates as OpenAPI has them: a parameter is one segment there.

use crate::model::{Segment, Template};

/// A path of OpenAPI.
pub(super) struct Path {
    /// With named parameters.
    pub(super) text: String,
    /// With parameters that have no names.
    pub(super) shape: String,
    pub(super) parameters: Vec<Parameter>,
}

/// A parameter of a path.
pub(super) struct Parameter {
    pub(super) name: String,
    /// The field that it fills, alone or with others; names in the contract.
    pub(super) field: Option<Vec<String>>,
    /// Whether it may hold `/`.
    pub(super) rest: bool,
    /// What the variable looks like that it is a part of, when it is not all of it.
    pub(super) part_of: Option<String>,
}

impl Path {
    pub(super) fn of(template: &Template) -> Self {
        let mut path = Self { text: String::new(), shape: String::new(), parameters: Vec::new() };
        let mut literal = "";
        for (position, segment) in template.segments.iter().enumerate() {
            path.text.push('/');
            path.shape.push('/');
            match segment {
                Segment::Literal(text) => {
                    literal = text;
                    path.push_literal(text);
                }
                Segment::One | Segment::Rest => path.push_parameter(template, position, literal),
            }
        }
        if template.segments.is_empty() {
            path.push_literal("/");
        }
        if let Some(verb) = &template.verb {
            path.push_literal(&format!(":{verb}"));
        }
        path
    }

    fn push_literal(&mut self, text: &str) {
        for c in text.chars() {
            let mut escaped = String::from(c);
            if "{}%?# ".contains(c) {
                escaped = format!("%{:02X}", u32::from(c));
            }
            self.text.push_str(&escaped);
            self.shape.push_str(&escaped);
        }
    }

    fn push_parameter(&mut self, template: &Template, position: usize, literal: &str) {
        let spans = |start: usize, end: usize| start <= position && position < end;
        let variable =
            template.variables.iter().find(|variable| spans(variable.start, variable.end));
        let whole = variable.is_some_and(|variable| variable.end - variable.start == 1);
        let name = match variable {
            Some(variable) if whole => variable.field.join("."),
            Some(variable) if position == variable.start => {
                format!("{}_{}", variable.field.join("."), position + 1)
            }
            Some(_) => singular(literal).to_owned(),
            None => format!("segment_{}", position + 1),
        };
        let name = self.unused(name);
        self.text.push_str(&format!("{{{name}}}"));
        self.shape.push_str("{}");
        self.parameters.push(Parameter {
            name,
            field: variable.map(|variable| variable.field.clone()),
            rest: template.segments[position] == Segment::Rest,
            part_of: variable
                .filter(|_| !whole)
                .map(|variable| pattern(&template.segments[variable.start..variable.end])),
        });
    }

    fn unused(&self, name: String) -> String {
        let taken = |name: &str| self.parameters.iter().any(|parameter| parameter.name == name);
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name)
    }

    /// Takes over the names of parameters from another path of the same shape.
    pub(super) fn rename(&mut self, text: &str) {
        let names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        for (parameter, (name, _)) in self.parameters.iter_mut().zip(names) {
            name.clone_into(&mut parameter.name);
        }
    }
}

/// Segments as a contract writes them.
fn pattern(segments: &[Segment]) -> String {
    let texts: Vec<_> = segments
        .iter()
        .map(|segment| match segment {
            Segment::Literal(text) => text.as_str(),
            Segment::One => "*",
            Segment::Rest => "**",
        })
        .collect();
    texts.join("/")
}

/// One of what a collection's name names: `project` of `projects`.
fn singular(collection: &str) -> &str {
    collection.strip_suffix('s').filter(|rest| rest.len() > 1).unwrap_or(collection)
}
