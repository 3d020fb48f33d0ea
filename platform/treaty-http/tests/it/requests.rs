//! From path, query and body to the message.

use serde_json::json;

use crate::orders::{get, put};

#[tokio::test]
async fn path_and_query_reach_the_message() {
    let answer =
        get("/v1/orders/a%20b?page_size=7&gift=false&tags=x&tags=y%26z&state=STATE_OPEN").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(
        answer.json,
        json!({
            "orderId": "a b", "pageSize": 7, "gift": false, "tags": ["x", "y&z"],
            "state": "STATE_OPEN",
        })
    );
    assert_eq!(get("/v1/orders/a?pageSize=8&state=1").await.json["pageSize"], 8);
}

#[tokio::test]
async fn the_path_has_the_last_word_over_the_body() {
    let answer = put("/v1/orders/path", r#"{"orderId": "body", "pageSize": 3}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["orderId"], "path");
    assert_eq!(answer.json["pageSize"], 3);
}

#[tokio::test]
async fn no_body_is_a_message_with_nothing_set() {
    let answer = put("/v1/orders/a", "").await;
    assert_eq!((answer.status, answer.json), (200, json!({"orderId": "a"})));
}

#[tokio::test]
async fn a_body_of_the_largest_size_passes_in_one_piece_and_in_many() {
    let padding = " ".repeat(1000 - r#"{"pageSize":3}"#.len());
    let body = format!(r#"{{"pageSize":3}}{padding}"#);
    assert_eq!(put("/v1/orders/a", &body).await.json["pageSize"], 3);
    let pieces: Vec<_> =
        body.as_bytes().chunks(7).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let request = http::Request::put("/v1/orders/a")
        .header("content-type", "application/json")
        .body(axum::body::Body::from_stream(futures::stream::iter(pieces)).into())
        .unwrap();
    assert_eq!(crate::orders::send(request).await.json["pageSize"], 3);
}

#[tokio::test]
async fn the_request_id_comes_back_or_is_given() {
    let request = |id: Option<&str>| {
        let mut request = http::Request::put("/v1/orders/a");
        if let Some(id) = id {
            request = request.header("x-request-id", id);
        }
        request.body(treaty_http::Body::empty()).unwrap()
    };
    let answer = crate::orders::send(request(Some("request-9"))).await;
    assert_eq!(answer.headers["x-request-id"], "request-9");
    let answer = crate::orders::send(request(None)).await;
    assert_eq!(answer.headers["x-request-id"].len(), 36);
    let answer = crate::orders::send(request(Some("no such\tthing"))).await;
    assert_eq!(answer.headers["x-request-id"].len(), 36);
}
