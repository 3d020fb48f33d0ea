//! A TCP proxy between a client and a server, for the trouble that networks make.

mod commands;
mod connection;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result};

use connection::Connection;

/// What happens to the bytes on their way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fault {
    /// They pass.
    #[default]
    None,
    /// Nothing passes in either direction, and connections stay as they are, as when a cable is
    /// pulled. What was on its way arrives when the fault ends. New connections are accepted.
    Blackhole,
    /// At most so many bytes a second pass, in each direction of each connection.
    Throttle {
        /// Bytes a second, 1 at least.
        bytes_per_second: u32,
    },
    /// New connections are closed at once; those that are there go on.
    Refuse,
    /// Of what NATS clients publish, messages whose subject begins so vanish, such as pull
    /// requests with `$JS.API.CONSUMER.MSG.NEXT.`; everything else passes. For a proxy
    /// [`TcpProxy::for_nats`] alone.
    SwallowPublishes {
        /// The beginning of their subjects.
        prefix: String,
    },
}

/// Passes connections on to a server. It listens on a free port of the loopback interface and ends
/// when it is dropped.
#[derive(Debug)]
pub struct TcpProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

/// What the proxy's threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    target: SocketAddr,
    /// Whether clients speak NATS's protocol, so that their messages can be told apart.
    nats: bool,
    state: Mutex<State>,
    changed: Condvar,
    swallowed: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    fault: Fault,
    stopped: bool,
    connections: Vec<Connection>,
}

impl TcpProxy {
    /// Listens for connections to `target`, whatever is spoken over them.
    pub fn start(target: SocketAddr) -> Result<Self> {
        Self::start_with(target, false)
    }

    /// Listens for connections to the NATS server at `target`, without TLS.
    pub fn for_nats(target: SocketAddr) -> Result<Self> {
        Self::start_with(target, true)
    }

    fn start_with(target: SocketAddr, nats: bool) -> Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listening for the proxy")?;
        let address = listener.local_addr().context("reading the proxy's address")?;
        let shared = Arc::new(Shared {
            target,
            nats,
            state: Mutex::default(),
            changed: Condvar::new(),
            swallowed: AtomicU64::new(0),
        });
        let for_thread = Arc::clone(&shared);
        let accepting = std::thread::Builder::new()
            .name("tcp-proxy".to_owned())
            .spawn(move || accept(&listener, &for_thread))
            .context("starting the proxy's thread")?;
        Ok(Self { shared, address, accepting: Some(accepting) })
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets this happen from now on, to connections that are there too.
    pub fn set(&self, fault: Fault) {
        self.shared.state().fault = fault;
        self.shared.changed.notify_all();
    }

    /// Ends every connection, on both sides.
    pub fn cut(&self) {
        for connection in self.shared.state().connections.drain(..) {
            connection.end();
        }
    }

    /// Connections that are there now.
    pub fn connections(&self) -> usize {
        let mut state = self.shared.state();
        state.connections.retain(Connection::is_open);
        state.connections.len()
    }

    /// Messages that [`Fault::SwallowPublishes`] has made vanish so far.
    pub fn swallowed(&self) -> u64 {
        self.shared.swallowed.load(Ordering::Relaxed)
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        self.shared.changed.notify_all();
        self.cut();
        // The accepting thread waits for a connection: this is one.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        self.cut();
    }
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault as it is, waiting out a black hole; none when the proxy has ended.
    pub(crate) fn fault(&self) -> Option<Fault> {
        let mut state = self.state();
        while state.fault == Fault::Blackhole && !state.stopped {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (!state.stopped).then(|| state.fault.clone())
    }

    pub(crate) fn speaks_nats(&self) -> bool {
        self.nats
    }

    pub(crate) fn count_swallowed(&self, messages: u64) {
        self.swallowed.fetch_add(messages, Ordering::Relaxed);
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.state().stopped {
            return;
        }
        let Ok(client) = client else { continue };
        if shared.state().fault == Fault::Refuse {
            continue;
        }
        // A server that is down refuses, and so do we by ending the client's connection.
        let Ok(server) = TcpStream::connect(shared.target) else { continue };
        if let Ok(connection) = Connection::start(client, server, shared) {
            let mut state = shared.state();
            state.connections.retain(Connection::is_open);
            state.connections.push(connection);
        }
    }
}
