//! Search attributes: what runs are found by at the server.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use temporalio_client::grpc::{OperatorService, WorkflowService};
use temporalio_client::tonic::{Code, IntoRequest, Status};
use temporalio_common::protos::temporal::api::common::v1::{Payload, SearchAttributes};
use temporalio_common::protos::temporal::api::enums::v1::IndexedValueType;
use temporalio_common::protos::temporal::api::operatorservice::v1::{
    AddSearchAttributesRequest, ListSearchAttributesRequest,
};
use temporalio_common::protos::temporal::api::workflowservice::v1::CountWorkflowExecutionsRequest;
use tokio::time::Instant;

use crate::{
    Connection, Error, SearchAttributeKind, SearchAttributeSource, SearchAttributeSpec,
    WorkflowSpec,
};

/// How long a server may take until all its parts know what was registered with one of them: its
/// caches follow every ten seconds at the latest.
const SPREADING: Duration = Duration::from_secs(30);

/// How often it is asked meanwhile.
const SPREADING_INTERVAL: Duration = Duration::from_millis(200);

/// What a run with this input is found by; nothing when the contract names nothing.
pub(crate) fn attributes(spec: &WorkflowSpec, input: &Value) -> Option<SearchAttributes> {
    let set = spec.search_attributes.iter().filter_map(|attribute| {
        Some((attribute.name.to_owned(), payload(attribute.kind, &value(attribute, input)?)))
    });
    let indexed_fields: HashMap<String, Payload> = set.collect();
    (!indexed_fields.is_empty()).then_some(SearchAttributes { indexed_fields })
}

/// The value in the server's JSON, which is proto3 JSON but for 64-bit integers.
fn value(attribute: &SearchAttributeSpec, input: &Value) -> Option<Value> {
    let value = match attribute.source {
        SearchAttributeSource::Value(text) => return Some(text.into()),
        SearchAttributeSource::Field(name) => input.get(name)?,
    };
    match (attribute.kind, value) {
        (_, Value::Null) => None,
        (SearchAttributeKind::Int, Value::String(digits)) => {
            digits.parse::<i64>().ok().map(Value::from)
        }
        _ => Some(value.clone()),
    }
}

fn payload(kind: SearchAttributeKind, value: &Value) -> Payload {
    let metadata = [("encoding", "json/plain"), ("type", kind.as_str())];
    Payload {
        metadata: metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()))
            .collect(),
        data: value.to_string().into_bytes(),
        ..Default::default()
    }
}

fn indexed(kind: SearchAttributeKind) -> IndexedValueType {
    match kind {
        SearchAttributeKind::Keyword => IndexedValueType::Keyword,
        SearchAttributeKind::Int => IndexedValueType::Int,
        SearchAttributeKind::Double => IndexedValueType::Double,
        SearchAttributeKind::Bool => IndexedValueType::Bool,
        SearchAttributeKind::Datetime => IndexedValueType::Datetime,
    }
}

impl Connection {
    /// Sees to it that the server knows the search attributes of these workflows: registers those
    /// that are missing, and returns when they can be used. Safe to call at every start of every
    /// replica.
    ///
    /// # Errors
    /// [`Error::SearchAttribute`] when one is there with another type, or when the server lets us
    /// register none: it says which command an operator has to run.
    pub async fn register_search_attributes(
        &self,
        workflows: &[&WorkflowSpec],
    ) -> Result<(), Error> {
        let wanted: Vec<_> =
            workflows.iter().flat_map(|workflow| workflow.search_attributes).copied().collect();
        let Some(first) = wanted.first() else { return Ok(()) };
        let known = self.search_attributes().await.map_err(|status| by_hand(first, status))?;
        let mut missing = HashMap::new();
        for attribute in &wanted {
            let kind = indexed(attribute.kind) as i32;
            match known.get(attribute.name) {
                Some(known) if *known == kind => {}
                Some(known) => return Err(another_type(attribute, *known)),
                None => {
                    missing.insert(attribute.name.to_owned(), kind);
                }
            }
        }
        if !missing.is_empty() {
            tracing::info!(names = ?missing.keys(), "registering search attributes");
            self.add_search_attributes(missing).await.map_err(|status| by_hand(first, status))?;
        }
        for attribute in &wanted {
            self.wait_until_usable(attribute).await?;
        }
        Ok(())
    }

    async fn search_attributes(&self) -> Result<HashMap<String, i32>, Box<Status>> {
        let request = ListSearchAttributesRequest { namespace: self.namespace().to_owned() };
        let mut client = self.client().clone();
        let listed =
            OperatorService::list_search_attributes(&mut client, request.into_request()).await;
        let listed = listed.map_err(Box::new)?.into_inner();
        Ok(listed.custom_attributes.into_iter().collect())
    }

