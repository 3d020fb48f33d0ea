//! Syncs as the contract shows them.

use api_port::sync_v1 as proto;
use api_port::well_known::Duration;
use async_trait::async_trait;
use treaty_error::{Error, Result};
use treaty_rpc::Context;

use super::Syncs;
use super::model::{Admission, Job, ListPosition, Outcome};
use crate::convert;

/// Answers `SyncService`.
pub struct SyncRpc {
    service: Syncs,
}

impl SyncRpc {
    /// Over the rules.
    #[must_use]
    pub fn new(service: Syncs) -> Self {
        Self { service }
    }
}

#[async_trait]
impl proto::SyncService for SyncRpc {
    async fn begin_sync(
        &self,
        _context: &Context,
        request: proto::BeginSyncRequest,
    ) -> Result<proto::BeginSyncResponse> {
        let admission = self.service.begin(&job(request)?).await?;
        let (admission, session) = match admission {
            Admission::Admitted(session) => {
                (proto::SyncAdmission::Admitted, Some(self.session(session)))
            }
            Admission::Folded => (proto::SyncAdmission::Folded, None),
            Admission::Done => (proto::SyncAdmission::Done, None),
        };
        Ok(proto::BeginSyncResponse { admission: admission.into(), session })
    }

    async fn renew_sync(
        &self,
        _context: &Context,
        request: proto::RenewSyncRequest,
    ) -> Result<proto::RenewSyncResponse> {
        self.service.renew(convert::athlete_id(&request.athlete_id)?, request.lease).await?;
        Ok(proto::RenewSyncResponse {})
    }

    async fn end_sync(
        &self,
        _context: &Context,
        request: proto::EndSyncRequest,
    ) -> Result<proto::EndSyncResponse> {
        let outcome = match request.outcome() {
            proto::SyncOutcome::Succeeded => Outcome::Succeeded,
            proto::SyncOutcome::NeedsConsent => Outcome::NeedsConsent,
            proto::SyncOutcome::Unspecified => {
                return Err(Error::invalid_field("outcome", "is none that we know"));
            }
        };
        let athlete_id = convert::athlete_id(&request.athlete_id)?;
        let ended =
            self.service.end(athlete_id, &request.request_id, request.lease, outcome).await?;
        tracing::info!(
            athlete.id = %athlete_id,
            request.id = request.request_id,
            outcome = outcome.as_str(),
            activities = ended.activities,
            inserted = ended.inserted,
            deleted = ended.deleted,
            follow_up = ended.follow_up,
            "a sync has ended"
        );
        Ok(proto::EndSyncResponse {
            activities: ended.activities,
            inserted: ended.inserted,
            deleted: ended.deleted,
            follow_up: ended.follow_up,
        })
    }

    async fn get_sync_state(
        &self,
        _context: &Context,
        request: proto::GetSyncStateRequest,
    ) -> Result<proto::GetSyncStateResponse> {
        let athlete_id = convert::athlete_id(&request.athlete_id)?;
        let state = self.service.state(athlete_id).await?;
        let state = proto::SyncState {
            athlete_id: athlete_id.to_string(),
            running: state.running,
            walking: state.walking,
            synced_up_to_time: state.synced_up_to.map(convert::timestamp),
            last_full_walk_time: state.last_full_walk_at.map(convert::timestamp),
            wanted: state.wanted,
        };
        Ok(proto::GetSyncStateResponse { state: Some(state) })
    }
}

impl SyncRpc {
    fn session(&self, session: super::Session) -> proto::SyncSession {
        let lease_time = self.service.settings().lease_time;
        proto::SyncSession {
            lease: session.lease,
            lease_time: Some(Duration {
                seconds: i64::try_from(lease_time.as_secs()).unwrap_or(i64::MAX),
                nanos: i32::try_from(lease_time.subsec_nanos()).unwrap_or(0),
            }),
            position: Some(session.position.into()),
        }
    }
}

fn job(request: proto::BeginSyncRequest) -> Result<Job> {
    let requested_at = match request.request_time.as_ref() {
        None => None,
        Some(time) => Some(
            convert::time(time)
                .ok_or_else(|| Error::invalid_field("request_time", "must be a time"))?,
        ),
    };
    Ok(Job {
        athlete_id: convert::athlete_id(&request.athlete_id)?,
        reason: request.reason(),
        request_id: request.request_id,
        requested_at,
        full: request.full,
        holder: request.holder,
        attempt: request.attempt,
    })
}

impl From<proto::ListPosition> for ListPosition {
    fn from(position: proto::ListPosition) -> Self {
        Self { after: position.after, before: position.before, page: position.page }
    }
}

impl From<ListPosition> for proto::ListPosition {
    fn from(position: ListPosition) -> Self {
        Self { after: position.after, before: position.before, page: position.page }
    }
}
