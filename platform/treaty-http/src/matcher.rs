//! From path and method to a route.
//!
//! Templates stand in a tree by their segments. A literal is preferred to `*`, and
//! `*` to `**`, from the left; where the preferred way ends without a route for the
//! method, the next one is tried. The generator has refused templates for which that
//! order would be arbitrary.

use std::collections::BTreeSet;

use http::Method;

use crate::percent::{self, Keep};
use crate::{Segment, Template, Verb};

/// Templates with an index each.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    root: Node,
    /// Verbs of templates, the longest first: `b:c` before `c`.
    verbs: Vec<&'static str>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    literals: Vec<(&'static str, Node)>,
    one: Option<Box<Node>>,
    /// Literals after `**`, the longest first, and what ends there.
    rest: Vec<(Vec<&'static str>, Vec<Leaf>)>,
    leaves: Vec<Leaf>,
}

#[derive(Clone, Copy, Debug)]
struct Leaf {
    verb: Option<&'static str>,
    method: Verb,
    index: usize,
}

/// What a request's path and method lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The route of this index.
    Route(usize),
    /// The path has routes, but for these methods alone.
    OtherMethods(BTreeSet<&'static str>),
    /// No route has the path.
    Nothing,
}

impl Matcher {
    /// Adds a template for an HTTP method.
    pub fn add(&mut self, template: &Template, method: Verb, index: usize) {
        if let Some(verb) = template.verb
            && !self.verbs.contains(&verb)
        {
            self.verbs.push(verb);
            self.verbs.sort_by_key(|verb| std::cmp::Reverse(verb.len()));
        }
        let leaf = Leaf { verb: template.verb, method, index };
        let leaves = self.root.leaves_of(template.segments);
        // A method by its name comes before the one that stands for all.
        let at = if method == Verb::Any { leaves.len() } else { 0 };
        leaves.insert(at, leaf);
    }

    /// Finds the route of a request.
    #[must_use]
    pub fn find(&self, path: &str, method: &Method) -> Found {
        let mut found = None;
        self.visit(path, &mut |leaf| {
            let fits = leaf.method.is(method);
            if fits {
                found = Some(leaf.index);
            }
            fits
        });
        match found {
            Some(index) => Found::Route(index),
            None if *method == Method::HEAD => self.find_get(path),
            None => self.other_methods(path),
        }
    }

    /// A `HEAD` without a route of its own is a `GET` whose answer's body is dropped.
    fn find_get(&self, path: &str) -> Found {
        self.find(path, &Method::GET)
    }

    fn other_methods(&self, path: &str) -> Found {
        let mut methods = BTreeSet::new();
        self.visit(path, &mut |leaf| {
            methods.insert(leaf.method.as_str());
            false
        });
        if methods.is_empty() { Found::Nothing } else { Found::OtherMethods(methods) }
    }

    /// Shows every leaf that the path leads to, the preferred one first, until one is
    /// taken.
    fn visit(&self, path: &str, take: &mut dyn FnMut(&Leaf) -> bool) -> bool {
        let Some(path) = path.strip_prefix('/') else { return false };
        let last = path.rfind('/').map_or(0, |at| at + 1);
        if path.as_bytes().get(last..).is_some_and(|last| last.contains(&b':')) {
            for verb in &self.verbs {
                let before = path.strip_suffix(verb).and_then(|path| path.strip_suffix(':'));
                if let Some(before) = before.filter(|before| before.len() > last)
                    && self
                        .root
                        .visit(Some(before), &mut |leaf| leaf.verb == Some(*verb) && take(leaf))
                {
                    return true;
                }
            }
        }
        let path = (!path.is_empty()).then_some(path);
        self.root.visit(path, &mut |leaf| leaf.verb.is_none() && take(leaf))
    }
}

