//! The quota as the contract shows it.

use api_port::quota_v1 as proto;
use api_port::well_known::Duration as DurationMessage;
use async_trait::async_trait;
use treaty_error::{Error, Result};
use treaty_rpc::Context;

use super::{Asked, Count, Counts, Priority, Quota, Reservation, Usage, WaitReason};
use crate::convert;

/// Answers `QuotaService`.
pub struct QuotaRpc {
    quota: Quota,
}

impl QuotaRpc {
    /// Over the rules.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self { quota }
    }
}

#[async_trait]
impl proto::QuotaService for QuotaRpc {
    async fn reserve_calls(
        &self,
        _context: &Context,
        request: proto::ReserveCallsRequest,
    ) -> Result<proto::ReserveCallsResponse> {
        let priority = match request.priority() {
            proto::CallPriority::Interactive => Priority::Interactive,
            proto::CallPriority::Background | proto::CallPriority::Unspecified => {
                Priority::Background
            }
        };
        let asked = Asked { priority, calls: request.calls.into() };
        let learnt = request.usage.as_ref().map(usage).transpose()?;
        let (reservation, window) = self.quota.reserve(asked, learnt).await?;
        Ok(response(reservation, window))
    }

    async fn report_usage(
        &self,
        _context: &Context,
        request: proto::ReportUsageRequest,
    ) -> Result<proto::ReportUsageResponse> {
        let told = request.usage.as_ref();
        let told = told.ok_or_else(|| Error::invalid_field("usage", "is missing"))?;
        self.quota.report(usage(told)?).await?;
        Ok(proto::ReportUsageResponse {})
    }

    async fn get_quota(
        &self,
        _context: &Context,
        _request: proto::GetQuotaRequest,
    ) -> Result<proto::GetQuotaResponse> {
        let state = self.quota.state().await?;
        let count = |count: Count| Some(proto::CallCount { limit: count.limit, used: count.used });
        Ok(proto::GetQuotaResponse {
            window: count(state.counts.window),
            day: count(state.counts.day),
            read_window: count(state.counts.read_window),
            read_day: count(state.counts.read_day),
            window_start_time: Some(convert::timestamp(state.window_started_at)),
            closed_until_time: state.closed_until.map(convert::timestamp),
        })
    }
}

fn usage(told: &proto::Usage) -> Result<Usage> {
    let window = told.window_start_time.as_ref().and_then(convert::time);
    let count = |count: Option<proto::CallCount>| {
        count.map(|count| Count { limit: count.limit, used: count.used })
    };
    Ok(Usage {
        window_started_at: window
            .ok_or_else(|| Error::invalid_field("usage.window_start_time", "must be a time"))?,
        counts: Counts {
            window: count(told.window),
            day: count(told.day),
            read_window: count(told.read_window),
            read_day: count(told.read_day),
        },
        refused: told.refused,
    })
}

fn response(
    reservation: Reservation,
    window: chrono::DateTime<chrono::Utc>,
) -> proto::ReserveCallsResponse {
    let window_start_time = Some(convert::timestamp(window));
    match reservation {
        Reservation::Granted { calls, valid_for, probe } => proto::ReserveCallsResponse {
            calls: i32::try_from(calls).unwrap_or(i32::MAX),
            valid_for: Some(duration(valid_for)),
            window_start_time,
            probe,
            ..Default::default()
        },
        Reservation::Wait { reason, retry_after } => proto::ReserveCallsResponse {
            window_start_time,
            wait_reason: match reason {
                WaitReason::Spent => proto::WaitReason::Spent,
                WaitReason::Reserved => proto::WaitReason::Reserved,
                WaitReason::Refused => proto::WaitReason::Refused,
                WaitReason::Probed => proto::WaitReason::Probed,
                WaitReason::Turning => proto::WaitReason::Turning,
            }
            .into(),
            retry_after: Some(duration(retry_after)),
            ..Default::default()
        },
    }
}

/// Windows and waits are far below what a message holds.
fn duration(duration: std::time::Duration) -> DurationMessage {
    DurationMessage {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}
