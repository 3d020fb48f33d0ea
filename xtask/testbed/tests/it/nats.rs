use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use testbed::{NatsOptions, NatsServer, RunDirectory, Tools, shared_nats};

/// Sends a request in NATS's own text protocol and gives the payload of the reply.
fn request(server: &NatsServer, subject: &str, payload: &str) -> String {
    let url = server.url();
    let mut stream = TcpStream::connect(url.strip_prefix("nats://").unwrap()).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("INFO"), "{line}");
    let size = payload.len();
    write!(
        stream,
        "CONNECT {{\"verbose\":false}}\r\nSUB reply 1\r\nPUB {subject} reply {size}\r\n{payload}\r\n"
    )
    .unwrap();
    loop {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "no reply to {subject}");
        if line.starts_with("MSG") {
            line.clear();
            reader.read_line(&mut line).unwrap();
            return line;
        }
    }
}

#[test]
fn jetstream_is_there() {
    let server = shared_nats();
    assert!(request(server, "$JS.API.INFO", "").contains("account_info_response"));
    assert!(server.monitoring("/jsz").unwrap().contains("\"store_dir\""));
    assert!(server.monitoring("/nothing").is_err());
}

#[test]
fn streams_survive_restart_and_crash() {
    let run = RunDirectory::create("testbed-it").unwrap();
    let options = NatsOptions { durable: true, ..NatsOptions::default() };
    let tools = Tools::new().unwrap();
    let mut server = NatsServer::start_with(&tools, run.path().join("nats"), &options).unwrap();
    let created = request(
        &server,
        "$JS.API.STREAM.CREATE.kept",
        r#"{"name":"kept","subjects":["kept.>"],"storage":"file"}"#,
    );
    assert!(created.contains("\"did_create\":true"), "{created}");
    let url = server.url();
    for restart in [NatsServer::restart, NatsServer::crash_and_restart] {
        assert!(request(&server, "kept.one", "x").contains("\"stream\":\"kept\""));
        restart(&mut server).unwrap();
    }
    assert_eq!(server.url(), url);
    let info = request(&server, "$JS.API.STREAM.INFO.kept", "");
    assert!(info.contains("\"messages\":2"), "{info}");
    server.stop();
    run.succeeded().unwrap();
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let run = RunDirectory::disposable("testbed-it").unwrap();
    let options = NatsOptions { configuration: "nonsense {".to_owned(), ..Default::default() };
    let error = NatsServer::start_with(&Tools::new().unwrap(), run.path(), &options).unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("nats-server did not start") && text.contains("Parse error"), "{text}");
}
