//! Generated documents, served as they lie on the disk.

use std::fs;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use tower::ServiceExt;

/// A directory as the generator writes it, with something beside the documents.
fn generated() -> (tempfile::TempDir, Router) {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("docs/index.html", "<!doctype html>overview"),
        ("docs/packages/a.v1.html", "<!doctype html>package"),
        ("openapi/api.json", "{}"),
        ("packages/a/Cargo.toml", "[package]"),
    ] {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let router = treaty_http::documents(directory.path());
    (directory, router)
}

async fn get(router: &Router, path: &str) -> (StatusCode, http::HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn documents_come_with_their_types_and_a_policy() {
    let (_directory, router) = generated();
    for (path, media_type, text) in [
        ("/docs/", "text/html", "<!doctype html>overview"),
        ("/docs/index.html", "text/html", "<!doctype html>overview"),
        ("/docs/packages/a.v1.html", "text/html", "<!doctype html>package"),
        ("/openapi/api.json", "application/json", "{}"),
    ] {
        let (status, headers, body) = get(&router, path).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, text), "{path}");
        assert!(headers["content-type"].to_str().unwrap().starts_with(media_type), "{path}");
        assert!(headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
    // Links are relative, so the directory has to end in a slash.
    let (status, headers, _) = get(&router, "/docs").await;
    assert_eq!(status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(headers["location"], "/docs/");
}

#[tokio::test]
async fn nothing_beside_the_documents_is_served() {
    let (_directory, router) = generated();
    for path in [
        "/packages/a/Cargo.toml",
        "/docs/../packages/a/Cargo.toml",
        "/docs/%2e%2e/packages/a/Cargo.toml",
        "/docs/..%2fpackages/a/Cargo.toml",
        "/docs/none.html",
        "/asyncapi/api.json",
    ] {
        let (status, _, body) = get(&router, path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {body}");
    }
}
