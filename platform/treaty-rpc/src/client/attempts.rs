//! One call as a series of attempts.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::{Request, Response, Status};
use tracing::Span;
use treaty_error::{Code, Error};

use super::channel::Channel;
use super::transport::{Tried, is_untouched};
use crate::run::deadline_exceeded;
use crate::{Context, MethodSpec, RetrySpec, from_status, headers};

/// Longest deadline that is told to a server. A longer one is none in practice, and
/// the header has no room for the longest.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// A call with what all of its attempts share.
pub(super) struct Attempts<'a> {
    spec: &'static MethodSpec,
    channel: &'a Channel,
    context: &'a Context,
    deadline: Instant,
    given_up: Option<CancellationToken>,
    tried: Tried,
}

impl<'a> Attempts<'a> {
    /// Begins a call, which must end within the shortest of the method's deadline, the
    /// channel's and the context's.
    pub(super) fn begin(
        spec: &'static MethodSpec,
        channel: &'a Channel,
        context: &'a Context,
    ) -> Result<Self, Error> {
        let limits = [Some(spec.deadline), channel.deadline(), context.remaining()];
        let limit = limits.into_iter().flatten().fold(LONGEST, Duration::min);
        if limit.is_zero() {
            return Err(deadline_exceeded());
        }
        let deadline = Instant::now() + limit;
        Ok(Self { spec, channel, context, deadline, given_up: None, tried: Tried::default() })
    }

    /// Lets the requests of the call stop when this is cancelled.
    pub(super) fn given_up_with(mut self, token: CancellationToken) -> Self {
        self.given_up = Some(token);
        self
    }

    /// When the call must have ended, repeats and streams included.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Makes one attempt with these requests, for as long as `limit`.
    pub(super) async fn once<Q, R, Fut>(
        &self,
        requests: Q,
        number: u32,
        limit: Duration,
        send: impl FnOnce(Request<Q>) -> Fut,
    ) -> Result<R, Error>
    where
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let mut request = Request::new(requests);
        request.set_timeout(limit);
        if let Some(token) = &self.given_up {
            request.extensions_mut().insert(token.clone());
        }
        request.extensions_mut().insert(self.tried.clone());
        self.annotate(request.metadata_mut(), number);
        let ends = Instant::now() + limit;
        // It covers the wait for a connection too.
        match tokio::time::timeout(limit, send(request)).await {
            Ok(Ok(response)) => {
                self.channel.budget().deposit();
                Ok(response.into_inner())
            }
            Ok(Err(status)) => Err(failure(self.spec, status, ends)),
            Err(_elapsed) => Err(deadline_exceeded()),
        }
    }

    /// As [`once`](Self::once), for all the time that is left; for calls that cannot be
    /// repeated.
    pub(super) async fn only<Q, R, Fut>(
        &self,
        requests: Q,
        send: impl FnOnce(Request<Q>) -> Fut,
    ) -> Result<R, Error>
    where
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let result = self.once(requests, 1, self.remaining(), send).await;
        if let Err(error) = &result
            && is_passing(error, None)
        {
            self.channel.budget().withdraw();
        }
        result
    }

    /// Makes attempts until one succeeds or the contract's policy, the budget or the
    /// time says that there are to be no more.
    pub(super) async fn repeated<Q, R, F, Fut>(&self, request: Q, send: F) -> Result<R, Error>
    where
        Q: Clone,
        F: Fn(Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let Some(policy) = &self.spec.retry else {
            let error = match self.only(request.clone(), &send).await {
                Err(error) if is_untouched(&error) => error,
                result => return result,
            };
            // The server was closing the connection and has not looked at it.
            tracing::debug!(error = error.chain(), "calling again, untouched");
            return self.only(request, send).await;
        };
        for number in 1.. {
            let limit = policy.attempt_deadline.unwrap_or(LONGEST).min(self.remaining());
            let error = match self.once(request.clone(), number, limit, &send).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let passing = is_passing(&error, Some(policy));
            if !(passing && self.channel.budget().withdraw() && number < policy.max_attempts) {
                return Err(error);
            }
            let wait = policy.wait_after(number, error.retry_after());
            if wait >= self.remaining() {
                return Err(error);
            }
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(attempt = number, wait_ms, error = error.chain(), "calling again");
            Span::current().record("rpc.attempts", number + 1);
            tokio::time::sleep(wait).await;
        }
        Err(deadline_exceeded())
    }

    fn annotate(&self, metadata: &mut MetadataMap, number: u32) {
        if self.channel.acts_for_caller() {
            self.pass_on(metadata);
        } else {
            metadata.insert("authorization", self.channel.authorization());
        }
        let mut text = |name, value: Option<&str>| {
            if let Some(Ok(value)) = value.map(AsciiMetadataValue::try_from) {
                metadata.insert(name, value);
            }
        };
        text(headers::REQUEST_ID, Some(self.context.request_id()));
        // The span of this call; without traces of our own, what came is passed on.
        let own = treaty_telemetry::context::traceparent();
        text(headers::TRACEPARENT, own.as_deref().or(self.context.traceparent()));
        text(headers::IDEMPOTENCY_KEY, self.context.chosen_idempotency_key());
        if number > 1 {
            metadata.insert(headers::PREVIOUS_ATTEMPTS, (number - 1).into());
        }
    }
}

impl Attempts<'_> {
    /// What the caller's own call came with. Who brought no credentials has none.
    fn pass_on(&self, metadata: &mut MetadataMap) {
        let passed = self.context.all_metadata().into_iter().flatten();
        for (name, value) in passed {
            let name = AsciiMetadataKey::from_bytes(name.as_str().as_bytes());
            let value = AsciiMetadataValue::try_from(value.as_bytes());
            if let (Ok(name), Ok(value)) = (name, value) {
                metadata.append(name, value);
            }
        }
        let credentials = self.context.credentials().map(|value| value.as_bytes());
        if let Some(Ok(mut value)) = credentials.map(AsciiMetadataValue::try_from) {
            value.set_sensitive(true);
            metadata.insert("authorization", value);
        }
    }
}

/// Whether the same attempt may succeed later: the server is not reachable, says when
/// it has room again, or was too slow for one attempt and not yet for the call.
fn is_passing(error: &Error, policy: Option<&RetrySpec>) -> bool {
    match error.code() {
        Code::Unavailable => true,
        Code::ResourceExhausted => error.retry_after().is_some(),
        Code::DeadlineExceeded => policy.is_some_and(|policy| policy.attempt_deadline.is_some()),
        _ => false,
    }
}

/// When the transport's timer wins over ours, it says CANCELLED; the caller must
/// see the same code either way.
pub(super) fn failure(spec: &MethodSpec, status: Status, deadline: Instant) -> Error {
    if Instant::now() >= deadline && status.code() == tonic::Code::Cancelled {
        return deadline_exceeded().with_source(status);
    }
    let error = from_status(status);
    if error.code() != Code::Unavailable {
        return error;
    }
    let message = format!("{} is not available: {}", spec.service, error.message());
    let retry_after = error.retry_after();
    let wrapped = Error::new(Code::Unavailable, message).with_source(error);
    match retry_after {
        Some(wait) => wrapped.with_retry_after(wait),
        None => wrapped,
    }
}
