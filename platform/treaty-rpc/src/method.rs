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
    /// How long the server works on one call at most.
    pub deadline: Duration,
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
        MethodSpec { service: "s.S", method: "M", path: "/s.S/M", access, deadline: Duration::MAX }
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
}