    async fn add_search_attributes(
        &self,
        search_attributes: HashMap<String, i32>,
    ) -> Result<(), Box<Status>> {
        let request = AddSearchAttributesRequest {
            search_attributes: search_attributes.into_iter().collect(),
            namespace: self.namespace().to_owned(),
        };
        let mut client = self.client().clone();
        let added =
            OperatorService::add_search_attributes(&mut client, request.into_request()).await;
        match added {
            // Another replica was faster.
            Err(status) if status.code() == Code::AlreadyExists => Ok(()),
            other => other.map(|_| ()).map_err(Box::new),
        }
    }

    /// A server refuses a query, as it refuses a start, while it does not know the name.
    async fn wait_until_usable(&self, attribute: &SearchAttributeSpec) -> Result<(), Error> {
        let deadline = Instant::now() + SPREADING;
        loop {
            let request = CountWorkflowExecutionsRequest {
                namespace: self.namespace().to_owned(),
                query: format!("{} IS NOT NULL", attribute.name),
            };
            let mut client = self.client().clone();
            let counted =
                WorkflowService::count_workflow_executions(&mut client, request.into_request());
            match counted.await {
                Ok(_) => return Ok(()),
                Err(status)
                    if status.code() == Code::InvalidArgument && Instant::now() < deadline =>
                {
                    tokio::time::sleep(SPREADING_INTERVAL).await;
                }
                Err(status) => {
                    return Err(Error::SearchAttribute {
                        name: attribute.name.to_owned(),
                        reason: "it is registered and cannot be used".to_owned(),
                        source: Some(status.into()),
                    });
                }
            }
        }
    }
}

fn another_type(attribute: &SearchAttributeSpec, known: i32) -> Error {
    let known = IndexedValueType::try_from(known);
    let known = known.map_or_else(|_| "unknown".to_owned(), |kind| format!("{kind:?}"));
    let kind = attribute.kind.as_str();
    Error::SearchAttribute {
        name: attribute.name.to_owned(),
        reason: format!(
            "the server has it as {known}, the contract as {kind}: give it another name in the \
             contract, or remove it from the server"
        ),
        source: None,
    }
}

/// What to do where the server does not let us.
fn by_hand(attribute: &SearchAttributeSpec, status: Box<Status>) -> Error {
    match status.code() {
        Code::PermissionDenied | Code::Unauthenticated | Code::Unimplemented => {
            let (name, kind) = (attribute.name, attribute.kind.as_str());
            Error::SearchAttribute {
                name: name.to_owned(),
                reason: format!(
                    "we may not register it: run `temporal operator search-attribute create --name \
                     {name} --type {kind}` and set temporal.register_search_attributes to false"
                ),
                source: Some(status),
            }
        }
        _ => Error::call("register search attributes", status),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SPEC: WorkflowSpec = WorkflowSpec {
        name: "Fulfil",
        task_queue: "orders",
        execution_timeout: None,
        run_timeout: None,
        search_attributes: &[
            SearchAttributeSpec {
                name: "Order",
                kind: SearchAttributeKind::Keyword,
                source: SearchAttributeSource::Field("orderId"),
            },
            SearchAttributeSpec {
                name: "Number",
                kind: SearchAttributeKind::Int,
                source: SearchAttributeSource::Field("number"),
            },
            SearchAttributeSpec {
                name: "Task",
                kind: SearchAttributeKind::Keyword,
                source: SearchAttributeSource::Value("fulfil"),
            },
        ],
    };

    fn data(input: &Value) -> Vec<(String, String)> {
        let fields = attributes(&SPEC, input).unwrap().indexed_fields;
        let text = |payload: &Payload| String::from_utf8(payload.data.clone()).unwrap();
        let mut data: Vec<_> =
            fields.iter().map(|(name, payload)| (name.clone(), text(payload))).collect();
        data.sort();
        data
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn values_are_taken_from_the_input_and_64_bit_integers_become_numbers() {
        let full = json!({"orderId": "o-1", "number": "9007199254740993"});
        let expected =
            [("Number", "9007199254740993"), ("Order", "\"o-1\""), ("Task", "\"fulfil\"")];
        assert_eq!(data(&full), pairs(&expected));
        assert_eq!(data(&json!({"orderId": null})), pairs(&[("Task", "\"fulfil\"")]));
    }

    #[test]
    fn each_value_says_its_type() {
        let fields = attributes(&SPEC, &json!({"number": 7})).unwrap().indexed_fields;
        assert_eq!(fields["Number"].metadata["type"], b"Int");
        assert_eq!(fields["Number"].metadata["encoding"], b"json/plain");
    }

    #[test]
    fn a_workflow_without_any_sends_none() {
        let spec = WorkflowSpec { search_attributes: &[], ..SPEC };
        assert!(attributes(&spec, &json!({"orderId": "o-1"})).is_none());
    }
}
