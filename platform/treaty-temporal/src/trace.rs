//! One trace from whoever starts a workflow, through its run, to the attempts of its activities.
//!
//! The context travels in the server's headers, under the name and in the form that Temporal's own
//! SDKs use, so that workers and starters in other languages share it. It is part of the history,
//! and what is made of it depends on the history alone: a replay decides the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use temporalio_common::protos::temporal::api::common::v1::{Header, Payload};
use temporalio_sdk::workflow_interceptors::{
    CancellableWorkflowOutboundFuture, ContinueAsNewInput, ContinueAsNewResult,
    ExecuteWorkflowInput, ExecuteWorkflowResult, InitializeWorkflowInput, InitializeWorkflowOutput,
    ScheduleActivityInput, ScheduleActivityResult, StartChildWorkflowInput,
    StartChildWorkflowResult, SyncWorkflowInterceptorContext, WorkflowInterceptor,
    WorkflowInterceptorConstructor, WorkflowInterceptorContext, WorkflowInterceptorFuture,
    WorkflowNext,
};
use temporalio_workflow::{WorkflowContextView, WorkflowTermination};
use treaty_telemetry::{Run, context};

/// The header of the SDKs: a map from names, such as `traceparent`, to values.
const CALLED_BY: &str = "_tracer-data";

/// The header, in the same form, of a run that goes on for another: it begins a trace that refers
/// to the other's, for the trace of a dispatch to a million athletes could not be read.
const CAUSED_BY: &str = "treaty-caused-by";

type Headers = HashMap<String, Payload>;

/// The headers of what is started now; none outside a trace.
pub(crate) fn headers() -> Option<Header> {
    let fields = HashMap::from([(CALLED_BY.to_owned(), payload(&context::traceparent()?))]);
    Some(Header { fields })
}

/// The `traceparent` of whoever scheduled this.
pub(crate) fn caller(headers: &Headers) -> Option<String> {
    read(headers, CALLED_BY)
}

fn payload(traceparent: &str) -> Payload {
    let carrier = BTreeMap::from([(context::TRACEPARENT, traceparent)]);
    Payload {
        metadata: HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]),
        data: serde_json::json!(carrier).to_string().into_bytes(),
        ..Default::default()
    }
}

/// What cannot be read is passed over: a workflow does not fail for the sake of its trace.
fn read(headers: &Headers, name: &str) -> Option<String> {
    let mut carrier: BTreeMap<String, String> =
        serde_json::from_slice(&headers.get(name)?.data).ok()?;
    carrier.remove(context::TRACEPARENT)
}

/// What makes each workflow of a worker part of a trace.
pub(crate) fn interceptor() -> WorkflowInterceptorConstructor {
    WorkflowInterceptorConstructor::new(|view: &WorkflowContextView| Traced {
        run_id: view.run_id().to_owned(),
        started: view.start_time(),
        run: RefCell::default(),
    })
}

/// One workflow in the memory of a worker.
struct Traced {
    run_id: String,
    started: Option<SystemTime>,
    run: RefCell<Option<Run>>,
}

impl Traced {
    fn begin(&self, headers: &Headers) {
        let (caller, cause) = (caller(headers), read(headers, CAUSED_BY));
        *self.run.borrow_mut() = Run::new(&self.run_id, caller.as_deref(), cause.as_deref());
    }

    /// Tells others of this run, under that name.
    fn tell(&self, name: &str, headers: &mut Headers) {
        if let Some(run) = &*self.run.borrow() {
            headers.insert(name.to_owned(), payload(&run.traceparent()));
        }
    }

