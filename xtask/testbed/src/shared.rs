//! One server for all tests of a process.

use std::sync::OnceLock;

use anyhow::Result;

use crate::{NatsServer, Postgres, RunDirectory, Tools, fresh_name};

/// What a test process runs once. Statics are never dropped, so both parts rely on their pipes: the
/// server stops and the directory goes when the process ends.
struct Shared<T> {
    server: T,
    _directory: RunDirectory,
}

impl<T> Shared<T> {
    fn start(start: impl FnOnce(&Tools, &RunDirectory) -> Result<T>) -> Result<Self, String> {
        let shared = || {
            let directory = RunDirectory::disposable("treaty-test")?;
            let server = start(&Tools::new()?, &directory)?;
            Ok(Self { server, _directory: directory })
        };
        shared().map_err(|error: anyhow::Error| format!("{error:#}"))
    }
}

/// The Postgres that all tests of this process share, each in a database of its own.
///
/// # Panics
/// If it cannot be had: a test has no use for going on.
pub fn shared_postgres() -> &'static Postgres {
    static SHARED: OnceLock<Result<Shared<Postgres>, String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        Shared::start(|tools, directory| Postgres::start(tools, directory.path().join("postgres")))
    });
    match shared {
        Ok(shared) => &shared.server,
        Err(error) => panic!("no Postgres for the tests: {error}"),
    }
}

/// The nats-server that all tests of this process share, each with stream names of its own.
///
/// # Panics
/// If it cannot be had: a test has no use for going on.
pub fn shared_nats() -> &'static NatsServer {
    static SHARED: OnceLock<Result<Shared<NatsServer>, String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        Shared::start(|tools, directory| NatsServer::start(tools, directory.path().join("nats")))
    });
    match shared {
        Ok(shared) => &shared.server,
        Err(error) => panic!("no nats-server for the tests: {error}"),
    }
}

/// Creates an empty database on the shared Postgres: its name and URL.
///
/// # Panics
/// If it cannot be had: a test has no use for going on.
pub fn fresh_database(prefix: &str) -> (String, String) {
    let name = fresh_name(prefix);
    let postgres = shared_postgres();
    if let Err(error) = postgres.create_database(&name) {
        panic!("no database for the test: {error:#}");
    }
    let url = postgres.url(&name);
    (name, url)
}
