//! Who publishes which event.

use std::collections::BTreeMap;
use std::sync::Arc;

use treaty_error::{Code, Error};
use treaty_nats::{Outgoing, PublishOutgoing};

/// Who publishes which event.
#[derive(Clone, Default)]
pub struct Publishers {
    by_event: BTreeMap<&'static str, Arc<dyn PublishOutgoing>>,
}

impl Publishers {
    /// Adds the publisher of an event.
    #[must_use]
    pub fn with(mut self, publisher: Arc<dyn PublishOutgoing>) -> Self {
        self.by_event.insert(publisher.event(), publisher);
        self
    }

    pub(super) async fn publish(&self, outgoing: &Outgoing) -> Result<(), Error> {
        let publisher = self.by_event.get(outgoing.event.as_str()).ok_or_else(|| {
            let message = format!("nobody publishes {}", outgoing.event);
            Error::new(Code::Unimplemented, message)
        })?;
        publisher.publish_outgoing(outgoing).await.map(drop)
    }
}
