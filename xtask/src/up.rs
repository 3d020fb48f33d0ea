//! `cargo xtask up`, `down` and `status`: the system, to be played with.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use stack::Stack;
use stack::journey::User;
use testbed::wait_until;

use crate::system::{Narrator, Size, with_stack};
use crate::workspace;

/// Starts the system, connects the athletes and stays until Ctrl-C or `down`.
///
/// Prints where everything listens and commands to try.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask up --athletes 10
  cargo xtask up --secrets vault
  cargo xtask status   # from another terminal: addresses, and commands to try
  cargo xtask down")]
pub struct Up {
    #[command(flatten)]
    size: Size,
}

/// Stops what `up` has started, from another terminal.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask down   # ends what `cargo xtask up` has started")]
pub struct Down {}

/// Tells whether the system is up, and where everything listens.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask status   # while `cargo xtask up` runs in another terminal")]
pub struct Status {}

impl Up {
    pub fn run(&self) -> Result<ExitCode> {
        if let Some(state) = running()? {
            bail!(
                "the system is up already (process {}): `cargo xtask down` stops it",
                state["pid"]
            );
        }
        let outcome = with_stack(&self.size, stay);
        // Only this process wrote the file, so it may be missing but is nobody else's.
        let _ = std::fs::remove_file(state_file());
        outcome
    }
}

async fn stay(stack: &mut Stack, narrator: Narrator) -> Result<()> {
    let user = User::new(stack.addresses().http, stack.operator_token())?;
    user.wait_ready(Duration::from_secs(60)).await?;
    narrator.say(&format!("{} athletes register and consent", stack.options().athletes));
    let athletes = user.join_all(stack.options().athletes).await?;
    let state = stack.state();
    write_state(&state)?;
    println!("\n{}\n{}", addresses(&state), commands(&state, athletes.first()));
    narrator.say("the system is up; Ctrl-C stops it");
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stack.check_alive()?;
    }
}

impl Down {
    pub fn run(&self) -> Result<ExitCode> {
        let Some(state) = running()? else {
            println!("the system is not up");
            return Ok(ExitCode::SUCCESS);
        };
        let pid = state["pid"].to_string();
        let sent =
            Command::new("kill").args(["-TERM", &pid]).status().context("cannot run kill")?;
        if !sent.success() {
            bail!("process {pid} cannot be stopped: is it another user's?");
        }
        wait_until("the system to be down", Duration::from_secs(90), || Ok(running()?.is_none()))?;
        println!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

impl Status {
    pub fn run(&self) -> Result<ExitCode> {
        let Some(state) = running()? else {
            println!("the system is not up: `cargo xtask up` starts it");
            return Ok(ExitCode::FAILURE);
        };
        println!("{}", addresses(&state));
        for process in state["processes"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let (name, pid) = (process["name"].as_str().unwrap_or_default(), &process["pid"]);
            let state = if is_alive(&pid.to_string()) { "running" } else { "ended" };
            println!("  {name:<16}{pid:>8}  {state}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn state_file() -> PathBuf {
    workspace::root().join(".treaty/up.json")
}

/// What the running system has written about itself; `None` when there is none.
pub(crate) fn running() -> Result<Option<Value>> {
    let text = match std::fs::read_to_string(state_file()) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("reading .treaty/up.json"),
    };
    let state: Value = serde_json::from_str(&text).context("reading .treaty/up.json")?;
    Ok(is_alive(&state["pid"].to_string()).then_some(state))
}

fn is_alive(pid: &str) -> bool {
    let quiet = std::process::Stdio::null;
    let probe = Command::new("kill").args(["-0", pid]).stdout(quiet()).stderr(quiet()).status();
    probe.is_ok_and(|status| status.success())
}

/// Writes the state for `down` and `status`; the tokens in it are this run's own.
fn write_state(state: &Value) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let file = state_file();
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(&file, serde_json::to_vec_pretty(state)?)?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}

fn addresses(state: &Value) -> String {
    let text = |key: &str| state[key].as_str().unwrap_or_default().to_owned();
    [
        ("HTTP", format!("http://{}", text("http"))),
        ("reference", format!("http://{}/docs/", text("http"))),
        ("gRPC", text("grpc")),
        ("Strava simulator", format!("http://{}", text("strava"))),
        ("Postgres", text("postgres")),
        ("NATS", text("nats")),
        ("NATS monitoring", text("nats_monitoring")),
        ("Temporal", text("temporal")),
        ("Vault", text("vault")),
        ("operator token", text("operator_token")),
    ]
    .iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| format!("  {name:<18}{value}\n"))
    .collect()
}

/// Commands that a person would try next, ready to be pasted.
fn commands(state: &Value, athlete: Option<&String>) -> String {
    let text = |key: &str| state[key].as_str().unwrap_or_default();
    let (http, grpc, token) = (text("http"), text("grpc"), text("operator_token"));
    let athlete = athlete.map_or("ID", String::as_str);
    let nats = format!(
        "nats --server {} --user operations --password {}",
        text("nats"),
        text("nats_password")
    );
    let vault = match text("vault") {
        "" => String::new(),
        address => format!(
            "VAULT_ADDR={address} VAULT_TOKEN={} bao kv get secret/strava-credentials\n  ",
            text("vault_token")
        ),
    };
    format!(
        "Try:\n  \
         curl -H 'authorization: Bearer {token}' http://{http}/v1/totals\n  \
         curl -H 'authorization: Bearer {token}' 'http://{http}/v1/athletes/{athlete}/activities?pageSize=3'\n  \
         grpcurl -plaintext -H 'authorization: Bearer {token}' {grpc} stravasync.athletes.v1.AthletesService/ListAthletes\n  \
         {nats} stream info athlete\n  \
         {nats} consumer info athlete consumer-stravasync-sync-v1-SyncAthlete\n  \
         temporal --address {} schedule describe --schedule-id {}\n  \
         cargo xtask jobs list\n  \
         {vault}\
         psql '{}' -c 'SELECT count(*) FROM activities'\n",
        text("temporal"),
        stack::SCHEDULE,
        text("postgres"),
    )
}
