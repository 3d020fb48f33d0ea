//! The little HTTP that readiness probes and set-ups need, without an HTTP client's dependencies.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// How long a probe waits for a connection, and for each piece of the answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Gets `path` from the HTTP server at `address`: the status code and the body as text.
pub fn get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    send(address, &Request { method: "GET", path, headers: &[], body: "" })
}

/// A request to an HTTP server.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Such as `GET`.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Names and values besides `Host` and `Content-Length`.
    pub headers: &'a [(&'a str, &'a str)],
    /// Empty for none.
    pub body: &'a str,
}

/// Sends a request to the HTTP server at `address`: the status code and the body as text.
pub fn send(address: SocketAddr, request: &Request<'_>) -> Result<(u16, String)> {
    let Request { method, path, headers, body } = request;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("connecting to {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // HTTP/1.0 keeps the answer free of chunks, and its end is the end of the connection.
    let mut text = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\n");
    for (name, value) in *headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    stream.write_all(text.as_bytes()).with_context(|| format!("asking {address} for {path}"))?;
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .with_context(|| format!("reading the answer of {address} to {path}"))?;
    parse(&String::from_utf8_lossy(&answer))
        .with_context(|| format!("{address} did not answer {path} with HTTP"))
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_parsed() {
        let answer = "HTTP/1.1 503 Service Unavailable\r\nX: y\r\n\r\n{\"status\":\"error\"}";
        assert_eq!(parse(answer), Some((503, "{\"status\":\"error\"}".to_owned())));
        assert_eq!(parse("SSH-2.0-x\r\n\r\n"), None);
    }
}
