//! The same handler behind each gateway.

mod by_hand;
mod ours;
mod theirs;

use std::io::Write;

use anyhow::Result;
use tokio::net::TcpListener;

/// A gateway that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// axum and serde, by hand.
    ByHand,
    /// rest_over_grpc on hyper.
    Theirs,
    /// Ours, straight into the handler.
    Bare,
    /// Ours with everything: access, validation, deadlines, log span, metrics.
    Whole,
}

impl Peer {
    pub const ALL: [Self; 4] = [Self::ByHand, Self::Theirs, Self::Bare, Self::Whole];

    pub fn name(self) -> &'static str {
        match self {
            Self::ByHand => "axum",
            Self::Theirs => "rest_over_grpc",
            Self::Bare => "treaty",
            Self::Whole => "treaty-whole",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::ByHand => "axum + serde by hand",
            Self::Theirs => "rest_over_grpc on hyper",
            Self::Bare => "Treaty, routes alone",
            Self::Whole => "Treaty with access, validation, deadlines, log span, metrics",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peer| peer.name() == name)
    }
}

/// Serves until the parent ends; tells it the port first.
pub fn serve(peer: Peer) -> Result<()> {
    // The level that services run at; what they would write goes nowhere.
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new("info"))
        .with_writer(std::io::sink)
        .init();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut output = std::io::stdout();
        writeln!(output, "{}", listener.local_addr()?.port())?;
        output.flush()?;
        // On the runtime's own thread, as every connection is.
        tokio::spawn(async move {
            match peer {
                Peer::ByHand => by_hand::serve(listener).await,
                Peer::Theirs => theirs::serve(listener).await,
                Peer::Bare => ours::serve(listener, false).await,
                Peer::Whole => ours::serve(listener, true).await,
            }
        })
        .await?
    })
}
