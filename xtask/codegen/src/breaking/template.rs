//! Which requests a path template matches (`google/api/http.proto`, section "Path template
//! syntax").

use crate::model::{Segment, Template};

/// Whether every path that one template matches is matched by a wider one too.
pub(super) fn covers(wide: &Template, narrow: &Template) -> bool {
    wide.verb == narrow.verb && covers_segments(&wide.segments, &narrow.segments)
}

fn covers_segments(wide: &[Segment], narrow: &[Segment]) -> bool {
    match (wide, narrow) {
        // `**` stands last, so it takes whatever is left.
        ([Segment::Rest, ..], _) | ([], []) => true,
        ([Segment::One, wide @ ..], [Segment::One | Segment::Literal(_), narrow @ ..]) => {
            covers_segments(wide, narrow)
        }
        ([Segment::Literal(a), wide @ ..], [Segment::Literal(b), narrow @ ..]) => {
            a == b && covers_segments(wide, narrow)
        }
        _ => false,
    }
}

/// The field paths of a template's variables, in order.
pub(super) fn variables(template: &Template) -> Vec<String> {
    template.variables.iter().map(|variable| variable.field.join(".")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A template without variables, from its segments; the last may end in a verb.
    fn template(text: &str) -> Template {
        let (path, verb) = match text.split_once(':') {
            Some((path, verb)) => (path, Some(verb.to_owned())),
            None => (text, None),
        };
        let segment = |text: &str| match text {
            "*" => Segment::One,
            "**" => Segment::Rest,
            literal => Segment::Literal(literal.to_owned()),
        };
        let segments = path.trim_start_matches('/').split('/').map(segment).collect();
        Template { segments, variables: Vec::new(), verb }
    }

    #[test]
    fn a_template_covers_what_it_matches() {
        for (wide, narrow) in [
            ("/v1/orders", "/v1/orders"),
            ("/v1/orders/*", "/v1/orders/*"),
            ("/v1/orders/*", "/v1/orders/latest"),
            ("/v1/shelves/**", "/v1/shelves/*/books/*"),
            ("/v1/**", "/v1/**"),
            ("/v1/shelves/**", "/v1/shelves"),
            ("/v1/shelves/*:lend", "/v1/shelves/main:lend"),
        ] {
            assert!(covers(&template(wide), &template(narrow)), "{wide} should cover {narrow}");
        }
    }

    #[test]
    fn and_nothing_else() {
        for (wide, narrow) in [
            ("/v1/orders", "/v2/orders"),
            ("/v1/orders/latest", "/v1/orders/*"),
            ("/v1/orders/*", "/v1/orders"),
            ("/v1/orders/*", "/v1/orders/*/lines"),
            ("/v1/shelves/*", "/v1/shelves/**"),
            ("/v1/orders/*:cancel", "/v1/orders/*"),
            ("/v1/orders/*", "/v1/orders/*:cancel"),
        ] {
            assert!(!covers(&template(wide), &template(narrow)), "{wide} covers {narrow}");
        }
    }
}
