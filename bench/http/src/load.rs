//! The loader: HTTP/1.1 over connections that are kept, one request at a time on each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Get,
    Post,
}

/// One of the two activities of the body; both together are about 1 kB.
const ACTIVITY: &str = r#"{"activityId":"12345678901","athleteId":"ath-77","name":"Morning ride","sportType":"GravelRide","distance":28099.5,"movingTime":4207,"elapsedTime":4410,"totalElevationGain":516.25,"startDate":"2026-05-02T12:15:09Z","timezone":"Europe/Berlin","averageSpeed":6.679,"maxSpeed":18.5,"averageHeartrate":140.3,"maxHeartrate":178.5,"commute":true,"gearId":"b12345678987","description":"Through the woods, with a stop for a coffee at the lake","kudosCount":19}"#;

impl Request {
    pub const ALL: [Self; 2] = [Self::Get, Self::Post];

    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    fn bytes(self) -> Vec<u8> {
        let head = "host: 127.0.0.1\r\nuser-agent: bench\r\naccept: */*\r\n\
                    authorization: Bearer operator-token-01";
        match self {
            Self::Get => format!("GET /v1/athletes/ath-77/activities HTTP/1.1\r\n{head}\r\n\r\n"),
            Self::Post => {
                let body = format!(r#"{{"activities":[{ACTIVITY},{ACTIVITY}]}}"#);
                format!(
                    "POST /v1/activities HTTP/1.1\r\n{head}\r\ncontent-type: application/json\r\n\
                     content-length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
        }
        .into_bytes()
    }
}

/// Asks once, and tells how long the answer's body is.
pub async fn once(port: u16, request: Request) -> Result<usize> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut buffer = Vec::new();
    ask(&mut stream, &request.bytes(), &mut buffer).await
}

/// Asks so many times over so many connections.
pub async fn run(port: u16, request: Request, count: usize, connections: usize) -> Result<()> {
    let left = Arc::new(AtomicUsize::new(count));
    let asking = (0..connections).map(|_| {
        let left = Arc::clone(&left);
        async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.set_nodelay(true)?;
            let (bytes, mut buffer) = (request.bytes(), Vec::new());
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok()
            {
                ask(&mut stream, &bytes, &mut buffer).await?;
            }
            anyhow::Ok(())
        }
    });
    let tasks: Vec<_> = asking.map(|asking| async move { asking.await }).collect();
    let mut set = tokio::task::JoinSet::new();
    for task in tasks {
        set.spawn(task);
    }
    while let Some(ended) = set.join_next().await {
        ended??;
    }
    Ok(())
}

async fn ask(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Result<usize> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head])?;
        if !text.starts_with("HTTP/1.1 200 ") {
            bail!("answered {text}: {}", String::from_utf8_lossy(&buffer[head..]));
        }
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
        });
        let length = length.context("an answer without a length")??;
        if buffer.len() >= head + 4 + length {
            return Ok(length);
        }
    }
}
