//! A server of a test's own, to be broken.

use std::net::SocketAddr;
use std::path::PathBuf;

use testbed::{NatsOptions, NatsServer, RunDirectory, Tools};
use treaty_nats::{Connection, NatsConfig, connect};

/// A server with what it keeps.
pub(super) struct Broker {
    server: Option<NatsServer>,
    /// Removed with the process.
    _directory: RunDirectory,
}

impl Broker {
    pub(super) async fn start(name: &str) -> Self {
        Self::start_with(name, NatsOptions::default()).await
    }

    pub(super) async fn start_with(name: &str, options: NatsOptions) -> Self {
        let directory = RunDirectory::disposable(name).unwrap();
        let path: PathBuf = directory.path().join("nats");
        let started = tokio::task::spawn_blocking(move || {
            NatsServer::start_with(&Tools::new().unwrap(), path, &options).unwrap()
        });
        Self { server: Some(started.await.unwrap()), _directory: directory }
    }

    pub(super) fn url(&self) -> String {
        self.server.as_ref().unwrap().url()
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.url().strip_prefix("nats://").unwrap().parse().unwrap()
    }

    pub(super) async fn connect(&self) -> Connection {
        connect(&NatsConfig::new(self.url())).await.unwrap()
    }

    /// Does something to the server that blocks.
    pub(super) async fn with<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut NatsServer) -> T + Send + 'static,
    ) -> T {
        let mut server = self.server.take().unwrap();
        let acting = tokio::task::spawn_blocking(move || {
            let came = act(&mut server);
            (server, came)
        });
        let (server, came) = acting.await.unwrap();
        self.server = Some(server);
        came
    }

    pub(super) async fn stop(mut self) {
        let server = self.server.take().unwrap();
        tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
    }
}
