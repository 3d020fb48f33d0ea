//! A small world of contracts, as the generator would emit them, and the code
//! that a service would write against them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use temporalio_workflow::{
    ContinueAsNewOptions, WorkflowContext, WorkflowResult, workflow, workflow_methods,
};
use tokio::sync::Semaphore;
use treaty_error::Code;
use treaty_temporal::{
    ActivityContext, ActivityContract, ActivityHandler, ActivitySpec, NamedWorkflow, RetrySpec,
    SearchAttributeKind, SearchAttributeSource, SearchAttributeSpec, WorkflowContract,
    WorkflowSpec, execute_activity,
};

pub const QUEUE: &str = "greetings";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GreetRequest {
    pub full_name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GreetResponse {
    pub greeting: String,
    pub attempts: u32,
}

impl treaty_validate::Validate for GreetRequest {
    const HAS_RULES: bool = true;

    fn check(&self, report: &mut treaty_validate::Report) {
        const NAME: treaty_validate::Field =
            treaty_validate::Field::new(1, "full_name", treaty_validate::Kind::String);
        report.field(&NAME, |report| {
            treaty_validate::rules::string::max_len(report, &self.full_name, 64);
        });
    }
}

pub const GREET: WorkflowSpec = WorkflowSpec {
    name: "greetings.v1.Greet",
    task_queue: QUEUE,
    execution_timeout: Some(Duration::from_secs(120)),
    run_timeout: Some(Duration::from_secs(60)),
    search_attributes: &[
        SearchAttributeSpec {
            name: "GreetName",
            kind: SearchAttributeKind::Keyword,
            source: SearchAttributeSource::Field("fullName"),
        },
        SearchAttributeSpec {
            name: "GreetTask",
            kind: SearchAttributeKind::Keyword,
            source: SearchAttributeSource::Value("greet"),
        },
    ],
};

pub const COMPOSE: ActivitySpec = ActivitySpec {
    name: "greetings.v1.Compose",
    start_to_close: Duration::from_secs(30),
    schedule_to_close: None,
    heartbeat: Some(Duration::from_secs(10)),
    retry: RetrySpec {
        initial_interval: Duration::from_millis(50),
        maximum_attempts: 3,
        ..RetrySpec::DEFAULT
    },
};

pub enum Greet {}

impl WorkflowContract for Greet {
    type Input = GreetRequest;
    type Output = GreetResponse;
    const SPEC: &'static WorkflowSpec = &GREET;
}

impl NamedWorkflow for Greet {
    fn workflow_id(input: &GreetRequest) -> String {
        format!("greet-{}", input.full_name)
    }
}

pub enum Compose {}

impl ActivityContract for Compose {
    type Input = GreetRequest;
    type Output = GreetResponse;
    const SPEC: &'static ActivitySpec = &COMPOSE;
}

#[workflow]
#[derive(Default)]
pub struct GreetWorkflow;

#[workflow_methods]
impl GreetWorkflow {
    #[run(name = Greet::SPEC.name)]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        input: GreetRequest,
    ) -> WorkflowResult<GreetResponse> {
        let again = input.full_name == "again";
        let response = execute_activity::<Compose, _>(ctx, input).await?;
        if again {
            let next = GreetRequest { full_name: "flaky".to_owned() };
            match ctx.continue_as_new(next, ContinueAsNewOptions::default())? {}
        }
        Ok(response)
    }
}

/// An implementation under a name of its own making.
#[workflow]
#[derive(Default)]
pub struct Misnamed;

#[workflow_methods]
impl Misnamed {
    #[run]
    pub async fn run(
        _ctx: &mut WorkflowContext<Self>,
        _input: GreetRequest,
    ) -> WorkflowResult<GreetResponse> {
        Ok(GreetResponse::default())
    }
}

/// Composes greetings; how depends on the name.
#[derive(Debug)]
pub struct Composer {
    /// Attempts that have begun.
    pub begun: AtomicU32,
    /// Greetings to `patient` wait for a permit.
    pub gate: Semaphore,
    /// The `traceparent` within each attempt, where there is one.
    pub traces: Mutex<Vec<String>>,
}

impl Composer {
    pub fn new() -> Self {
        Self { begun: AtomicU32::new(0), gate: Semaphore::new(0), traces: Mutex::default() }
    }
}

#[async_trait]
impl ActivityHandler<Compose> for Composer {
    async fn run(
        &self,
        context: &ActivityContext,
        input: GreetRequest,
    ) -> treaty_error::Result<GreetResponse> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.traces.lock().unwrap().extend(treaty_telemetry::context::traceparent());
        match input.full_name.as_str() {
            "nobody" => {
                return Err(treaty_error::Error::invalid_field("fullName", "is nobody's"));
            }
            "flaky" if context.attempt() == 1 => {
                context.heartbeat("tried once").await?;
                return Err(treaty_error::Error::new(Code::Unavailable, "not just now"));
            }
            "flaky" => {
                assert_eq!(context.progress::<String>()?.as_deref(), Some("tried once"));
            }
            "patient" => {
                let permit = self.gate.acquire().await;
                permit.map_err(treaty_error::Error::internal)?.forget();
            }
            _ => {}
        }
        Ok(GreetResponse {
            greeting: format!("Hello, {}!", input.full_name),
            attempts: context.attempt(),
        })
    }
}
