//! HTTP routes as they are generated, in this process and as a proxy: the answers are the same.

use serde_json::{Value, json};

use super::library::both_ways;
use super::support::STRANGER_TOKEN;

#[tokio::test]
async fn every_route_of_a_method_leads_to_it() {
    for library in both_ways().await {
        let way = library.way();
        let answer = library.get("/v1/shelves/x/books/moby%20dick").await;
        assert_eq!(answer.status, 200, "{way}: {}", answer.text);
        let expected =
            json!({"name": "shelves/x/books/moby dick", "title": "moby dick", "pageCount": 7});
        assert_eq!(answer.json(), expected, "{way}");
        let answer = library.get("/v1/find/a/b%2Fc/d").await;
        assert_eq!(answer.json()["name"], "a/b%2Fc/d", "{way}");
        let answer = library.get("/v1/find").await;
        assert_eq!((answer.status, answer.json()["pageCount"].clone()), (200, json!(7)), "{way}");
    }
}

#[tokio::test]
async fn success_has_the_contract_s_status() {
    for library in both_ways().await {
        let way = library.way();
        let body = r#"{"title": "Emma", "pageCount": 3}"#;
        let answer = library.send("POST", "/v1/shelves/x/books?book_id=emma", &[], body).await;
        assert_eq!(answer.status, 201, "{way}: {}", answer.text);
        let expected = json!({"name": "shelves/x/books/emma", "title": "Emma", "pageCount": 3});
        assert_eq!(answer.json(), expected, "{way}");
        let answer = library.send("DELETE", "/v1/shelves/x/books/emma", &[], "").await;
        assert_eq!((answer.status, &*answer.text), (204, ""), "{way}");
        assert!(!answer.headers.contains_key("content-type"), "{way}");
    }
}

#[tokio::test]
async fn a_patch_without_a_mask_means_what_its_body_has() {
    for library in both_ways().await {
        let way = library.way();
        let patch = async |query: &str, body: &str| {
            let uri = format!("/v1/shelves/x/books/emma{query}");
            let answer = library.send("PATCH", &uri, &[], body).await;
            assert_eq!(answer.status, 200, "{way}: {}", answer.text);
            answer.json()
        };
        let name = "shelves/x/books/emma";
        // The answer is the field that the contract names, not the message around it.
        let changed = patch("", r#"{"pageCount": 0, "title": null}"#).await;
        assert_eq!(changed, json!(["page_count", "title", name]), "{way}");
        let changed = patch("?updateMask=title", r#"{"pageCount": 9}"#).await;
        assert_eq!(changed, json!(["title", name]), "{way}");
        assert_eq!(patch("", "").await, json!([name]), "{way}");
    }
}

#[tokio::test]
async fn what_breaks_the_contract_s_rules_is_400_with_the_fields() {
    for library in both_ways().await {
        let way = library.way();
        let body = r#"{"title": "Emma", "pageCount": -3}"#;
        let answer = library.send("POST", "/v1/shelves/x/books", &[], body).await;
        assert_eq!(answer.status, 400, "{way}: {}", answer.text);
        let json = answer.json();
        assert_eq!(json["code"], 3, "{way}");
        let detail = &json["details"][0];
        assert_eq!(detail["@type"], "type.googleapis.com/google.rpc.BadRequest", "{way}");
        let violation = &detail["fieldViolations"][0];
        assert_eq!(violation["field"], "book.page_count", "{way}");
        assert_eq!(violation["reason"], "int32.gte", "{way}");
    }
}

#[tokio::test]
async fn who_may_call_is_decided_at_the_handler_s_door() {
    for library in both_ways().await {
        let way = library.way();
        let stranger = format!("Bearer {STRANGER_TOKEN}");
        for (authorization, status) in
            [("", 401), ("Bearer wrong-token-00001", 401), (&*stranger, 403)]
        {
            let headers = [("authorization", authorization)];
            let answer = library.send("GET", "/v1/shelves/x/books/a", &headers, "").await;
            assert_eq!(answer.status, status, "{way}: {}", answer.text);
        }
        let answer = library.get("/v1/shelves/x/books/caller").await;
        assert_eq!(answer.json()["title"], "caller", "{way}");
        let answer = library.get("/v1/shelves/x/books/none").await;
        assert_eq!(answer.status, 404, "{way}");
        assert_eq!(answer.json(), json!({"code": 5, "message": "no such book"}), "{way}");
    }
}

#[tokio::test]
async fn listed_headers_reach_the_handler_and_no_others() {
    for library in both_ways().await {
        let way = library.way();
        let headers = [("x-tenant", "acme"), ("x-forbidden", "secret")];
        for (book, expected) in [("tenant", "acme"), ("accept", "nothing")] {
            let uri = format!("/v1/shelves/x/books/{book}");
            let answer = library.send("GET", &uri, &headers, "").await;
            assert_eq!(answer.json()["title"], expected, "{way}");
        }
    }
}

#[tokio::test]
async fn callers_shorten_the_deadline_in_either_header() {
    for library in both_ways().await {
        let way = library.way();
        for (headers, expected) in [
            (&[][..], "20"),
            (&[("request-timeout", "5")], "5"),
            (&[("grpc-timeout", "3S")], "3"),
            (&[("grpc-timeout", "3S"), ("request-timeout", "60")], "3"),
            (&[("request-timeout", "600")], "20"),
        ] {
            let answer = library.send("GET", "/v1/shelves/x/books/time", headers, "").await;
            assert_eq!(answer.json()["title"], expected, "{way}: {headers:?} {}", answer.text);
        }
        for headers in [[("request-timeout", "0.05")], [("grpc-timeout", "50m")]] {
            let answer = library.send("GET", "/v1/shelves/x/books/hang", &headers, "").await;
            assert_eq!((answer.status, &answer.json()["code"]), (504, &json!(4)), "{way}");
        }
        for headers in [[("request-timeout", "soon")], [("grpc-timeout", "50")]] {
            let answer = library.send("GET", "/v1/shelves/x/books/time", &headers, "").await;
            assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(3)), "{way}");
        }
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of(shelf: &str, id: &str) -> Value {
    json!({"name": format!("shelves/{shelf}/books/{id}"), "title": id, "pageCount": 7})
}

#[tokio::test]
async fn a_stream_of_answers_has_the_form_that_the_caller_accepts() {
    for library in both_ways().await {
        let way = library.way();
        let watch = async |shelf: &str, accept: &str| {
            let uri = format!("/v1/shelves/{shelf}/books:watch");
            library.send("GET", &uri, &[("accept", accept)], "").await
        };
        let answer = watch("x", "application/x-ndjson").await;
        assert_eq!(answer.headers["content-type"], "application/x-ndjson", "{way}");
        let expected =
            [json!({"result": of("x", "a")}), json!({"result": of("x", "b")}), json!({"end": {}})];
        assert_eq!(lines(&answer.text), expected, "{way}");

        let answer = watch("x", "text/event-stream").await;
        assert_eq!(answer.headers["content-type"], "text/event-stream", "{way}");
        let (a, b) = (of("x", "a"), of("x", "b"));
        let events: Vec<_> = answer.text.split_terminator("\n\n").collect();
        let [first, second, end] = events[..] else { panic!("{way}: {}", answer.text) };
        for (event, expected) in [(first, a.clone()), (second, b.clone())] {
            let data = event.strip_prefix("data: ").unwrap();
            assert_eq!(serde_json::from_str::<Value>(data).unwrap(), expected, "{way}");
        }
        assert_eq!(end, "event: end\ndata: {}", "{way}");

        let answer = watch("x", "*/*").await;
        assert_eq!(answer.headers["content-type"], "application/json", "{way}");
        assert_eq!(answer.json(), json!([a, b]), "{way}");
    }
}

#[tokio::test]
async fn a_failure_in_the_middle_of_a_stream_is_in_the_stream() {
    let failure = json!({"code": 8, "message": "too many books"});
    for library in both_ways().await {
        let way = library.way();
        let watch = async |accept: &str| {
            let headers = [("accept", accept)];
            let answer = library.send("GET", "/v1/shelves/broken/books:watch", &headers, "").await;
            assert_eq!(answer.status, 200, "{way}");
            answer
        };
        let last = lines(&watch("application/x-ndjson").await.text).pop();
        assert_eq!(last, Some(json!({"error": failure})), "{way}");
        let text = watch("text/event-stream").await.text;
        let (_, data) = text.split_once("event: error\ndata: ").unwrap();
        assert_eq!(serde_json::from_str::<Value>(data).unwrap(), failure, "{way}");
        assert!(!text.contains("event: end"), "{way}");
        assert_eq!(watch("*/*").await.json()[2], json!({"error": failure}), "{way}");
        // Before the first message there is a status to say it with.
        let answer = library.get("/v1/shelves/none/books:watch").await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!(5)), "{way}");
    }
}

