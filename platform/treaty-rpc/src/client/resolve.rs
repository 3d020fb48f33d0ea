//! Which addresses a name stands for, asked again and again.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::address::{Name, Place};
use super::pool::Shared;

/// Shortest time between two lookups of a name: what fails does not make them more.
const PAUSE: Duration = Duration::from_millis(500);

/// Finds the addresses of names. The system's own resolver is the default; a test
/// gives its own.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of a host, with the port to connect to.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// What the operating system knows.
pub(super) struct System;

impl Resolve for System {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Keeps the places of one name up to date until `stop`: at once, then at each interval,
/// and sooner when a connection is lost.
///
/// While the name cannot be looked up, the places that were found last stay.
pub(super) async fn follow(
    shared: Arc<Shared>,
    index: usize,
    name: Name,
    resolver: Arc<dyn Resolve>,
    stop: CancellationToken,
) {
    let mut trouble = false;
    loop {
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            asked = lookup(&*resolver, &name, shared.settings.connect_timeout) => asked,
        };
        if asked.is_err() != trouble {
            trouble = asked.is_err();
            match &asked {
                Err(error) => {
                    tracing::warn!(host = name.host, %error, "a name cannot be looked up")
                }
                Ok(_) => tracing::info!(host = name.host, "the name can be looked up again"),
            }
        }
        shared.found(index, asked.map(|found| places(&found, &name)));
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(shared.settings.resolve_interval) => {}
            () = shared.look_up_again(index) => {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
}

fn places(found: &[SocketAddr], name: &Name) -> Vec<Place> {
    found
        .iter()
        .map(|at| Place { connect: at.to_string(), authority: name.authority.clone() })
        .collect()
}

async fn lookup(
    resolver: &dyn Resolve,
    name: &Name,
    limit: Duration,
) -> io::Result<Vec<SocketAddr>> {
    let asked = tokio::time::timeout(limit, resolver.resolve(&name.host, name.port)).await;
    let mut found = asked.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
