//! A quota that always has room, or none.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use consumer_port::quota_v1::{
    GetQuotaRequest, GetQuotaResponse, QuotaService, ReportUsageRequest, ReportUsageResponse,
    ReserveCallsRequest, ReserveCallsResponse, Usage, WaitReason,
};
use consumer_port::well_known::{Duration, Timestamp};
use treaty_error::{Code, Error, Result};
use treaty_rpc::Context;

/// Gives one call at a time, unless it is spent.
#[derive(Default)]
pub(crate) struct RoomyQuota {
    spent: AtomicBool,
    asked: AtomicUsize,
    reserved: AtomicUsize,
    reports: Mutex<Vec<Usage>>,
}

impl RoomyQuota {
    /// Gives nothing more, or something again.
    pub(crate) fn spend(&self, spent: bool) {
        self.spent.store(spent, Ordering::SeqCst);
    }

    /// How often calls were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Calls that were reserved.
    pub(crate) fn reserved(&self) -> usize {
        self.reserved.load(Ordering::SeqCst)
    }

    /// What was reported at once.
    pub(crate) fn reports(&self) -> Vec<Usage> {
        self.reports.lock().unwrap().clone()
    }
}

#[async_trait]
impl QuotaService for RoomyQuota {
    async fn reserve_calls(
        &self,
        _: &Context,
        _: ReserveCallsRequest,
    ) -> Result<ReserveCallsResponse> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let window_start_time = Some(Timestamp { seconds: 900, nanos: 0 });
        if self.spent.load(Ordering::SeqCst) {
            return Ok(ReserveCallsResponse {
                window_start_time,
                wait_reason: WaitReason::Spent.into(),
                retry_after: Some(Duration { seconds: 0, nanos: 20_000_000 }),
                ..Default::default()
            });
        }
        self.reserved.fetch_add(1, Ordering::SeqCst);
        let valid_for = Some(Duration { seconds: 60, nanos: 0 });
        Ok(ReserveCallsResponse { calls: 1, valid_for, window_start_time, ..Default::default() })
    }

    async fn report_usage(
        &self,
        _: &Context,
        request: ReportUsageRequest,
    ) -> Result<ReportUsageResponse> {
        self.reports.lock().unwrap().push(request.usage.unwrap());
        Ok(ReportUsageResponse {})
    }

    async fn get_quota(&self, _: &Context, _: GetQuotaRequest) -> Result<GetQuotaResponse> {
        Err(Error::new(Code::Unimplemented, "no consumer asks for this"))
    }
}
