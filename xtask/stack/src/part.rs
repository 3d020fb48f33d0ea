//! What can be done to one process of the running system.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use testbed::process::Memory;
use testbed::{Leashed, Signal, http};

use crate::Stack;
use crate::start::Service;

/// How long a process may take to end; the longest grace of a service is 30 s.
const END: Duration = Duration::from_secs(45);

/// A process of the system. Those of which there are several are numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// An api.
    Api(usize),
    /// A consumer.
    Consumer(usize),
    /// The worker.
    Worker,
    /// The Postgres server.
    Postgres,
    /// The NATS server.
    Nats,
    /// The Temporal server.
    Temporal,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(index) => write!(f, "api-{}", index + 1),
            Self::Consumer(index) => write!(f, "consumer-{}", index + 1),
            Self::Worker => f.write_str("worker"),
            Self::Postgres => f.write_str("postgres"),
            Self::Nats => f.write_str("nats-server"),
            Self::Temporal => f.write_str("temporal"),
        }
    }
}

/// How a process ended that was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its exit code; 128 and the signal's number when a signal ended it.
    pub code: i32,
    /// From the signal to the end.
    pub took: Duration,
}

impl Stack {
    /// Kills a process with SIGKILL, as a failing machine would, and waits until it is gone.
    ///
    /// # Errors
    /// When there is no such process, or it does not die.
    pub fn kill(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Nats => self.nats.crash(),
            Part::Temporal => self.temporal.crash(),
            part => {
                let process = self.process(part)?;
                process.signal(Signal::Kill)?;
                process.wait_ended(END).map(drop)
            }
        }
    }

    /// Asks a process to stop, with SIGTERM, and waits until it has.
    ///
    /// # Errors
    /// When there is no such process, or it does not end in 45 s.
    pub fn terminate(&mut self, part: Part) -> Result<Ending> {
        let process = self.process(part)?;
        let started = Instant::now();
        process.signal(Signal::Term)?;
        let code = process.wait_ended(END)?;
        Ok(Ending { code, took: started.elapsed() })
    }

    /// Stops Postgres at once, without a checkpoint, and leaves it down.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_database(&mut self) -> Result<()> {
        self.postgres.stop_immediately()
    }

    /// Starts a process that has ended, with the ports and data that it had.
    ///
    /// # Errors
    /// When there is no such process, or it does not start; the end of its log is part of the
    /// message.
    pub fn start_again(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Postgres => return self.postgres.start_again(),
            Part::Nats => return self.nats.start_again(),
            Part::Temporal => return self.temporal.start_again(),
            Part::Api(_) | Part::Consumer(_) | Part::Worker => {}
        }
        if self.process(part)?.is_running() {
            bail!("{part} runs already");
        }
        let plan = self.plan();
        let started = match part {
            Part::Api(index) => {
                let ports = self.ports[index];
                let health = SocketAddr::from(([127, 0, 0, 1], ports.http));
                Service::new((plan.api(index + 1, ports, &self.peers)?, health))
            }
            Part::Consumer(index) => Service::new(plan.consumer(index + 1, &self.peers)?),
            _ => Service::new(plan.worker(&self.peers)?),
        };
        *self.service(part)? = started;
        Ok(())
    }

    /// Freezes a process, with all that is below it: SIGSTOP, as a long pause of its machine.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn freeze(&mut self, part: Part) -> Result<()> {
        self.process(part)?.freeze()
    }

    /// Lets a frozen process go on.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn thaw(&mut self, part: Part) -> Result<()> {
        self.process(part)?.thaw()
    }

    /// Whether a process runs, be it frozen.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn is_running(&mut self, part: Part) -> Result<bool> {
        Ok(self.process(part)?.is_running())
    }

    /// How much memory a process has.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn memory(&mut self, part: Part) -> Result<Memory> {
        self.process(part)?.memory()
    }

    /// Whether a service says that it is ready. One that does not answer is not.
    ///
    /// # Errors
    /// When there is no such service.
    pub fn is_ready(&mut self, part: Part) -> Result<bool> {
        let address = self.service(part)?.health;
        Ok(http::get(address, "/readyz").is_ok_and(|(status, _)| status == 200))
    }

    /// The services: apis, consumers and the worker.
    #[must_use]
    pub fn services(&self) -> Vec<Part> {
        let apis = (0..self.apis.len()).map(Part::Api);
        let consumers = (0..self.consumers.len()).map(Part::Consumer);
        apis.chain(consumers).chain([Part::Worker]).collect()
    }

    fn service(&mut self, part: Part) -> Result<&mut Service> {
        let service = match part {
            Part::Api(index) => self.apis.get_mut(index),
            Part::Consumer(index) => self.consumers.get_mut(index),
            Part::Worker => Some(&mut self.worker),
            Part::Postgres | Part::Nats | Part::Temporal => None,
        };
        service.with_context(|| format!("there is no service {part}"))
    }

    fn process(&mut self, part: Part) -> Result<&mut Leashed> {
        Ok(match part {
            Part::Postgres => self.postgres.process(),
            Part::Nats => self.nats.process(),
            Part::Temporal => self.temporal.process(),
            part => &mut self.service(part)?.process,
        })
    }
}
