//! Whether two routes can match one request.
//!
//! A route stands for a set of requests. Where one set lies within another, the
//! narrower route is the more specific one, and the router prefers it; where two sets
//! are the same, or overlap without either lying within the other, nothing in the
//! contract says which one is meant.

use crate::model::{Route, Segment, Template};

/// How two sets of requests lie to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// No request is in both.
    Disjoint,
    /// They are the same.
    Equal,
    /// The first lies within the second.
    Within,
    /// The second lies within the first.
    Around,
    /// Some requests are in both, and each has some of its own.
    Crossing,
}

impl Relation {
    fn of(overlaps: bool, within: bool, around: bool) -> Self {
        match (overlaps, within, around) {
            (false, ..) => Self::Disjoint,
            (_, true, true) => Self::Equal,
            (_, true, false) => Self::Within,
            (_, false, true) => Self::Around,
            (_, false, false) => Self::Crossing,
        }
    }

    /// The relation of pairs, each part with a relation of its own.
    fn and(self, other: Self) -> Self {
        use Relation::{Around, Crossing, Disjoint, Equal, Within};
        match (self, other) {
            (Disjoint, _) | (_, Disjoint) => Disjoint,
            (Equal, relation) | (relation, Equal) => relation,
            (Within, Within) => Within,
            (Around, Around) => Around,
            _ => Crossing,
        }
    }
}

/// How the requests of two routes lie to each other.
pub(super) fn relation(a: &Route, b: &Route) -> Relation {
    verbs(&a.verb, &b.verb).and(templates(&a.template, &b.template))
}

/// The custom verb `*` stands for every HTTP method.
fn verbs(a: &str, b: &str) -> Relation {
    Relation::of(a == b || a == "*" || b == "*", a == b || b == "*", a == b || a == "*")
}

/// A path that ends in the verb of a route is read so before it is read otherwise, which
/// tells routes of different verbs apart.
fn templates(a: &Template, b: &Template) -> Relation {
    if a.verb != b.verb {
        return Relation::Disjoint;
    }
    segments(&a.segments, &b.segments)
}

fn segments(a: &[Segment], b: &[Segment]) -> Relation {
    Relation::of(common(a, b).is_some(), within(a, b), within(b, a))
}

/// A path that matches both, when there is one.
pub(super) fn example(a: &Template, b: &Template) -> Option<String> {
    let segments = common(&a.segments, &b.segments)?;
    let verb = a.verb.as_ref().map_or_else(String::new, |verb| format!(":{verb}"));
    Some(format!("/{}{verb}", segments.join("/")))
}

/// Segments of a path that matches both.
fn common(a: &[Segment], b: &[Segment]) -> Option<Vec<String>> {
    let word = |segment: &Segment| match segment {
        Segment::Literal(text) => text.clone(),
        Segment::One | Segment::Rest => "x".to_owned(),
    };
    let follow = |word: String, rest: Option<Vec<String>>| {
        rest.map(|rest| std::iter::once(word).chain(rest).collect())
    };
    match (a, b) {
        ([], []) => Some(Vec::new()),
        ([Segment::Rest, tail @ ..], other) | (other, [Segment::Rest, tail @ ..]) => {
            // `**` stands for nothing, or for the other's next segment and goes on.
            let rest = if a.first() == Some(&Segment::Rest) { a } else { b };
            common(tail, other).or_else(|| match other {
                [first, next @ ..] => follow(word(first), common(rest, next)),
                [] => None,
            })
        }
        ([x, a @ ..], [y, b @ ..]) if x == y || *x == Segment::One || *y == Segment::One => {
            let narrower = if *x == Segment::One { y } else { x };
            follow(word(narrower), common(a, b))
        }
        _ => None,
    }
}

