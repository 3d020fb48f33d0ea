//! A Prometheus of one's own.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::http;
use crate::process::{Launch, Leashed};
use crate::tools::{Tool, Tools};
use crate::wait::{free_port, with_new_ports};

/// How long it may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running Prometheus that listens on loopback only.
#[derive(Debug)]
pub struct Prometheus {
    process: Leashed,
    port: u16,
}

impl Prometheus {
    /// Starts a server that scrapes these processes each second, with their names as the label
    /// `process`.
    ///
    /// # Errors
    /// When it cannot be had or does not start; the end of its log is part of the message.
    pub fn start(
        tools: &Tools,
        directory: impl AsRef<Path>,
        scraped: &[(String, SocketAddr)],
    ) -> Result<Self> {
        let executable = tools.ensure(Tool::Prometheus)?;
        let directory = directory.as_ref();
        fs::create_dir_all(directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        let file = directory.join("prometheus.yml");
        fs::write(&file, configuration(scraped)).context("writing prometheus.yml")?;
        with_new_ports(|| {
            let port = free_port()?;
            let process = Launch::new("prometheus", &executable)
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .start(directory.join("prometheus.log"))?;
            let mut server = Self { process, port };
            let address = server.address();
            server.process.wait_ready(START_TIMEOUT, || {
                http::get(address, "/-/ready").map(|(status, _)| status == 200)
            })?;
            Ok(server)
        })
    }

    /// Asks with PromQL: each series' labels and value.
    ///
    /// # Errors
    /// When the query is wrong.
    pub fn query(&self, promql: &str) -> Result<Vec<(Value, f64)>> {
        let path = format!("/api/v1/query?query={}", escaped(promql));
        let (status, body) = http::get(self.address(), &path)?;
        ensure!(status == 200, "Prometheus answered {promql} with {status}: {body}");
        let answer: Value = serde_json::from_str(&body).context("Prometheus's answer")?;
        let series = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        series
            .into_iter()
            .map(|one| {
                let value = one["value"][1].as_str().context("a series without a value")?;
                Ok((one["metric"].clone(), value.parse()?))
            })
            .collect()
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }
}

fn configuration(scraped: &[(String, SocketAddr)]) -> String {
    let mut text =
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: services\n  static_configs:\n"
            .to_owned();
    for (name, address) in scraped {
        // Writing to a text does not fail.
        let _ = writeln!(text, "  - {{targets: ['{address}'], labels: {{process: '{name}'}}}}");
    }
    text
}

/// A query as a part of an address has it.
fn escaped(query: &str) -> String {
    let mut escaped = String::new();
    for byte in query.bytes() {
        if byte.is_ascii_alphanumeric() {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