    fn end(&self, context: &WorkflowInterceptorContext, result: &ExecuteWorkflowResult) {
        // Whoever lived through the end has told of it.
        if context.is_replaying_history_events() {
            return;
        }
        let outcome = match result {
            Ok(_) => "completed",
            Err(WorkflowTermination::Cancelled { .. }) => "cancelled",
            Err(WorkflowTermination::ContinueAsNew(_)) => "continued",
            Err(WorkflowTermination::Failed(_)) => "failed",
            // It goes on elsewhere.
            Err(_) => return,
        };
        if let Some(run) = &*self.run.borrow() {
            let attributes = vec![
                ("workflow_id", context.workflow_id().to_owned()),
                ("temporal.workflow.run_id", self.run_id.clone()),
                ("outcome", outcome.to_owned()),
            ];
            let name = format!("RunWorkflow:{}", context.workflow_type());
            let started = self.started.unwrap_or_else(SystemTime::now);
            run.end(name, started, attributes, outcome == "failed");
        }
    }
}

impl WorkflowInterceptor for Traced {
    fn initialize_workflow(
        &self,
        _: WorkflowContextView,
        input: InitializeWorkflowInput,
        next: WorkflowNext<'_, InitializeWorkflowInput, InitializeWorkflowOutput>,
    ) -> InitializeWorkflowOutput {
        self.begin(input.headers());
        next.run(input)
    }

    fn execute<'a>(
        &'a self,
        context: WorkflowInterceptorContext,
        input: ExecuteWorkflowInput,
        next: WorkflowNext<
            'a,
            ExecuteWorkflowInput,
            WorkflowInterceptorFuture<'a, ExecuteWorkflowResult>,
        >,
    ) -> WorkflowInterceptorFuture<'a, ExecuteWorkflowResult> {
        self.begin(input.headers());
        WorkflowInterceptorFuture::new(async move {
            let result = next.run(input).await;
            self.end(&context, &result);
            result
        })
    }

    fn schedule_activity(
        &self,
        _: WorkflowInterceptorContext,
        mut input: ScheduleActivityInput,
        next: WorkflowNext<
            'static,
            ScheduleActivityInput,
            CancellableWorkflowOutboundFuture<ScheduleActivityResult>,
        >,
    ) -> CancellableWorkflowOutboundFuture<ScheduleActivityResult> {
        self.tell(CALLED_BY, input.headers_mut());
        next.run(input)
    }

    fn start_child_workflow(
        &self,
        _: WorkflowInterceptorContext,
        mut input: StartChildWorkflowInput,
        next: WorkflowNext<
            'static,
            StartChildWorkflowInput,
            CancellableWorkflowOutboundFuture<StartChildWorkflowResult>,
        >,
    ) -> CancellableWorkflowOutboundFuture<StartChildWorkflowResult> {
        self.tell(CALLED_BY, input.headers_mut());
        next.run(input)
    }

    fn continue_as_new(
        &self,
        _: SyncWorkflowInterceptorContext,
        mut input: ContinueAsNewInput,
        next: WorkflowNext<'static, ContinueAsNewInput, ContinueAsNewResult>,
    ) -> ContinueAsNewResult {
        self.tell(CAUSED_BY, input.headers_mut());
        next.run(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_header_is_that_of_the_other_sdks() {
        let payload = payload(CALLER);
        assert_eq!(payload.metadata["encoding"], b"json/plain");
        assert_eq!(payload.data, format!(r#"{{"traceparent":"{CALLER}"}}"#).into_bytes());

        let theirs = Payload {
            data: format!(r#"{{"traceparent":"{CALLER}","baggage":"tenant=acme"}}"#).into(),
            ..payload
        };
        let headers = HashMap::from([(CALLED_BY.to_owned(), theirs)]);
        assert_eq!(caller(&headers).as_deref(), Some(CALLER));
    }

    #[test]
    fn what_cannot_be_read_is_as_if_it_was_not_there() {
        for data in ["", "null", "{}", r#"{"traceparent":7}"#, "\u{0}"] {
            let odd = Payload { data: data.into(), ..Default::default() };
            assert_eq!(caller(&HashMap::from([(CALLED_BY.to_owned(), odd)])), None, "{data}");
        }
        assert_eq!(caller(&HashMap::new()), None);
    }
}
