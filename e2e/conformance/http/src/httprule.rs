//! grpc-gateway's `internal/httprule/parse_test.go`.

use crate::source::{Word, texts_in_braces, words};
use crate::{Score, rendering};

/// One entry of a table, by the names of its fields.
#[derive(Default)]
struct Entry {
    input: Option<String>,
    tokens: Option<Vec<Word>>,
    verb: String,
}

pub fn run(source: &str) -> Score {
    let mut score = Score::default();
    for function in source.split("\nfunc ").skip(1) {
        let name = function.split('(').next().unwrap_or_default();
        // The tables end where the loop over them begins.
        let table = function.split("\n\t} {\n").next().unwrap_or_default();
        for entry in entries(&words(table)) {
            check(name, &entry, &mut score);
        }
    }
    score
}

fn entries(words: &[Word]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let Word::Name(name) = word else { continue };
        if !words.get(index + 1).is_some_and(|word| word.is(':')) {
            continue;
        }
        let value = words.get(index + 2).and_then(Word::text).map(str::to_owned);
        match name.as_str() {
            "src" | "input" => entries.push(Entry { input: value, ..Entry::default() }),
            "tokens" => {
                let tokens = texts_in_braces_of_go(&words[index..]);
                match entries
                    .last_mut()
                    .filter(|last| last.tokens.is_none() && last.input.is_some())
                {
                    Some(last) => last.tokens = Some(tokens),
                    None => entries.push(Entry { tokens: Some(tokens), ..Entry::default() }),
                }
            }
            "verb" | "wantVerb" => {
                if let (Some(last), Some(value)) = (entries.last_mut(), value) {
                    last.verb = value;
                }
            }
            _ => {}
        }
    }
    entries
}

/// Texts and the name `eof`; braces in texts are texts.
fn texts_in_braces_of_go(words: &[Word]) -> Vec<Word> {
    texts_in_braces(words).into_iter().cloned().collect()
}

fn check(table: &str, entry: &Entry, score: &mut Score) {
    let joined = entry.tokens.as_ref().map(|tokens| {
        let texts = tokens.iter().filter_map(Word::text);
        texts.collect::<String>()
    });
    match (table, &entry.input, joined) {
        ("TestTokenize", Some(source), Some(tokens)) => {
            for (end, verb) in [("", entry.verb.as_str()), (":LOCK", "LOCK")] {
                if !end.is_empty() && !entry.verb.is_empty() {
                    continue;
                }
                let text = format!("/{source}{end}");
                score.count(format!("{table} {text}"), same(&text, &tokens, verb));
            }
        }
        ("TestParse", Some(input), _) => {
            score.count(format!("{table} {input}"), same_verb(input, &entry.verb));
        }
        ("TestParseError", Some(input), _) => {
            score.count(format!("{table} {input}"), refused(input));
        }
        ("TestParseSegments" | "TestParseSegmentsWithErrors", _, Some(tokens)) => {
            let name = format!("{table} {:?}", entry.tokens);
            let text = format!("/{tokens}");
            match (table, entry.tokens.as_deref()) {
                (_, Some([first, ..])) if first.is_name("eof") => {
                    score.skip(name, "tokens that no text has");
                }
                ("TestParseSegments", _) if tokens == "/" => {
                    score.skip(name, "tokens that no text has");
                }
                ("TestParseSegmentsWithErrors", Some([Word::Text(one), Word::Text(two), _]))
                    if !one.starts_with('/') && !one.starts_with('{') && !two.starts_with('/') =>
                {
                    score.skip(name, "joined, the tokens are another text");
                }
                ("TestParseSegments", _) => score.count(name, same(&text, &tokens, "")),
                _ => score.count(name, refused(&text)),
            }
        }
        _ => {}
    }
}

fn refused(text: &str) -> Result<(), String> {
    rendering::template(text).map_or(Ok(()), |_| Err("is taken".to_owned()))
}

fn same_verb(text: &str, verb: &str) -> Result<(), String> {
    let template = rendering::template(text)?;
    let found = template.verb.unwrap_or_default();
    if found == verb { Ok(()) } else { Err(format!("has the verb `{found}`")) }
}

/// Whether a text has these segments, the names of variables aside, and this verb.
fn same(text: &str, tokens: &str, verb: &str) -> Result<(), String> {
    // A colon in the last segment begins a verb for us where it is one; tables of segments
    // alone have none.
    let template = rendering::template(text).or_else(|error| {
        if verb.is_empty() { rendering::template(&format!("{text}:v")) } else { Err(error) }
    })?;
    let template = if template.verb.is_some() && verb.is_empty() {
        rendering::template(&format!("{text}:v"))?
    } else {
        template
    };
    let plain = |text: &str| -> String {
        // `{name=a/*}` is `a/*`, and `{name}` is `*`.
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (variable, after) = after.split_once('}').unwrap_or((after, ""));
            plain.push_str(before);
            plain.push_str(variable.split_once('=').map_or("*", |(_, segments)| segments));
            rest = after;
        }
        plain + rest
    };
    let expected = rendering::template(&format!("/{}:v", plain(tokens)))
        .map(|template| rendering::segments(&template));
    let expected = if tokens.is_empty() { Vec::new() } else { expected? };
    let found = rendering::segments(&template);
    if found != expected {
        return Err(format!("has segments {found:?} instead of {expected:?}"));
    }
    if verb.is_empty() { Ok(()) } else { same_verb(text, verb) }
}
