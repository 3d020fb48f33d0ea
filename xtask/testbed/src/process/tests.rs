use std::fs;
use std::io::{BufRead, BufReader};

use super::*;

fn exists(pid: u32) -> bool {
    Command::new("kill")
        .args(["-0", &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn wait_gone(pid: u32) {
    wait_until("the process to be gone", Duration::from_secs(10), || Ok(!exists(pid))).unwrap();
}

fn sleeper(log: &Path) -> Leashed {
    Launch::new("sleeper", "sleep").arg("1000").start(log).unwrap()
}

#[test]
fn dropping_the_handle_stops_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut leashed = sleeper(&dir.path().join("log"));
    let pid = leashed.pid();
    assert!(leashed.is_running() && exists(pid));
    drop(leashed);
    assert!(!exists(pid));
}

#[test]
fn a_process_that_ignores_its_stop_signal_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let mut stubborn = Launch::new("stubborn", "sh")
        .args(["-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"])
        .grace(Duration::from_millis(300))
        .start(&log)
        .unwrap();
    stubborn
        .wait_ready(Duration::from_secs(5), || Ok(fs::read_to_string(&log)?.contains("ready\n")))
        .unwrap();
    let pid = stubborn.pid();
    stubborn.stop();
    assert!(!exists(pid));
}

#[test]
fn a_frozen_process_is_stopped_too() {
    let dir = tempfile::tempdir().unwrap();
    let leashed = sleeper(&dir.path().join("log"));
    leashed.signal(Signal::Stop).unwrap();
    let pid = leashed.pid();
    leashed.stop();
    assert!(!exists(pid));
}

fn state(pid: u32) -> String {
    let output = Command::new("ps").args(["-o", "state=", "-p", &pid.to_string()]).output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
}

#[test]
fn freezing_takes_the_processes_below_too_and_thawing_lets_them_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let mut parent = Launch::new("parent", "sh")
        .args(["-c", "sleep 1000 & echo child $!; wait"])
        .start(&log)
        .unwrap();
    let child =
        || fs::read_to_string(&log).ok()?.lines().last()?.strip_prefix("child ")?.parse().ok();
    parent.wait_ready(Duration::from_secs(5), || Ok(child().is_some())).unwrap();
    let both: [u32; 2] = [parent.pid(), child().unwrap()];
    parent.freeze().unwrap();
    wait_until("both to be frozen", Duration::from_secs(5), || {
        Ok(both.iter().all(|pid| state(*pid).starts_with('T')))
    })
    .unwrap();
    parent.thaw().unwrap();
    wait_until("both to go on", Duration::from_secs(5), || {
        Ok(both.iter().all(|pid| state(*pid).starts_with('S')))
    })
    .unwrap();
    parent.stop();
    // The child was not ours to stop: it is the shell's.
    send(both[1], Signal::Kill).unwrap();
}

#[test]
fn a_signal_reaches_the_command_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut leashed = sleeper(&dir.path().join("log"));
    leashed.signal(Signal::Kill).unwrap();
    assert_eq!(leashed.wait_ended(Duration::from_secs(5)).unwrap(), 128 + 9);
    assert!(leashed.signal(Signal::Term).is_err());
}

#[test]
fn only_the_told_environment_is_passed() {
    let dir = tempfile::tempdir().unwrap();
    let mut leashed = Launch::new("env", "sh")
        .args(["-c", "echo \"told=$TOLD leaked=$CARGO_PKG_NAME\""])
        .env("TOLD", "yes; $(no)")
        .start(dir.path().join("log"))
        .unwrap();
    assert_eq!(leashed.wait_ended(Duration::from_secs(5)).unwrap(), 0);
    assert!(leashed.tail(1).contains("told=yes; $(no) leaked="), "{}", leashed.tail(5));
    assert!(leashed.tail(1).ends_with("leaked="), "{}", leashed.tail(5));
}

#[test]
fn a_failed_start_shows_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut leashed = Launch::new("broken", "sh")
        .args(["-c", "echo no such luck; exit 3"])
        .start(dir.path().join("log"))
        .unwrap();
    let error = leashed.wait_ready(Duration::from_secs(5), || Ok(false)).unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("no such luck") && text.contains("exit code 3"), "{text}");
}

/// Runs the leash under a shell that stands for us, kills that shell with SIGKILL, and expects the
/// leashed command to go.
#[test]
fn nothing_outlives_a_killed_holder() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("leash.sh");
    fs::write(&script, include_str!("leash.sh")).unwrap();
    let holder = format!(
        "mkfifo {dir}/leash; sh {dir}/leash.sh TERM 20 sleep 1000 <{dir}/leash & \
         exec 8>{dir}/leash; while :; do sleep 0.1; done",
        dir = dir.path().display(),
    );
    let mut parent = Command::new("sh")
        .args(["-c", &holder])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let pid: u32 = line.trim().parse().unwrap();
    assert!(exists(pid));
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_gone(pid);
}
