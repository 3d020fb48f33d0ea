//! Calling HTTP services of others, which may be slow, broken or hostile: every call has an end, no
//! answer is larger than expected, and no credential follows a redirection.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Client, Request, RequestBuilder, Response};
use tracing::{Instrument as _, Span, field};
use treaty_error::Error;
use treaty_telemetry::{context, durations};

/// How calls to one service are bounded.
#[derive(Clone, Copy, Debug)]
pub struct FetchConfig {
    /// What we call ourselves.
    pub user_agent: &'static str,
    /// Until a connection is made.
    pub connect_timeout: Duration,
    /// The longest silence, before the first byte of an answer and within it.
    pub silence_timeout: Duration,
    /// Until the last byte of an answer: what ends one that drips.
    pub timeout: Duration,
}

impl FetchConfig {
    /// A client that keeps to this. It follows no redirections, since a credential must not follow
    /// one to another host: what answers with one has failed.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn client(&self) -> Result<Client, Error> {
        Client::builder()
            .user_agent(self.user_agent)
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.silence_timeout)
            .timeout(self.timeout)
            .redirect(Policy::none())
            .build()
            .map_err(Error::internal)
    }
}

/// Sends a request, in a span and counted by `url_template`, which names the path without what
/// varies in it. Neither the address nor a header goes into the trace, and no trace context to
/// the stranger who is asked.
///
/// # Errors
/// When there is no answer.
pub async fn send(
    request: RequestBuilder,
    url_template: &'static str,
) -> reqwest::Result<Response> {
    let (client, request) = request.build_split();
    let request = request?;
    let (method, begun) = (method(&request), Instant::now());
    let span = span(&request, method, url_template);
    let result = client.execute(request).instrument(span.clone()).await;
    let status = result.as_ref().map_or(0, |response| response.status().as_u16());
    durations::request_made(method, url_template, status, begun.elapsed());
    span.record("http.response.status_code", status);
    if result.is_err() || status >= 400 {
        span.record("otel.status_code", "ERROR");
    }
    result
}

/// None without traces.
fn span(request: &Request, method: &'static str, url_template: &'static str) -> Span {
    if !context::is_on() {
        return Span::none();
    }
    tracing::info_span!(
        "http.client",
        otel.kind = "client",
        otel.name = format!("{method} {url_template}"),
        otel.status_code = field::Empty,
        http.request.method = method,
        http.response.status_code = field::Empty,
        server.address = request.url().host_str(),
        url.template = url_template,
    )
}

fn method(request: &Request) -> &'static str {
    match request.method().as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "_OTHER",
    }
}

/// Why a body was not read. It never tells what the body holds.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is larger than anything expected.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// Most bytes that are read.
        limit: usize,
    },
    /// It broke off, or took too long.
    #[error("the answer broke off")]
    Broken(#[source] reqwest::Error),
}

/// Reads a body of at most `limit` bytes; one that says to be longer is not begun.
///
/// # Errors
/// When it is longer, breaks off or takes too long.
pub async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let too_long = || BodyError::TooLong { limit };
    let announced = response.content_length().map(usize::try_from);
    let announced = announced.transpose().map_err(|_| too_long())?.unwrap_or_default();
    if announced > limit {
        return Err(too_long());
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > limit {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn broken(error: reqwest::Error) -> BodyError {
    // The address says nothing that the configuration does not, and may one day hold more.
    BodyError::Broken(error.without_url())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    const CONFIG: FetchConfig = FetchConfig {
        user_agent: "treaty-fetch-test",
        connect_timeout: Duration::from_secs(5),
        silence_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(10),
    };

    /// Answers one request with these parts, a pause before each but the first.
    async fn answering(parts: Vec<Vec<u8>>, pause: Duration) -> String {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            for (number, part) in parts.into_iter().enumerate() {
                if number > 0 {
                    tokio::time::sleep(pause).await;
                }
                // The client may have given up.
                if stream.write_all(&part).await.is_err() {
                    return;
                }
            }
        });
        url
    }

    fn head(length: usize) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes()
    }

    async fn read(parts: Vec<Vec<u8>>, limit: usize) -> Result<Vec<u8>, BodyError> {
        let url = answering(parts, Duration::ZERO).await;
        read_body(CONFIG.client().unwrap().get(url).send().await.unwrap(), limit).await
    }

    #[tokio::test]
    async fn a_body_within_the_limit_is_read() {
        assert_eq!(read(vec![head(4), b"abcd".to_vec()], 4).await.unwrap(), b"abcd");
        assert_eq!(read(vec![head(0)], 0).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn a_longer_one_is_not_whether_it_says_so_or_not() {
        let announced = read(vec![head(5), b"abcde".to_vec()], 4).await;
        assert!(matches!(announced, Err(BodyError::TooLong { limit: 4 })), "{announced:?}");
        let silent = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabcde".to_vec();
        let silent = read(vec![silent], 4).await;
        assert!(matches!(silent, Err(BodyError::TooLong { .. })), "{silent:?}");
    }

    #[tokio::test]
    async fn half_a_body_is_none() {
        let half = read(vec![head(9), b"abcd".to_vec()], 9).await;
        assert!(matches!(half, Err(BodyError::Broken(_))), "{half:?}");
        assert!(!format!("{half:?}").contains("127.0.0.1"));
    }

    #[tokio::test]
    async fn an_answer_that_drips_ends_at_the_timeout() {
        let mut parts = vec![head(1_000)];
        parts.extend((0..1_000).map(|_| b"x".to_vec()));
        let url = answering(parts, Duration::from_millis(50)).await;
        let config = FetchConfig { timeout: Duration::from_millis(400), ..CONFIG };
        let response = config.client().unwrap().get(url).send().await.unwrap();
        let begun = Instant::now();
        let Err(BodyError::Broken(error)) = read_body(response, 1_000).await else {
            panic!("it does not end by itself");
        };
        assert!(error.is_timeout() && begun.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn a_redirection_is_not_followed() {
        let head =
            b"HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\n\r\n";
        let url = answering(vec![head.to_vec()], Duration::ZERO).await;
        let response = CONFIG.client().unwrap().get(url).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 302);
    }
}
