//! grpc-httpjson-transcoding's `test/http_template_test.cc`: what is a template and what is
//! not, and what it is made of.

use crate::source::{Word, texts_in_braces, words};
use crate::{Score, rendering};

pub fn run(source: &str) -> Score {
    let words = words(source);
    let mut score = Score::default();
    let mut last = None;
    for (index, word) in words.iter().enumerate() {
        if word.is_name("Parse")
            && let Some(Word::Text(text)) = words.get(index + 2)
        {
            let refused = is_refused(&words, index);
            let parsed = rendering::template(text);
            let outcome = match (refused, &parsed) {
                (true, Ok(_)) => Err("is taken".to_owned()),
                (false, Err(why)) => Err(why.clone()),
                _ => Ok(()),
            };
            score.count(text, outcome);
            last = parsed.ok().filter(|_| !refused);
        }
        if word.is_name("Segments")
            && words.get(index + 1).is_some_and(|word| word.is('('))
            && let Some(template) = &last
        {
            let expected = texts_in_braces(&words[index..]);
            let expected: Vec<_> = expected.iter().filter_map(|word| word.text()).collect();
            let found = rendering::segments(template);
            let outcome = if found == expected { Ok(()) } else { Err(format!("{found:?}")) };
            score.count(format!("{} has segments {expected:?}", template.text), outcome);
        }
    }
    score
}

/// `ASSERT_EQ(nullptr, HttpTemplate::Parse("…"))` against `auto ht = …`.
fn is_refused(words: &[Word], parse: usize) -> bool {
    parse >= 5 && words[parse - 5].is_name("nullptr")
}

/// How many texts the crate http_path_template takes or refuses as the table says, and how
/// many there are: the peer of our own parser.
pub fn of_peer(source: &str) -> (usize, usize) {
    let words = words(source);
    let texts = words.iter().enumerate().filter_map(|(index, word)| match words.get(index + 2) {
        Some(Word::Text(text)) if word.is_name("Parse") => Some((text, is_refused(&words, index))),
        _ => None,
    });
    let grammar = http_path_template::Grammar::default;
    let agrees = texts.map(|(text, refused)| {
        http_path_template::PathTemplate::parse(text, grammar()).is_err() == refused
    });
    agrees.fold((0, 0), |(agreed, all), agrees| (agreed + usize::from(agrees), all + 1))
}
