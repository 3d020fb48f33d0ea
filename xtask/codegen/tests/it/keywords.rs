//! Contracts whose names are words that Rust keeps for itself.

use tempfile::TempDir;

use crate::support;

const CONTRACT: &str = r#"syntax = "proto3";
package acme.words.v1;
import "treaty/v1/deployable.proto";
import "treaty/v1/event.proto";
import "treaty/v1/method.proto";
import "treaty/v1/workflow.proto";
option (treaty.v1.stream) = {name: "words" retention: RETENTION_LIMITS};
option (treaty.v1.deployable) = {
  name: "words"
  serves: ["acme.words.v1.TypeService"]
  publishes: ["acme.words.v1.Move"]
  handles: {event: "acme.words.v1.Move" max_deliver: 3}
  runs: ["acme.words.v1.LoopService"]
  starts: ["acme.words.v1.LoopService"]
};
message Move {
  option (treaty.v1.event) = {stream: "words" subject: "words.move"};
  string fn = 1;
}
service TypeService {
  rpc Async(Move) returns (Move) {
    option (treaty.v1.method) = {access: [ACCESS_PUBLIC]};
  }
}
service LoopService {
  option (treaty.v1.workflows) = {task_queue: "words"};
  rpc While(Move) returns (Move) {
    option (treaty.v1.workflow) = {};
  }
  rpc Break(Move) returns (Move) {
    option (treaty.v1.activity) = {start_to_close: {seconds: 1}};
  }
}
"#;

/// Emitters panic when what they write is no Rust.
#[test]
fn they_become_raw_identifiers() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().join("acme/words/v1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("words.proto"), CONTRACT).unwrap();
    let contracts = support::load(directory.path()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let files = support::generate(&contracts).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let port = files.iter().find(|file| file.path.ends_with("words-port/src/port.rs")).unwrap();
    let port = std::str::from_utf8(&port.contents).unwrap();
    for field in ["pub r#type: ", "pub r#move: ", "pub r#while: ", "async fn r#move("] {
        assert!(port.contains(field), "{field}:\n{port}");
    }
}