impl Node {
    fn leaves_of(&mut self, segments: &[Segment]) -> &mut Vec<Leaf> {
        match segments {
            [] => &mut self.leaves,
            [Segment::Literal(text), tail @ ..] => {
                let at = match self.literals.iter().position(|(known, _)| known == text) {
                    Some(at) => at,
                    None => {
                        self.literals.push((text, Self::default()));
                        self.literals.len() - 1
                    }
                };
                self.literals[at].1.leaves_of(tail)
            }
            [Segment::One, tail @ ..] => self.one.get_or_insert_default().leaves_of(tail),
            [Segment::Rest, tail @ ..] => {
                let tail: Vec<_> = tail.iter().filter_map(Segment::literal).collect();
                if !self.rest.iter().any(|(known, _)| *known == tail) {
                    self.rest.push((tail.clone(), Vec::new()));
                    self.rest.sort_by_key(|(tail, _)| std::cmp::Reverse(tail.len()));
                }
                let at = self.rest.iter().position(|(known, _)| *known == tail).unwrap_or_default();
                &mut self.rest[at].1
            }
        }
    }

    /// `path` is what is left of it; `None` once every segment has been taken.
    fn visit(&self, path: Option<&str>, take: &mut dyn FnMut(&Leaf) -> bool) -> bool {
        let Some(text) = path else {
            return self.leaves.iter().any(&mut *take) || self.visit_rest(path, take);
        };
        let (segment, tail) = match text.split_once('/') {
            Some((segment, tail)) => (segment, Some(tail)),
            None => (text, None),
        };
        let mut literals = self.literals.iter();
        if let Some((_, node)) = literals.find(|(literal, _)| is_literal(segment, literal))
            && node.visit(tail, take)
        {
            return true;
        }
        if let Some(one) = self.one.as_ref().filter(|_| !segment.is_empty())
            && one.visit(tail, take)
        {
            return true;
        }
        self.visit_rest(path, take)
    }

    fn visit_rest(&self, path: Option<&str>, take: &mut dyn FnMut(&Leaf) -> bool) -> bool {
        self.rest.iter().any(|(tail, leaves)| ends_in(path, tail) && leaves.iter().any(&mut *take))
    }
}

/// Whether the last segments of a path are these.
fn ends_in(path: Option<&str>, tail: &[&str]) -> bool {
    if tail.is_empty() {
        return true;
    }
    let Some(path) = path else { return false };
    let mut segments = path.rsplit('/');
    tail.iter().rev().all(|literal| segments.next().is_some_and(|one| is_literal(one, literal)))
}

/// Whether a segment of a request is this literal; escapes of it are the same.
fn is_literal(segment: &str, literal: &str) -> bool {
    segment == literal
        || (segment.contains('%')
            && percent::decode(segment, Keep::Nothing).is_ok_and(|decoded| decoded == literal))
}

#[cfg(test)]
mod tests {
    use Segment::{Literal, One, Rest};

    use super::*;

    const fn template(segments: &'static [Segment], verb: Option<&'static str>) -> Template {
        Template { text: "", segments, variables: &[], verb }
    }

    fn matcher(templates: &[(Verb, Template)]) -> Matcher {
        let mut matcher = Matcher::default();
        for (index, (method, template)) in templates.iter().enumerate() {
            matcher.add(template, *method, index);
        }
        matcher
    }

    fn get(matcher: &Matcher, path: &str) -> Option<usize> {
        match matcher.find(path, &Method::GET) {
            Found::Route(index) => Some(index),
            _ => None,
        }
    }

    #[test]
    fn literals_come_before_one_and_one_before_rest() {
        let matcher = matcher(&[
            (Verb::Get, template(&[Literal("a"), Rest], None)),
            (Verb::Get, template(&[Literal("a"), One], None)),
            (Verb::Get, template(&[Literal("a"), Literal("b")], None)),
            (Verb::Get, template(&[], None)),
            (Verb::Get, template(&[Literal("c d")], None)),
        ]);
        assert_eq!(get(&matcher, "/a/b"), Some(2));
        assert_eq!(get(&matcher, "/a/%62"), Some(2));
        assert_eq!(get(&matcher, "/a/c"), Some(1));
        assert_eq!(get(&matcher, "/a/b/c"), Some(0));
        assert_eq!(get(&matcher, "/a/b/"), Some(0));
        assert_eq!(get(&matcher, "/a"), Some(0));
        assert_eq!(get(&matcher, "/"), Some(3));
        assert_eq!(get(&matcher, "/c%20d"), Some(4));
        assert_eq!(get(&matcher, "/c%20d/"), None);
        assert_eq!(get(&matcher, "a/b"), None);
        assert_eq!(get(&matcher, "//a"), None);
    }

