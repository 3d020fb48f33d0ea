//! What must not be shown is not, wherever a message goes.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use futures::StreamExt;
use tracing_subscriber::fmt::MakeWriter;
use treaty_rpc::{Context, stream_of};

use super::support::{Running, say};
use crate::echo_service::EchoService;
use crate::*;

const SECRET: &str = "xyzzy-hunter2";

fn secretive(text: &str) -> SayRequest {
    SayRequest { secret: SECRET.to_owned(), ..say(text) }
}

#[test]
fn debug_hides_secrets_in_every_corner_of_a_message() {
    let vault = |choice| Vault {
        nested: Some(secretive("nested")),
        list: vec![secretive("listed")],
        by_name: BTreeMap::from([("name".to_owned(), secretive("named"))]),
        secrets: BTreeMap::from([("key".to_owned(), SECRET.to_owned())]),
        choice: Some(choice),
    };
    let password = vault(vault::Choice::Password(SECRET.to_owned()));
    let said = vault(vault::Choice::Said(secretive("said")));
    for shown in [format!("{password:?}"), format!("{password:#?}"), format!("{said:?}")] {
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("[redacted]"), "{shown}");
        for open in ["nested", "listed", "named"] {
            assert!(shown.contains(open), "{shown}");
        }
    }
}

/// Keeps everything that is logged on one thread, at every level and of every library.
#[derive(Clone)]
struct Log {
    thread: ThreadId,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if thread::current().id() == self.thread {
            self.bytes.lock().unwrap().extend(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn calls_leave_no_secret_in_log_or_trace() {
    let log = Log { thread: thread::current().id(), bytes: Arc::default() };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(log.clone())
        .finish();
    // The test's runtime is this one thread, so that client, server and transport all
    // speak on it. The subscriber is everybody's, because what a thread without one
    // reaches first would stay silent on this one too.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let server = Running::start().await;
    let echo = server.client();
    let context = Context::background();
    assert_eq!(echo.say(&context, secretive("hello")).await.unwrap().secret, SECRET);
    for told in ["refuse", "panic"] {
        let error = echo.say(&context, secretive(told)).await.unwrap_err();
        assert!(!format!("{error:?} {}", error.chain()).contains(SECRET));
        tracing::error!(?error, request = ?secretive(told), "as careless code would log it");
        let stream = || stream_of([secretive("x"), secretive(told)]);
        echo.collect(&context, stream()).await.unwrap_err();
        let answers = echo.converse(&context, stream()).await.unwrap();
        answers.for_each(|answer| async move { tracing::info!(?answer, "heard") }).await;
    }
    let log = String::from_utf8(log.bytes.lock().unwrap().clone()).unwrap();
    for expected in ["call failed", "call refused", "as careless code", "rpc.client", "[redacted]"]
    {
        assert!(log.contains(expected), "no `{expected}` in the log");
    }
    let leak = log.lines().find(|line| line.contains(SECRET));
    assert_eq!(leak, None);
}
