//! The validators find what is wrong, or their silence would say nothing.

use std::fs;

use testbed::{Tools, judge_answers, judge_documents};

const OPENAPI: &str = r##"{
  "openapi": "3.1.1",
  "info": {"title": "t", "version": "1"},
  "servers": [{"url": "/"}],
  "tags": [{"name": "T"}],
  "paths": {"/a/{id}": {"get": {
    "operationId": "A", "tags": ["T"], "summary": "A", "security": [],
    "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
    "responses": {
      "200": {"description": "d", "content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/M"}, "example": {"n": 1}}}},
      "404": {"description": "d"}
    }
  }}},
  "components": {"schemas": {"M": {"type": "object", "properties": {"n": {"type": "integer"}}}}}
}"##;

fn problems(outcome: anyhow::Result<()>) -> String {
    outcome.map_or_else(|error| format!("{error:#}"), |()| String::new())
}

#[test]
fn a_wrong_document_is_told_by_place() {
    let tools = Tools::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let judged = |text: String| {
        let path = directory.path().join("document.json");
        fs::write(&path, text).unwrap();
        problems(judge_documents(&tools, &[path]))
    };
    assert_eq!(judged(OPENAPI.to_owned()), "");
    for (right, wrong, told) in [
        (r#""in": "path""#, r#""in": "pat""#, "OpenAPI schema"),
        (r#"{"n": 1}"#, r#"{"n": "one"}"#, "no-invalid-media-type-examples"),
        ("schemas/M\"", "schemas/N\"", "no-unresolved-refs"),
        ("/a/{id}", "/a/{di}", "path-params-defined"),
    ] {
        let told_of = judged(OPENAPI.replace(right, wrong));
        assert!(told_of.contains(told), "{wrong}: {told_of}");
    }
    let asyncapi = r#"{"asyncapi": "3.0.0", "info": {"title": "t"}}"#;
    assert!(judged(asyncapi.to_owned()).contains("AsyncAPI schema"));
}

#[test]
fn a_wrong_answer_is_told() {
    let tools = Tools::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let openapi = directory.path().join("openapi.json");
    fs::write(&openapi, OPENAPI).unwrap();
    let judged = |path: &str, status: u16, media: &str, body: &str| {
        let recorded = directory.path().join("answers.json");
        let openapi = openapi.display();
        let text = format!(
            r#"{{"openapi": "{openapi}", "answers": [{{"method": "GET", "path": "{path}",
                "status": {status}, "contentType": "{media}", "body": {body}}}]}}"#
        );
        fs::write(&recorded, text).unwrap();
        problems(judge_answers(&tools, &recorded))
    };
    let json = "application/json";
    assert_eq!(judged("/a/1", 200, json, r#"{"n": 1}"#), "");
    for (path, status, media, body, told) in [
        ("/a/1", 200, json, r#"{"n": "1"}"#, "must be integer"),
        ("/a/1", 200, json, r#"{"m": 1}"#, "additional properties"),
        ("/a/1", 200, "text/plain", "{}", "media type"),
        ("/a/1", 500, json, "{}", "not documented"),
        ("/a/1", 404, json, "{}", "a body where none"),
        ("/b", 200, json, "{}", "no such path"),
    ] {
        let told_of = judged(path, status, media, body);
        assert!(told_of.contains(told), "{path} {status} {body}: {told_of}");
    }
}
