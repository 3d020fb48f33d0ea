//! Server CPU per request of one handler behind several gateways, in one run.
//!
//! Each gateway is a process of its own, asked over the same connections by the same
//! loader; the kernel says what it used. Rounds go from one to the next, so that a busy
//! moment of the machine meets all, and medians are compared.

/// An activity as every gateway answers with; two of them are about 1 kB of JSON.
macro_rules! activity {
    ($type:ident, $athlete_id:expr) => {
        $type {
            activity_id: "12345678901".to_owned(),
            athlete_id: $athlete_id,
            name: "Morning ride".to_owned(),
            sport_type: "GravelRide".to_owned(),
            distance: 28099.5,
            moving_time: 4207,
            elapsed_time: 4410,
            total_elevation_gain: 516.25,
            start_date: "2026-05-02T12:15:09Z".to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            average_speed: 6.679,
            max_speed: 18.5,
            average_heartrate: 140.3,
            max_heartrate: 178.5,
            commute: true,
            gear_id: "b12345678987".to_owned(),
            description: "Through the woods, with a stop for a coffee at the lake".to_owned(),
            kudos_count: 19,
        }
    };
}

mod load;
mod servers;

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use bench_timed::median;

use load::Request;
use servers::Peer;

const CONNECTIONS: usize = 32;
const ROUNDS: usize = 11;
const WARM_UP: usize = 10_000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("serve"), Some(name)) => servers::serve(Peer::named(&name).context("no such peer")?),
        (None, _) => measure(20_000),
        (Some(count), None) => measure(count.parse().context("a number of requests")?),
        _ => bail!("usage: bench-http [REQUESTS]"),
    }
}

/// A server process, ended with this value.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(peer: Peer) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", peer.name()])
            // glibc's allocator gives memory back and takes it again in two rhythms, by
            // chance; with these it keeps it, and figures repeat.
            .envs([("MALLOC_TRIM_THRESHOLD_", "134217728"), ("MALLOC_TOP_PAD_", "67108864")])
            .stdout(Stdio::piped())
            .stdin(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().context("a pipe")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)?;
        Ok(Self { child, port: line.trim().parse().context("a port")? })
    }

    /// Processor time so far, in microseconds.
    fn cpu_micros(&self) -> Result<u64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()))?;
        let mut nanos = 0;
        for task in tasks {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            nanos += text.split(' ').next().context("a figure")?.parse::<u64>()?;
        }
        Ok(nanos / 1000)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn measure(requests: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let peers = Peer::ALL;
    let servers = peers.iter().map(|peer| Server::start(*peer)).collect::<Result<Vec<_>>>()?;
    let mut table = vec![[Vec::new(), Vec::new()]; peers.len()];
    for (server, peer) in servers.iter().zip(peers) {
        for request in Request::ALL {
            let answer = runtime.block_on(load::once(server.port, request))?;
            eprintln!("{:>16} {:>4}: {} B answer", peer.name(), request.name(), answer);
            runtime.block_on(load::run(server.port, request, WARM_UP, CONNECTIONS))?;
        }
    }
    for round in 0..ROUNDS {
        eprintln!("round {} of {ROUNDS}", round + 1);
        for ((server, figures), _) in servers.iter().zip(&mut table).zip(peers) {
            for (request, figures) in Request::ALL.into_iter().zip(figures) {
                let before = server.cpu_micros()?;
                runtime.block_on(load::run(server.port, request, requests, CONNECTIONS))?;
                let used = server.cpu_micros()? - before;
                figures.push(used as f64 / requests as f64);
            }
        }
    }
    let medians: Vec<[f64; 2]> = table.into_iter().map(|figures| figures.map(median)).collect();
    print(&peers, &medians);
    judge(&medians)
}

/// What the gateway is allowed to cost, as a part of what its peers do.
fn judge(medians: &[[f64; 2]]) -> Result<()> {
    let [by_hand, theirs, bare, whole] = medians else { bail!("not every gateway was measured") };
    let mut dear = Vec::new();
    for (index, request) in Request::ALL.into_iter().enumerate() {
        for (what, ours, limit) in [
            ("1.1 times axum by hand", bare[index], by_hand[index] * 1.1),
            ("rest_over_grpc", bare[index], theirs[index]),
            ("1.15 times the routes alone", whole[index], bare[index] * 1.15),
        ] {
            if ours > limit {
                let name = request.name();
                dear.push(format!("{name} takes {ours:.2} µs, more than {what}: {limit:.2} µs"));
            }
        }
    }
    if dear.is_empty() { Ok(()) } else { bail!("{}", dear.join("; ")) }
}

fn print(peers: &[Peer], medians: &[[f64; 2]]) {
    let [get, post] = medians[0];
    println!("server CPU per request, median of {ROUNDS} rounds, {CONNECTIONS} connections");
    println!("| gateway | GET µs | to axum | POST µs | to axum |\n| --- | --- | --- | --- | --- |");
    for (peer, figures) in peers.iter().zip(medians) {
        let [one, other] = *figures;
        println!(
            "| {} | {one:.2} | {:.2} | {other:.2} | {:.2} |",
            peer.title(),
            one / get,
            other / post
        );
    }
}
