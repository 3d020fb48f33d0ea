//! What the contract promises about a method, as constants in generated code.

use std::time::Duration;

use treaty_error::{Code, Error};

use crate::{Caller, Context};

/// A method as its contract declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodSpec {
    /// Full name of the service, for example `acme.orders.v1.OrdersService`.
    pub service: &'static str,
    /// Name of the method, for example `GetOrder`.
    pub method: &'static str,
    /// Path on the wire, for example `/acme.orders.v1.OrdersService/GetOrder`.
    pub path: &'static str,
    /// Who may call: any one of these is enough.
    pub access: &'static [Access],
    /// How long the server works on one call at most; over a stream, to its end.
    pub deadline: Duration,
    /// How clients repeat a call that failed.
    pub retry: Option<RetrySpec>,
}

impl MethodSpec {
    /// What a method promises whose contract says nothing: it admits nobody, works for
    /// 10 seconds at most and is not repeated.
    pub const DEFAULT: Self = Self {
        service: "",
        method: "",
        path: "/",
        access: &[],
        deadline: Duration::from_secs(10),
        retry: None,
    };

    /// `pkg.Service/Method`, as telemetry names it.
    pub(crate) fn full_method(&self) -> &'static str {
        self.path.trim_start_matches('/')
    }
}

/// How clients repeat a call that failed in a way that may pass: waits are random up to
/// a limit that grows ("full jitter"), so that callers that failed together do not come
/// back together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetrySpec {
    /// Attempts in all.
    pub max_attempts: u32,
    /// Longest wait before the second attempt.
    pub initial_backoff: Duration,
    /// Longest wait before any attempt.
    pub max_backoff: Duration,
    /// Factor from one longest wait to the next.
    pub multiplier: f64,
    /// How long one attempt may take, when that is less than the whole call.
    pub attempt_deadline: Option<Duration>,
}

// A multiplier that is no number is refused when the contract is read.
impl Eq for RetrySpec {}

impl RetrySpec {
    /// The wait after attempt `number`, from 1. What the server asks for is waited in
    /// any case, and the random part comes on top.
    pub(crate) fn wait_after(&self, number: u32, retry_after: Option<Duration>) -> Duration {
        let exponent = i32::try_from(number.saturating_sub(1)).unwrap_or(i32::MAX);
        let longest = self.max_backoff.as_secs_f64();
        let limit = self.initial_backoff.as_secs_f64() * self.multiplier.powi(exponent);
        let random = Duration::from_secs_f64(limit.min(longest) * rand::random_range(0.0..1.0));
        retry_after.unwrap_or_default().saturating_add(random)
    }
}

/// A group of callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without credentials.
    Public,
    /// These deployables.
    Callers(&'static [&'static str]),
    /// Holders of the operator token.
    Operators,
}

impl Access {
    fn admits(&self, caller: &Caller) -> bool {
        match (self, caller) {
            (Self::Public, _) | (Self::Operators, Caller::Operator) => true,
            (Self::Callers(names), Caller::Deployable(name)) => names.contains(&&**name),
            _ => false,
        }
    }
}

/// Whether the caller may call the method.
///
/// # Errors
/// `UNAUTHENTICATED` where a caller that proved itself might be admitted, and
/// `PERMISSION_DENIED` where this caller, being known, is not.
pub fn admit(spec: &MethodSpec, context: &Context) -> Result<(), Error> {
    if spec.access.iter().any(|access| access.admits(context.caller())) {
        return Ok(());
    }
    Err(match context.caller() {
        Caller::Anonymous => {
            Error::new(Code::Unauthenticated, format!("{} needs credentials", spec.method))
        }
        caller => {
            Error::new(Code::PermissionDenied, format!("{caller} may not call {}", spec.method))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn spec(access: &'static [Access]) -> MethodSpec {
        MethodSpec { method: "M", access, ..MethodSpec::DEFAULT }
    }

    fn code(access: &'static [Access], caller: Caller) -> Option<Code> {
        let context = Context::background().with_caller(caller);
        admit(&spec(access), &context).err().map(|error| error.code())
    }

    #[test]
    fn each_group_admits_its_own() {
        const BOTH: &[Access] = &[Access::Callers(&["worker"]), Access::Operators];
        assert_eq!(code(&[Access::Public], Caller::Anonymous), None);
        assert_eq!(code(BOTH, Caller::Deployable("worker".into())), None);
        assert_eq!(code(BOTH, Caller::Operator), None);
        assert_eq!(code(BOTH, Caller::Deployable("consumer".into())), Some(Code::PermissionDenied));
        assert_eq!(
            code(&[Access::Callers(&["worker"])], Caller::Operator),
            Some(Code::PermissionDenied)
        );
        assert_eq!(code(BOTH, Caller::Anonymous), Some(Code::Unauthenticated));
    }

    #[test]
    fn no_rule_admits_nobody() {
        assert_eq!(code(&[], Caller::Operator), Some(Code::PermissionDenied));
        assert_eq!(code(&[], Caller::Anonymous), Some(Code::Unauthenticated));
    }

    #[test]
    fn waits_are_random_below_a_limit_that_grows_to_its_own() {
        let retry = RetrySpec {
            max_attempts: 9,
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            multiplier: 2.0,
            attempt_deadline: None,
        };
        let longest = |number| (0..500).map(|_| retry.wait_after(number, None)).max().unwrap();
        for (number, limit_ms) in [(1, 100), (2, 200), (4, 800), (5, 1000), (u32::MAX, 1000)] {
            let limit = Duration::from_millis(limit_ms);
            let seen = longest(number);
            assert!(seen <= limit && seen > limit.mul_f64(0.8), "{number}: {seen:?}");
        }
        let shortest = (0..500).map(|_| retry.wait_after(5, None)).min().unwrap();
        assert!(shortest < Duration::from_millis(100), "full jitter begins at nothing");
        let asked = Duration::from_secs(7);
        let told = retry.wait_after(1, Some(asked));
        assert!(told >= asked && told <= asked + Duration::from_millis(100));
    }
}
