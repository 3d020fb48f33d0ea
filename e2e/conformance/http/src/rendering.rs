//! A template as constants of generated code have it, at run time.

use codegen::lower::template;
use codegen::model;
use treaty_http::{Segment, Template, Variable};

/// Reads a template and keeps it for the rest of the run.
pub fn template(text: &str) -> Result<Template, String> {
    let parsed = template::parse(text).map_err(|error| error.message)?;
    let keep = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let segments: Vec<_> = parsed
        .segments
        .iter()
        .map(|segment| match segment {
            model::Segment::Literal(text) => Segment::Literal(keep(text)),
            model::Segment::One => Segment::One,
            model::Segment::Rest => Segment::Rest,
        })
        .collect();
    let variables: Vec<_> = parsed
        .variables
        .iter()
        .map(|variable| Variable {
            field: keep(&variable.field.join(".")),
            start: variable.start,
            end: variable.end,
        })
        .collect();
    Ok(Template {
        text: keep(text),
        segments: segments.leak(),
        variables: variables.leak(),
        verb: parsed.verb.as_deref().map(keep),
    })
}

/// The segments of a template as texts.
pub fn segments(template: &Template) -> Vec<&'static str> {
    let segments = template.segments.iter();
    segments
        .map(|segment| match segment {
            Segment::Literal(text) => text,
            Segment::One => "*",
            Segment::Rest => "**",
        })
        .collect()
}
