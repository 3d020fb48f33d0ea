//! The binary: it says where it listens, serves, and ends on SIGTERM.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn the_binary_writes_its_address_and_ends_on_sigterm() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("address");
    let mut child = Command::new(env!("CARGO_BIN_EXE_strava-sim"))
        .args(["--listen", "127.0.0.1:0", "--client-secret", "s", "--unlimited", "--athletes", "2"])
        .arg("--write-address")
        .arg(&file)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let address = loop {
        if let Ok(address) = std::fs::read_to_string(&file) {
            break address;
        }
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none());
        std::thread::yield_now();
    };
    assert!(std::net::TcpStream::connect(address.trim()).is_ok());
    let signalled = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(signalled.unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_secret_is_asked_for_by_name() {
    let output = Command::new(env!("CARGO_BIN_EXE_strava-sim"))
        .env_remove("STRAVA_SIM_CLIENT_SECRET")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--client-secret"));
}
