//! A server of Vault's API of one's own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::{self, Request};
use crate::process::{Launch, Leashed, Signal};
use crate::tools::{Tool, Tools};
use crate::wait::{free_port, with_new_ports};

/// How long the server may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Where secrets are mounted, as in a development server and in the charts' values.
const MOUNT: &str = "secret";

/// A running OpenBao that listens on loopback only, initialised and unsealed, with version 2 of the
/// key-value engine at `secret/`. It keeps its data in a file: unlike a development server's they
/// survive a crash.
pub struct BaoServer {
    process: Leashed,
    executable: PathBuf,
    directory: PathBuf,
    port: u16,
    keys: Keys,
}

/// What only the first start of a server tells.
struct Keys {
    unseal: String,
    root_token: String,
}

impl std::fmt::Debug for BaoServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("BaoServer").field("process", &self.process).finish_non_exhaustive()
    }
}

impl BaoServer {
    /// Starts a new server with its data and log in `directory`.
    pub fn start(tools: &Tools, directory: impl AsRef<Path>) -> Result<Self> {
        let executable = tools.ensure(Tool::Bao)?;
        let directory = directory.as_ref().to_owned();
        fs::create_dir_all(&directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        let mut server = with_new_ports(|| {
            let port = free_port()?;
            fs::write(directory.join("bao.hcl"), configuration(&directory, port)?)?;
            let process = launch(&executable, &directory)?;
            let keys = Keys { unseal: String::new(), root_token: String::new() };
            let (executable, directory) = (executable.clone(), directory.clone());
            let mut server = Self { process, executable, directory, port, keys };
            server.wait_answering()?;
            Ok(server)
        })?;
        server.initialise()?;
        server.unseal()?;
        let engine = json!({"type": "kv", "options": {"version": "2"}});
        server.administer("POST", &format!("sys/mounts/{MOUNT}"), &engine)?;
        server.wait_for_mount()?;
        Ok(server)
    }

    /// The address that clients take.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The token that may do everything.
    pub fn root_token(&self) -> &str {
        &self.keys.root_token
    }

    /// Calls `/v1/<path>` with a token: the status and the answer, which is null when empty.
    pub fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Result<(u16, Value)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request {
            method,
            path: &format!("/v1/{path}"),
            headers: &[("X-Vault-Token", token)],
            body: &body,
        };
        let (status, answer) = http::send(self.address(), &request)?;
        Ok((status, serde_json::from_str(&answer).unwrap_or_default()))
    }

    /// Calls `/v1/<path>` with the root token; anything but a success is an error.
    pub fn administer(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let (status, answer) = self.call(method, path, self.root_token(), body)?;
        ensure!((200..300).contains(&status), "{method} {path} was answered {status}: {answer}");
        Ok(answer)
    }

    /// Writes a secret below `secret/`.
    pub fn put(&self, path: &str, secret: &Value) -> Result<()> {
        let body = json!({"data": secret});
        self.administer("POST", &format!("{MOUNT}/data/{path}"), &body).map(drop)
    }

    /// Makes a policy of the text of a file such as those in `deploy/platform/policies`.
    pub fn put_policy(&self, name: &str, text: &str) -> Result<()> {
        let path = format!("sys/policies/acl/{name}");
        self.administer("PUT", &path, &json!({"policy": text})).map(drop)
    }

    /// A new token; `options` as `auth/token/create` takes them, such as `policies` and `ttl`.
    pub fn create_token(&self, options: &Value) -> Result<String> {
        let answer = self.administer("POST", "auth/token/create", options)?;
        let token = answer["auth"]["client_token"].as_str().context("no token in the answer")?;
        Ok(token.to_owned())
    }

    /// Seals the server: it answers, and gives nothing.
    pub fn seal(&self) -> Result<()> {
        self.administer("PUT", "sys/seal", &Value::Null).map(drop)
    }