#[tokio::test]
async fn a_stream_of_requests_is_lines_of_json() {
    for library in both_ways().await {
        let way = library.way();
        let import = async |body: &str| {
            let headers = [("content-type", "application/x-ndjson")];
            library.send("POST", "/v1/books:import", &headers, body).await
        };
        let answer = import("{\"title\":\"A\"}\n\n{\"title\":\"B\"}").await;
        assert_eq!(answer.status, 200, "{way}: {}", answer.text);
        assert_eq!(answer.json(), json!({"titles": ["A", "B"]}), "{way}");
        for bad in ["{\"title\":\"A\"}\n{\"title\":5}", "{\"pageCount\":-1}"] {
            let answer = import(bad).await;
            assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(3)), "{way}: {bad}");
        }
    }
}

#[tokio::test]
async fn bodies_of_other_types_pass_as_they_are() {
    for library in both_ways().await {
        let way = library.way();
        let answer = library.get("/v1/shelves/x/books/a:download").await;
        assert_eq!((answer.status, &*answer.text), (200, "%PDF of shelves/x/books/a"), "{way}");
        assert_eq!(answer.headers["content-type"], "application/pdf", "{way}");
        let answer = library.get("/v1/shelves/x/books/a:cover").await;
        assert_eq!((answer.status, &*answer.text), (200, "<svg/>"), "{way}");
        assert_eq!(answer.headers["content-type"], "image/svg+xml", "{way}");
        let headers = [("content-type", "text/plain")];
        let uri = "/v1/shelves/x/books/a:upload";
        let answer = library.send("REPORT", uri, &headers, "{no JSON").await;
        assert_eq!(answer.json()["title"], "text/plain, 8 bytes", "{way}: {}", answer.text);
        let answer = library.send("POST", uri, &headers, "{no JSON").await;
        assert_eq!((answer.status, &answer.json()["code"]), (405, &json!(12)), "{way}");
        let allowed = "DELETE, GET, HEAD, OPTIONS, PATCH, REPORT";
        assert_eq!(answer.headers["allow"], allowed, "{way}");
    }
}
