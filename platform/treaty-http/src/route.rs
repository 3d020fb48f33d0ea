//! What the contract says about an HTTP route, as constants in generated code.

use axum::routing::MethodFilter;
use treaty_rpc::MethodSpec;

/// One HTTP mapping of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method that it leads to.
    pub spec: &'static MethodSpec,
    /// The HTTP method.
    pub verb: Verb,
    /// The path as axum writes it, for example `/v1/orders/{order_id}`. Variables have
    /// the names that the route's `bind` function knows.
    pub path: &'static str,
    /// What the body carries.
    pub body: BodyMode,
}

/// An HTTP method that a contract can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `GET`, and with it `HEAD`.
    Get,
    /// `PUT`.
    Put,
    /// `POST`.
    Post,
    /// `DELETE`.
    Delete,
    /// `PATCH`.
    Patch,
}

impl Verb {
    pub(crate) fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Put => MethodFilter::PUT,
            Self::Post => MethodFilter::POST,
            Self::Delete => MethodFilter::DELETE,
            Self::Patch => MethodFilter::PATCH,
        }
    }
}

/// What the body of a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyMode {
    /// Nothing: it is not read, and every field that is not in the path may be in the
    /// query.
    None,
    /// The message (`body: "*"`): there is nothing left for the query.
    Whole,
}
