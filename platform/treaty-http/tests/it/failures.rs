//! Everything that goes wrong is a `google.rpc.Status` with the right HTTP status.

use futures::StreamExt;
use http::Request;
use serde_json::json;
use treaty_http::Body;

use crate::orders::{get, put, send};

fn violated(json: &serde_json::Value) -> Option<&str> {
    json["details"][0]["fieldViolations"][0]["field"].as_str()
}

#[tokio::test]
async fn a_wrong_body_is_400_with_the_path_of_the_field() {
    for (body, field) in [
        (r#"{"customer": {"email": 5}}"#, "customer.email"),
        (r#"{"customer": {"nick": "x"}}"#, "customer.nick"),
        (r#"{"customer": {"tags": ["a", 7]}}"#, "customer.tags[1]"),
        (r#"{"nick": "x"}"#, "nick"),
        (r#"{"pageSize": "many"}"#, "pageSize"),
        (r#"{"pageSize": 3000000000}"#, "pageSize"),
    ] {
        let answer = put("/v1/orders/a", body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.json["code"], 3);
        assert_eq!(violated(&answer.json), Some(field), "{body}: {}", answer.json);
    }
    let answer = put("/v1/orders/a", r#"{"customer": {"email": 5}}"#).await;
    assert_eq!(
        answer.json,
        json!({
            "code": 3,
            "message": "customer.email: expected a string, found a number",
            "details": [{
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{
                    "field": "customer.email",
                    "description": "expected a string, found a number",
                }],
            }],
        })
    );
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_400() {
    for body in ["{", "nope", r#"{"pageSize": 1} x"#, "5", "{\"order_id\u{0}"] {
        let answer = put("/v1/orders/a", body).await;
        assert_eq!((answer.status, &answer.json["code"]), (400, &json!(3)), "{body}");
        assert!(answer.json["message"].as_str().unwrap().contains("the body is"), "{body}");
    }
}

#[tokio::test]
async fn deep_nesting_is_refused_and_does_no_harm() {
    let answer = put("/v1/orders/a", &"[".repeat(900)).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn only_json_of_a_sensible_size_is_read() {
    for content_type in [None, Some("text/plain"), Some("application/json; charset=latin1")] {
        let mut request = Request::put("/v1/orders/a");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer = send(request.body(Body::from(b"{}".to_vec())).unwrap()).await;
        assert_eq!((answer.status, &answer.json["code"]), (415, &json!(3)), "{content_type:?}");
    }
    let large = "x".repeat(1001);
    assert_eq!(put("/v1/orders/a", &large).await.status, 413);
    let streamed = futures::stream::iter(vec![large; 3]).map(Ok::<_, std::io::Error>);
    let request =
        Request::put("/v1/orders/a").body(axum::body::Body::from_stream(streamed).into()).unwrap();
    assert_eq!(send(request).await.status, 413);
    let declared = Request::put("/v1/orders/a").header("content-length", "99999999999");
    let declared = declared.body(
        axum::body::Body::from_stream(futures::stream::pending::<std::io::Result<Vec<u8>>>())
            .into(),
    );
    assert_eq!(send(declared.unwrap()).await.status, 413);
}

#[tokio::test]
async fn a_wrong_query_is_400_and_named() {
    for (query, field) in [
        ("nick=1", "nick"),
        ("page_size=many", "page_size"),
        ("state=STATE_SHUT", "state"),
        ("state=2147483648", "state"),
        ("page_size=1&pageSize=2", "pageSize"),
        ("customer.nick=1", "customer.nick"),
        ("order_id=b", "order_id"),
        ("customer=x", "customer"),
    ] {
        let answer = get(&format!("/v1/orders/a?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(violated(&answer.json), Some(field), "{query}");
    }
    assert_eq!(get("/v1/orders/a?tags=%ff").await.status, 400);
    assert_eq!(get("/v1/orders/a?tags=%2").await.status, 400);
    let answer = put("/v1/orders/a?page_size=1", "{}").await;
    assert_eq!((answer.status, violated(&answer.json)), (400, Some("page_size")));
}

#[tokio::test]
async fn a_path_that_is_no_text_is_400() {
    for path in ["/v1/orders/%ff", "/v1/orders/%zz", "/v1/orders/a%2"] {
        let answer = get(path).await;
        assert_eq!((answer.status, &answer.json["code"]), (400, &json!(3)), "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_have_the_same_shape() {
    let answer = get("/v1/nothing").await;
    assert_eq!((answer.status, &answer.json["code"]), (404, &json!(5)));
    let request = Request::delete("/v1/orders/a").body(Body::empty()).unwrap();
    let answer = send(request).await;
    assert_eq!((answer.status, &answer.json["code"]), (405, &json!(12)));
    assert_eq!(answer.headers["allow"], "GET, HEAD, OPTIONS, PUT");
}

#[tokio::test]
async fn the_service_s_failures_have_their_status() {
    let answer = get("/v1/orders/none").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json, json!({"code": 5, "message": "no such order"}));
    let answer = get("/v1/orders/busy").await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "2");
    assert_eq!(answer.json["details"][0]["retryDelay"], "1.500s");
}

#[tokio::test]
async fn our_own_faults_say_nothing_of_their_cause() {
    for path in ["/v1/orders/broken", "/v1/orders/panic", "/panic"] {
        let answer = get(path).await;
        assert_eq!(answer.status, 500, "{path}");
        assert_eq!(answer.json, json!({"code": 13, "message": "internal error"}), "{path}");
    }
}

#[tokio::test]
async fn callers_are_admitted_before_anything_is_read() {
    let status = async |authorization: Option<&str>| {
        let mut request = Request::get("/v1/orders/a?nick=1");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        send(request.body(Body::empty()).unwrap()).await
    };
    let anonymous = status(None).await;
    assert_eq!((anonymous.status, &anonymous.json["code"]), (401, &json!(16)));
    assert_eq!(anonymous.headers["www-authenticate"], "Bearer");
    assert_eq!(status(Some("Bearer wrong-token-00001")).await.status, 401);
    assert_eq!(status(Some("Bearer worker-token-0001")).await.status, 403);
    assert_eq!(status(Some(crate::orders::OPERATOR)).await.status, 400);
}
