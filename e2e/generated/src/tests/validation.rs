//! The rules of a contract, at the edges of calls.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use futures::StreamExt;
use treaty_error::{Code, Error};
use treaty_rpc::stream_of;

use super::support::{both, context, say};
use crate::*;

/// The fields that are named, each with the rule that it breaks.
fn broken(error: &Error) -> Vec<(String, String)> {
    assert_eq!(error.code(), Code::InvalidArgument, "{error:?}");
    let violations = error.violations().iter();
    violations.map(|violation| (violation.field.clone(), violation.reason.clone())).collect()
}

fn pairs<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    expected.map(|(field, rule)| (field.to_owned(), rule.to_owned())).into()
}

#[tokio::test]
async fn a_request_is_refused_with_every_field_that_breaks_a_rule() {
    let (_server, doors) = both().await;
    for (door, echo, _) in doors {
        echo.say(&context(), say("hello")).await.unwrap();
        let wrong = SayRequest { text: "the unspeakable".into(), secret: "?".repeat(41) };
        // The handler would answer it: only the rules stand in the way.
        let error = echo.say(&context(), wrong).await.unwrap_err();
        let expected = pairs([
            ("text", "string.not_contains"),
            ("secret", "string.max_len"),
            ("secret", "string.pattern"),
        ]);
        assert_eq!(broken(&error), expected, "{door}");
    }
}

#[tokio::test]
async fn a_stream_of_requests_ends_at_the_first_that_breaks_a_rule() {
    let (_server, doors) = both().await;
    for (door, echo, seen) in doors {
        let texts = || stream_of(["fine", "unspeakable", "never seen"].map(say));
        let error = echo.collect(&context(), texts()).await.unwrap_err();
        assert_eq!(broken(&error), pairs([("text", "string.not_contains")]), "{door}");
        assert_eq!(seen.collected.load(Ordering::SeqCst), 0, "{door}");
        let answers = echo.converse(&context(), texts()).await.unwrap();
        let answers: Vec<_> = answers.collect().await;
        assert_eq!(answers.len(), 2, "{door}");
        assert_eq!(answers[0].as_ref().unwrap().text, "fine", "{door}");
        let error = answers[1].as_ref().unwrap_err();
        assert_eq!(broken(error), pairs([("text", "string.not_contains")]), "{door}");
    }
}

/// A secret that breaks every rule there is for it.
const SECRET: &str = "?xyzzy-hunter2!-xyzzy-hunter2!-xyzzy-hunter2?";

fn assert_hidden(error: &Error) {
    let shown = format!("{error} {error:?} {} {:?}", error.chain(), error.violations());
    assert!(!shown.contains("xyzzy"), "{shown}");
}

#[tokio::test]
async fn a_refusal_names_the_field_of_a_secret_and_never_shows_the_secret() {
    let (_server, doors) = both().await;
    for (door, echo, _) in doors {
        let request = SayRequest { text: "hello".into(), secret: SECRET.into() };
        let error = echo.say(&context(), request).await.unwrap_err();
        let expected = pairs([
            ("", "say_request.quiet"),
            ("secret", "string.max_len"),
            ("secret", "string.pattern"),
        ]);
        assert_eq!(broken(&error), expected, "{door}");
        assert_hidden(&error);
    }
}

#[test]
fn the_keys_of_a_secret_map_are_secret_too() {
    let secrets = BTreeMap::from([(SECRET.to_owned(), SECRET.to_owned())]);
    let said = SayRequest { text: String::new(), secret: SECRET.into() };
    let choice = Some(vault::Choice::Said(said.clone()));
    let vault = Vault { list: vec![say("fine"), said], secrets, choice, ..Vault::default() };
    let error = treaty_validate::validate(&vault).unwrap_err();
    assert_hidden(&error);
    let broken = broken(&error);
    let fields: Vec<_> = broken.iter().map(|(field, _)| field.as_str()).collect();
    assert!(fields.contains(&"list[1].secret"), "{fields:?}");
    assert!(fields.contains(&"said.secret"), "{fields:?}");
    assert_eq!(fields.iter().filter(|field| field.starts_with("secrets")).count(), 2, "{fields:?}");
}
