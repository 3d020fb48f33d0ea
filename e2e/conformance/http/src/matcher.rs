//! grpc-httpjson-transcoding's `test/path_matcher_test.cc`: each test is a case.

use std::collections::HashMap;

use http::Method;
use treaty_http::{Found, Matcher, Template, Verb};

use crate::source::{Word, words};
use crate::{Score, rendering};

/// Settings that the gateway does not have, and what its one way is.
const SETTINGS: [(&str, &str); 4] = [
    ("SetUrlUnescapeSpec", "a setting: http.proto's own rule is the only one"),
    (
        "SetMatchUnregisteredCustomVerb",
        "a setting: a verb that no route has is a part of the segment",
    ),
    ("SetFailRegistrationOnDuplicate", "a setting: equal routes fail when generating"),
    ("LookupWithParams", "queries are not the matcher's"),
];

/// Tests of other things than a table.
const OTHERS: [(&str, &str); 8] = [
    ("PercentEscapesUnescapedForSingleSegmentAllAsciiChars", "a loop in C++"),
    ("WildCardMatchesManyWithoutStackOverflow", "a loop in C++; our own test has it"),
    ("BodyFieldPathTest", "bodies are not the matcher's"),
    ("ReplacevoidForPath", "equal routes fail when generating"),
    ("LookupSilentlyFailsOnDuplicate", "equal routes fail when generating"),
    ("LookupReturnsNullIfMatcherEmpty", ""),
    (
        "OnlyUnreservedCharsAreUnescapedForMultiSegmentMatchUnescapeAllExceptReservedImplicit",
        "keeps more escapes than %2F, against http.proto",
    ),
    ("LookupSimplePaths", ""),
];

pub fn run(source: &str) -> Score {
    let mut score = Score::default();
    for test in source.split("\nTEST_F(").skip(1) {
        let (head, body) = test.split_once('{').unwrap_or((test, ""));
        let name: String = head.replace(['\n', ' ', ')'], "");
        let name = name.split(',').nth(1).unwrap_or_default().to_owned();
        // Helpers between tests are not part of the one before.
        let body = body.split("\n}\n").next().unwrap_or_default();
        let setting = SETTINGS.iter().find(|(setting, _)| body.contains(setting));
        let other = OTHERS.iter().find(|(other, why)| *other == name && !why.is_empty());
        match setting.or(other) {
            Some((_, why)) => score.skip(name, why),
            None => score.count(name, check(&words(body))),
        }
    }
    score
}

/// What a test has done so far.
#[derive(Default)]
struct Run {
    matcher: Matcher,
    routes: Vec<(String, Template)>,
    names: HashMap<String, usize>,
    bindings: Vec<(String, String)>,
}

fn check(words: &[Word]) -> Result<(), String> {
    let mut run = Run::default();
    for statement in words.split(|word| word.is(';')) {
        run.statement(statement)?;
    }
    Ok(())
}

impl Run {
    fn statement(&mut self, words: &[Word]) -> Result<(), String> {
        let place = |name: &str| words.iter().position(|word| word.is_name(name));
        let texts: Vec<&str> = words.iter().filter_map(Word::text).collect();
        if place("AddGetPath").is_some() {
            let text = texts.first().ok_or("no path")?;
            return self.add(words, text);
        }
        if place("Lookup").or(place("LookupNoBindings")).is_some() {
            let (Some(method), Some(path)) = (texts.first(), texts.get(1)) else { return Ok(()) };
            let expected = words.iter().rev().find_map(|word| match word {
                Word::Name(name) => Some(name.as_str()),
                _ => None,
            });
            return self.look_up(method, path, expected.unwrap_or_default());
        }
        if place("VariableBindings").is_some() && place("EXPECT_EQ").is_some() {
            let pairs = texts.chunks(2).filter_map(|pair| Some((pair.first()?, pair.get(1)?)));
            let expected: Vec<_> =
                pairs.map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
            return if self.bindings == expected {
                Ok(())
            } else {
                Err(format!("{:?} instead of {expected:?}", self.bindings))
            };
        }
        if place("EXPECT_EQ").is_some() && place("value").is_some() {
            let index = words.iter().find_map(|word| match word {
                Word::Name(name) => name.parse::<usize>().ok(),
                _ => None,
            });
            let found = index.and_then(|index| self.bindings.get(index));
            let found = found.map(|(_, value)| value.as_str());
            return if found == texts.first().copied() {
                Ok(())
            } else {
                Err(format!("{found:?} instead of {texts:?}"))
            };
        }
        if place("clear").is_some() {
            self.bindings.clear();
        }
        Ok(())
    }

    fn add(&mut self, words: &[Word], text: &str) -> Result<(), String> {
        let parsed = rendering::template(text);
        if words.iter().any(|word| word.is_name("EXPECT_EQ")) {
            return parsed.map_or(Ok(()), |_| Err(format!("{text} is taken")));
        }
        let template = parsed?;
        let index = self.routes.len();
        self.matcher.add(&template, Verb::Get, index);
        self.routes.push((text.to_owned(), template));
        // `MethodInfo* name = AddGetPath(…)`, or without a name.
        let equals = words.iter().position(|word| word.is('='));
        if let Some(Word::Name(name)) = equals.and_then(|at| words.get(at.checked_sub(1)?)) {
            self.names.insert(name.clone(), index);
        }
        Ok(())
    }

    fn look_up(&mut self, method: &str, path: &str, expected: &str) -> Result<(), String> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?;
        // A request's path ends where its query begins.
        let path = path.split('?').next().unwrap_or_default();
        let found = match self.matcher.find(path, &method) {
            Found::Route(index) => Some(index),
            _ => None,
        };
        let expected = match expected {
            "nullptr" => None,
            name => Some(*self.names.get(name).ok_or(format!("no route {name}"))?),
        };
        if found != expected {
            let name = |index: usize| self.routes.get(index).map(|(text, _)| text.as_str());
            let (found, expected) = (found.and_then(name), expected.and_then(name));
            return Err(format!("{path} leads to {found:?} instead of {expected:?}"));
        }
        self.bindings.clear();
        if let Some((_, template)) = found.and_then(|index| self.routes.get(index)) {
            for variable in template.variables {
                let value = template.value(variable, path).map_err(|_| "malformed")?;
                self.bindings.push((variable.field.to_owned(), value.into_owned()));
            }
        }
        Ok(())
    }
}
