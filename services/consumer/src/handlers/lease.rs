//! The lease that lets one sync of an athlete write.

use std::sync::Arc;
use std::time::Duration;

use consumer_port::sync_v1::{
    BeginSyncRequest, ListPosition, RenewSyncRequest, SyncAdmission, SyncAthlete, SyncService,
};
use treaty_error::{Code, Error, Result};
use treaty_nats::Delivery;
use treaty_rpc::Context;

/// What the lease lasts when the api does not say: a third of it is the time between two renewals.
const DEFAULT_LEASE_TIME: Duration = Duration::from_secs(60);

/// A lease, and where its sync is to read on.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) number: i64,
    pub(super) position: ListPosition,
    time: Duration,
}

/// What becomes of a job.
#[derive(Debug)]
pub(super) enum Begun {
    /// It has the lease.
    Lease(Lease),
    /// Nothing is left to do, for this reason.
    Nothing(SyncAdmission),
}

/// Asks for the lease.
pub(super) async fn begin(
    sync: &Arc<dyn SyncService>,
    context: &Context,
    delivery: &Delivery,
    job: &SyncAthlete,
) -> Result<Begun> {
    let request = BeginSyncRequest {
        athlete_id: job.athlete_id.clone(),
        request_id: job.request_id.clone(),
        reason: job.reason,
        request_time: job.request_time,
        full: job.full,
        holder: delivery.first_sequence.to_string(),
        attempt: i64::try_from(delivery.deliveries).unwrap_or(i64::MAX),
    };
    let response = sync.begin_sync(context, request).await?;
    match response.admission() {
        SyncAdmission::Admitted => {}
        nothing @ (SyncAdmission::Folded | SyncAdmission::Done) => {
            return Ok(Begun::Nothing(nothing));
        }
        SyncAdmission::Unspecified => return Err(strange("its admission")),
    }
    let session = response.session.ok_or_else(|| strange("a session"))?;
    let time = session.lease_time.and_then(|time| Duration::try_from(time).ok());
    Ok(Begun::Lease(Lease {
        number: session.lease,
        position: session.position.ok_or_else(|| strange("a position"))?,
        time: time.filter(|time| !time.is_zero()).unwrap_or(DEFAULT_LEASE_TIME),
    }))
}

fn strange(what: &str) -> Error {
    Error::new(Code::Internal, format!("BeginSync was answered without {what}"))
}

impl Lease {
    /// Renews it again and again; returns when somebody else has taken over.
    pub(super) async fn keep(
        &self,
        sync: &Arc<dyn SyncService>,
        context: &Context,
        athlete_id: &str,
    ) -> Error {
        loop {
            tokio::time::sleep(self.time / 3).await;
            let request =
                RenewSyncRequest { athlete_id: athlete_id.to_owned(), lease: self.number };
            let context = context.clone().with_deadline(self.time);
            match sync.renew_sync(&context, request).await {
                Ok(_) => {}
                Err(error) if error.code() == Code::Aborted => return error,
                // Whether it has been lost shows with the next page.
                Err(error) => {
                    tracing::warn!(error = error.chain(), "the lease was not renewed");
                }
            }
        }
    }
}
