//! What the contract says about an HTTP route, as constants in generated code.

use http::Method;
use treaty_rpc::MethodSpec;

use crate::Template;

/// One HTTP mapping of a method.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method that it leads to.
    pub spec: &'static MethodSpec,
    /// The HTTP method.
    pub verb: Verb,
    /// The path.
    pub template: Template,
    /// What the body carries.
    pub body: BodyMode,
    /// Whether what the body has tells what `update_mask` is, where it is not given.
    pub infers_mask: bool,
    /// HTTP status of success; 204 has no body.
    pub success: u16,
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
    /// Another one, by its name.
    Custom(&'static str),
    /// Every method for which the path has no route of its own.
    Any,
}

impl Verb {
    pub(crate) fn is(self, method: &Method) -> bool {
        self == Self::Any || self.as_str() == method.as_str()
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Custom(name) => name,
            Self::Any => "*",
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
    /// The field of this name in the contract; the others may be in the query.
    Field(&'static str),
}