/// Whether every path that matches `a` matches `b`.
fn within(a: &[Segment], b: &[Segment]) -> bool {
    match (a, b) {
        ([], []) => true,
        (_, [Segment::Rest, tail @ ..]) => {
            within(a, tail) || matches!(a, [_, rest @ ..] if within(rest, b))
        }
        // Both what `**` is when it stands for nothing and what it is when it goes on.
        ([Segment::Rest, tail @ ..], [Segment::One, rest @ ..]) => {
            within(tail, b) && within(a, rest)
        }
        ([x, a @ ..], [y, b @ ..]) => {
            (x == y || (*y == Segment::One && *x != Segment::Rest)) && within(a, b)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::template;
    use crate::model::Body;

    fn route(text: &str) -> Route {
        let (verb, path) = text.split_once(' ').unwrap();
        Route {
            verb: verb.to_owned(),
            path: path.to_owned(),
            template: template::parse(path).unwrap(),
            body: Body::None,
            raw_body: false,
            infers_mask: false,
            response_body: None,
            raw_response: false,
        }
    }

    fn relate(a: &str, b: &str) -> Relation {
        relation(&route(a), &route(b))
    }

    #[test]
    fn every_relation_is_told() {
        use Relation::{Around, Crossing, Disjoint, Equal, Within};
        for (a, b, expected) in [
            ("get /a/{x}", "get /a/{y}", Equal),
            ("get /a/{x}", "post /a/{x}", Disjoint),
            ("get /a/b", "get /a/{x}", Within),
            ("get /a/{x}", "get /a/b", Around),
            ("get /a/{x}/c", "get /a/b/{y}", Crossing),
            ("get /a/{x}", "get /a/{x}:go", Disjoint),
            ("get /a/{x}:go", "get /a/{y}:go", Equal),
            ("get /a/{x=b/*}", "get /a/{y}/{z}", Within),
            ("get /a/{x=**}", "get /a/b/c", Around),
            ("get /a/{x=**}", "get /a", Around),
            ("get /a/{x=**}", "get /b", Disjoint),
            ("get /a/**/c", "get /a/**", Within),
            ("get /a/**/c", "get /a/**/b/c", Around),
            ("get /a/**/c", "get /a/**/d", Disjoint),
            ("get /a/**/c", "get /a/b/*", Crossing),
            ("get /**", "get /", Around),
            ("get /**", "get /**", Equal),
            ("* /a/b", "get /a/b", Around),
            ("* /a/b", "get /a/{x}", Crossing),
            ("* /a/{x}", "get /a/b", Around),
            ("get /a%2Db", "get /a-b", Equal),
        ] {
            assert_eq!(relate(a, b), expected, "{a} and {b}");
        }
    }

    /// Every path of few segments over few words, which is enough to tell templates of
    /// so few segments apart.
    fn paths(length: usize) -> Vec<Vec<&'static str>> {
        let mut all = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..length {
            let longer = |path: &Vec<&'static str>, word| [path.as_slice(), &[word]].concat();
            last = last
                .iter()
                .flat_map(|path| ["a", "b", "x"].map(|word| longer(path, word)))
                .collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    fn matches(segments: &[Segment], path: &[&str]) -> bool {
        match (segments, path) {
            ([], []) => true,
            ([Segment::Rest, tail @ ..], _) => {
                matches(tail, path) || matches!(path, [_, rest @ ..] if matches(segments, rest))
            }
            ([Segment::Literal(text), tail @ ..], [first, rest @ ..]) => {
                text == first && matches(tail, rest)
            }
            ([Segment::One, tail @ ..], [_, rest @ ..]) => matches(tail, rest),
            _ => false,
        }
    }

    #[test]
    fn the_test_agrees_with_trying_every_path() {
        let all = paths(6);
        let templates: Vec<_> = [
            "/",
            "/a",
            "/*",
            "/**",
            "/a/*",
            "/*/a",
            "/a/b",
            "/a/**",
            "/*/**",
            "/**/a",
            "/**/b",
            "/**/a/b",
            "/a/**/b",
            "/a/*/**",
            "/*/*",
            "/*/b/**",
            "/a/**/a/b",
            "/*/**/b",
        ]
        .map(|text| template::parse(text).unwrap().segments)
        .into();
        for a in &templates {
            for b in &templates {
                let both = |path: &&Vec<&str>| matches(a, path) && matches(b, path);
                let inside = |a, b| all.iter().all(|path| !matches(a, path) || matches(b, path));
                let tried =
                    Relation::of(all.iter().any(|path| both(&path)), inside(a, b), inside(b, a));
                assert_eq!(segments(a, b), tried, "{a:?} and {b:?}");
            }
        }
    }
}
