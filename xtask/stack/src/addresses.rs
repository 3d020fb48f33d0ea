//! Where the parts of the system listen.

use std::net::SocketAddr;

use crate::launch::{ApiPorts, Peers};

/// Where everything listens.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The api's HTTP side; the first's of several.
    pub http: SocketAddr,
    /// The HTTP side of each api.
    pub each_http: Vec<SocketAddr>,
    /// The api's gRPC side; the first's of several.
    pub grpc: SocketAddr,
    /// The gRPC side of each api.
    pub each_grpc: Vec<SocketAddr>,
    /// The Strava simulator.
    pub strava: SocketAddr,
    /// Postgres, with user, password and database.
    pub postgres: String,
    /// NATS.
    pub nats: String,
    /// NATS's monitoring.
    pub nats_monitoring: String,
    /// Temporal's frontend.
    pub temporal: String,
}

impl Addresses {
    pub(crate) fn of(ports: &[ApiPorts], peers: &Peers, nats_monitoring: String) -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            http: local(ports[0].http),
            each_http: ports.iter().map(|ports| local(ports.http)).collect(),
            grpc: local(ports[0].grpc),
            each_grpc: ports.iter().map(|ports| local(ports.grpc)).collect(),
            strava: peers.strava,
            postgres: peers.postgres.clone(),
            nats: peers.nats.clone(),
            nats_monitoring,
            temporal: peers.temporal.clone(),
        }
    }
}