    #[test]
    fn a_way_that_ends_without_a_route_is_left_again() {
        let matcher = matcher(&[
            (Verb::Get, template(&[Literal("a"), Literal("b"), Literal("x")], None)),
            (Verb::Get, template(&[Literal("a"), One, Literal("y")], None)),
            (Verb::Post, template(&[Literal("a"), Literal("b"), Literal("y")], None)),
        ]);
        assert_eq!(get(&matcher, "/a/b/y"), Some(1));
        assert_eq!(matcher.find("/a/b/y", &Method::POST), Found::Route(2));
        let methods = BTreeSet::from(["GET", "POST"]);
        assert_eq!(matcher.find("/a/b/y", &Method::PUT), Found::OtherMethods(methods));
    }

    #[test]
    fn a_verb_is_read_before_a_segment_with_a_colon() {
        let matcher = matcher(&[
            (Verb::Get, template(&[Rest], Some("go"))),
            (Verb::Get, template(&[Literal("a"), One], None)),
            (Verb::Post, template(&[Literal("a"), One], Some("stop"))),
            (Verb::Get, template(&[Literal("a"), One], Some("b:go"))),
        ]);
        assert_eq!(get(&matcher, "/a/x:go"), Some(0));
        assert_eq!(get(&matcher, "/a/x:b:go"), Some(3));
        assert_eq!(get(&matcher, "/a/x:other"), Some(1));
        assert_eq!(get(&matcher, "/a/x:stop"), Some(1));
        assert_eq!(get(&matcher, "/a/x%3Ago"), Some(1));
        assert_eq!(get(&matcher, "/a/:go"), Some(1));
        assert_eq!(get(&matcher, "/b/x:stop"), None);
    }

    #[test]
    fn the_longest_end_after_rest_wins() {
        let matcher = matcher(&[
            (Verb::Get, template(&[Literal("a"), Rest], None)),
            (Verb::Get, template(&[Literal("a"), Rest, Literal("z")], None)),
            (Verb::Get, template(&[Literal("a"), Rest, Literal("y"), Literal("z")], None)),
        ]);
        assert_eq!(get(&matcher, "/a/b/y/z"), Some(2));
        assert_eq!(get(&matcher, "/a/b/z"), Some(1));
        assert_eq!(get(&matcher, "/a/z"), Some(1));
        assert_eq!(get(&matcher, "/a/b/c"), Some(0));
        let slashes = format!("/a/{}/z", "/".repeat(64_000));
        assert_eq!(get(&matcher, &slashes), Some(1));
    }

    #[test]
    fn head_is_get_unless_declared_and_any_takes_what_is_left() {
        let matcher = matcher(&[
            (Verb::Any, template(&[Literal("a")], None)),
            (Verb::Get, template(&[Literal("a")], None)),
            (Verb::Get, template(&[Literal("b")], None)),
            (Verb::Custom("REPORT"), template(&[Literal("b")], None)),
        ]);
        let find = |path, method: &[u8]| matcher.find(path, &Method::from_bytes(method).unwrap());
        assert_eq!(find("/a", b"GET"), Found::Route(1));
        assert_eq!(find("/a", b"PURGE"), Found::Route(0));
        assert_eq!(find("/b", b"HEAD"), Found::Route(2));
        assert_eq!(find("/b", b"REPORT"), Found::Route(3));
        assert_eq!(find("/b", b"report"), Found::OtherMethods(["GET", "REPORT"].into()));
    }
}