    /// Unseals the server, and waits until secrets can be read.
    pub fn unseal(&mut self) -> Result<()> {
        let body = json!({"key": self.keys.unseal});
        let (status, answer) = self.call("PUT", "sys/unseal", "", &body)?;
        ensure!(status == 200 && answer["sealed"] == false, "it stays sealed: {status} {answer}");
        let address = self.address();
        // A node is standby for a moment before it is active.
        self.process.wait_ready(START_TIMEOUT, || {
            http::get(address, "/v1/sys/health").map(|(status, _)| status == 200)
        })
    }

    /// Ends the server at once, as a crash would, and leaves it down.
    pub fn crash(&mut self) -> Result<()> {
        self.process.signal(Signal::Kill)?;
        self.process.wait_ended(START_TIMEOUT).map(drop)
    }

    /// Starts a server that is down or ending, with the same port and data, and unseals it.
    pub fn start_again(&mut self) -> Result<()> {
        self.process.wait_ended(START_TIMEOUT)?;
        self.process = launch(&self.executable, &self.directory)?;
        self.wait_answering()?;
        self.unseal()?;
        self.wait_for_mount()
    }

    /// The server process.
    pub fn process(&mut self) -> &mut Leashed {
        &mut self.process
    }

    /// Stops the server.
    pub fn stop(self) {
        self.process.stop();
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn initialise(&mut self) -> Result<()> {
        let body = json!({"secret_shares": 1, "secret_threshold": 1});
        let (status, answer) = self.call("PUT", "sys/init", "", &body)?;
        ensure!(status == 200, "it cannot be initialised: {status} {answer}");
        let text =
            |value: &Value| value.as_str().map(str::to_owned).context("no key in the answer");
        let (unseal, root_token) = (text(&answer["keys_base64"][0])?, text(&answer["root_token"])?);
        self.keys = Keys { unseal, root_token };
        Ok(())
    }

    fn wait_answering(&mut self) -> Result<()> {
        let address = self.address();
        self.process.wait_ready(START_TIMEOUT, || {
            http::get(address, "/v1/sys/seal-status").map(|(status, _)| status == 200)
        })
    }

    /// The engine upgrades its storage for a moment after a mount or a start, and refuses meanwhile.
    fn wait_for_mount(&mut self) -> Result<()> {
        let (address, token) = (self.address(), self.keys.root_token.clone());
        self.process.wait_ready(START_TIMEOUT, || {
            let path = format!("/v1/{MOUNT}/config");
            let headers = [("X-Vault-Token", token.as_str())];
            let request = Request { method: "GET", path: &path, headers: &headers, body: "" };
            http::send(address, &request).map(|(status, _)| status == 200)
        })
    }
}

fn launch(executable: &Path, directory: &Path) -> Result<Leashed> {
    let mut configuration = std::ffi::OsString::from("-config=");
    configuration.push(directory.join("bao.hcl"));
    Launch::new("bao", executable)
        .arg("server")
        .arg(configuration)
        // The developer's own token and settings must not change what runs here.
        .env("HOME", directory)
        .start(directory.join("bao.log"))
}

/// Storage of one node: what there is besides memory without a server of its own.
fn configuration(directory: &Path, port: u16) -> Result<String> {
    let data = directory.join("data");
    fs::create_dir_all(&data).with_context(|| format!("creating {}", data.display()))?;
    let cluster_port = free_port()?;
    Ok(format!(
        "ui = false\n\
         log_level = \"warn\"\n\
         storage \"raft\" {{\n  path = \"{}\"\n  node_id = \"testbed\"\n  performance_multiplier = 1\n}}\n\
         listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  cluster_address = \"127.0.0.1:{cluster_port}\"\n  tls_disable = true\n}}\n\
         api_addr = \"http://127.0.0.1:{port}\"\n\
         cluster_addr = \"https://127.0.0.1:{cluster_port}\"\n",
        data.display()
    ))
}
