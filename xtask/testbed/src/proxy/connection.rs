//! One connection through the proxy.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::commands::Commands;
use super::{Fault, Shared};

/// A throttled connection sends a piece so often.
const THROTTLE_STEPS: u32 = 20;

/// Both sides of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    client: TcpStream,
    server: TcpStream,
    open: Arc<AtomicBool>,
}

impl Connection {
    /// Passes bytes both ways until one side ends.
    pub(super) fn start(
        client: TcpStream,
        server: TcpStream,
        shared: &Arc<Shared>,
    ) -> io::Result<Self> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let open = Arc::new(AtomicBool::new(true));
        let up = Pump::new(&client, &server, shared, &open)?;
        let down = Pump::new(&server, &client, shared, &open)?;
        let commands = shared.speaks_nats().then(Commands::default);
        spawn(move || up.pump(commands))?;
        spawn(move || down.pump(None))?;
        Ok(Self { client, server, open })
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    pub(super) fn end(self) {
        // A side that has ended by itself needs no end.
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name("tcp-proxy-pump".to_owned()).spawn(work).map(drop)
}

/// One direction.
struct Pump {
    from: TcpStream,
    to: TcpStream,
    shared: Arc<Shared>,
    open: Arc<AtomicBool>,
}

impl Pump {
    fn new(
        from: &TcpStream,
        to: &TcpStream,
        shared: &Arc<Shared>,
        open: &Arc<AtomicBool>,
    ) -> io::Result<Self> {
        Ok(Self {
            from: from.try_clone()?,
            to: to.try_clone()?,
            shared: Arc::clone(shared),
            open: Arc::clone(open),
        })
    }

    /// With `commands` the bytes are taken for what a NATS client sends.
    fn pump(mut self, mut commands: Option<Commands>) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = self.from.read(&mut buffer) {
            let Some(fault) = self.shared.fault() else { break };
            let bytes = match (&fault, &mut commands) {
                (Fault::SwallowPublishes { prefix }, Some(commands)) => {
                    let (rest, swallowed) = commands.without(&buffer[..length], prefix);
                    self.shared.count_swallowed(swallowed);
                    Cow::Owned(rest)
                }
                (_, Some(commands)) => Cow::Owned(commands.all(&buffer[..length])),
                (_, None) => Cow::Borrowed(&buffer[..length]),
            };
            let passed = match fault {
                Fault::Throttle { bytes_per_second } => {
                    trickle(&mut self.to, &self.shared, &bytes, bytes_per_second)
                }
                _ => self.to.write_all(&bytes),
            };
            if passed.is_err() {
                break;
            }
        }
        self.open.store(false, Ordering::Release);
        let _ = self.from.shutdown(Shutdown::Both);
        let _ = self.to.shutdown(Shutdown::Both);
    }
}

fn trickle(to: &mut TcpStream, shared: &Shared, bytes: &[u8], a_second: u32) -> io::Result<()> {
    let steps = a_second.clamp(1, THROTTLE_STEPS);
    let step = (a_second / steps).max(1) as usize;
    for piece in bytes.chunks(step) {
        to.write_all(piece)?;
        std::thread::sleep(Duration::from_secs(1) / steps);
        if shared.fault().is_none() {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
    Ok(())
}
