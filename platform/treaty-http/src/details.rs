//! The details of `google.rpc.Status` as JSON (`google/rpc/error_details.proto`).
//!
//! A detail of another type cannot be written without its contract; its bytes are, as
//! `value` in base64, so that a client which knows it can read it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use serde::Serialize;
use treaty_error::Detail;

const PREFIX: &str = "type.googleapis.com/";

/// A detail with its type.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Written {
    ErrorInfo(Typed<ErrorInfo>),
    QuotaFailure(Typed<QuotaFailure>),
    PreconditionFailure(Typed<PreconditionFailure>),
    RequestInfo(Typed<RequestInfo>),
    ResourceInfo(Typed<ResourceInfo>),
    Help(Typed<Help>),
    LocalizedMessage(Typed<LocalizedMessage>),
    Unknown(Typed<Unknown>),
}

#[derive(Serialize)]
pub(crate) struct Typed<T> {
    #[serde(rename = "@type")]
    type_url: String,
    #[serde(flatten)]
    detail: T,
}

#[derive(Serialize)]
pub(crate) struct Unknown {
    value: String,
}

/// Writes a detail; none for what only developers of the service should see
/// (AIP-193, `DebugInfo`).
pub(crate) fn written(detail: &Detail) -> Option<Written> {
    let known = match detail.type_url.strip_prefix(PREFIX) {
        Some("google.rpc.DebugInfo") => return None,
        Some("google.rpc.ErrorInfo") => typed(detail, Written::ErrorInfo),
        Some("google.rpc.QuotaFailure") => typed(detail, Written::QuotaFailure),
        Some("google.rpc.PreconditionFailure") => typed(detail, Written::PreconditionFailure),
        Some("google.rpc.RequestInfo") => typed(detail, Written::RequestInfo),
        Some("google.rpc.ResourceInfo") => typed(detail, Written::ResourceInfo),
        Some("google.rpc.Help") => typed(detail, Written::Help),
        Some("google.rpc.LocalizedMessage") => typed(detail, Written::LocalizedMessage),
        _ => None,
    };
    Some(known.unwrap_or_else(|| {
        let value = STANDARD.encode(&detail.value);
        Written::Unknown(Typed { type_url: detail.type_url.clone(), detail: Unknown { value } })
    }))
}

fn typed<T: Message + Default>(detail: &Detail, wrap: fn(Typed<T>) -> Written) -> Option<Written> {
    let message = T::decode(detail.value.as_slice()).ok()?;
    Some(wrap(Typed { type_url: detail.type_url.clone(), detail: message }))
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorInfo {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotaFailure {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<QuotaViolation>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotaViolation {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    api_service: String,
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "String::is_empty")]
    quota_metric: String,
    #[prost(string, tag = "5")]
    #[serde(skip_serializing_if = "String::is_empty")]
    quota_id: String,
    #[prost(btree_map = "string, string", tag = "6")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    quota_dimensions: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreconditionFailure {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<PreconditionViolation>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreconditionViolation {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    r#type: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestInfo {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    request_id: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    serving_data: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceInfo {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    resource_type: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    resource_name: String,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    owner: String,
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Help {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Link {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LocalizedMessage {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    locale: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(type_name: &str, value: Vec<u8>) -> Option<String> {
        let detail = Detail { type_url: format!("{PREFIX}{type_name}"), value };
        written(&detail).map(|written| serde_json::to_string(&written).unwrap())
    }

    #[test]
    fn known_details_are_objects_and_others_their_bytes() {
        let info = ErrorInfo {
            reason: "STOCK_OUT".to_owned(),
            domain: "acme.test".to_owned(),
            metadata: [("zone".to_owned(), "a".to_owned())].into(),
        };
        assert_eq!(
            json("google.rpc.ErrorInfo", info.encode_to_vec()).unwrap(),
            concat!(
                r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"STOCK_OUT","#,
                r#""domain":"acme.test","metadata":{"zone":"a"}}"#
            )
        );
        assert_eq!(
            json("acme.v1.Reason", vec![8, 1]).unwrap(),
            r#"{"@type":"type.googleapis.com/acme.v1.Reason","value":"CAE="}"#
        );
        let broken = json("google.rpc.Help", vec![0xff]).unwrap();
        assert!(broken.contains(r#""value":"/w==""#), "{broken}");
        assert_eq!(json("google.rpc.DebugInfo", Vec::new()), None);
    }
}
