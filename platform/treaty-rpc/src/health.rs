//! The standard health service, answered by what the process says of itself.

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Says whether the server wants calls. A server serves from the start; it stops
/// by itself on shutdown, before it closes its connections.
#[derive(Clone, Debug)]
pub struct Health {
    reporter: HealthReporter,
    services: Vec<&'static str>,
}

impl Health {
    pub(crate) fn new() -> Self {
        // The empty name stands for the server as a whole; the reporter declares it
        // serving.
        Self { reporter: HealthReporter::new(), services: Vec::new() }
    }

    pub(crate) fn reporter(&self) -> HealthReporter {
        self.reporter.clone()
    }

    pub(crate) fn add(&mut self, service: &'static str) {
        self.services.push(service);
    }

    /// Declares the server as a whole, and every service of it, ready or not.
    pub async fn set_serving(&self, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.reporter.set_service_status("", status).await;
        for service in &self.services {
            self.reporter.set_service_status(service, status).await;
        }
    }
}
