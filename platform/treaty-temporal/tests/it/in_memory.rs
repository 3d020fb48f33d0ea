//! The stand-in for tests behaves as the server does.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use treaty_error::Code;
use treaty_temporal::testing::{ActivityEnvironment, AttemptOutcome, InMemoryWorkflows};
use treaty_temporal::{
    ActivityContext, ActivityHandler, Error, ScheduleSpec, Starter, WorkflowClient,
};

use crate::contracts::{Compose, Greet, GreetRequest, GreetResponse};

fn ada() -> GreetRequest {
    GreetRequest { full_name: "Ada".into() }
}

fn stand_in() -> (Arc<InMemoryWorkflows>, Starter<Greet>) {
    let workflows = Arc::new(InMemoryWorkflows::new());
    let starter = Starter::new(Arc::clone(&workflows) as Arc<dyn WorkflowClient>);
    (workflows, starter)
}

#[tokio::test]
async fn starts_are_recorded_and_answered() {
    let (workflows, starter) = stand_in();
    let answer = GreetResponse { greeting: "Hi".into(), attempts: 1 };
    workflows.answer::<Greet>(&answer).unwrap();

    assert_eq!(starter.execute("greet-ada", &ada()).await.unwrap(), answer);

    let started = workflows.started();
    assert_eq!(started.len(), 1);
    assert_eq!(started[0].workflow.name, "greetings.v1.Greet");
    assert_eq!(started[0].workflow_id, "greet-ada");
    assert_eq!(started[0].input, serde_json::json!({"fullName": "Ada"}));
}

#[tokio::test]
async fn an_input_that_breaks_the_rules_starts_nothing() {
    let (workflows, starter) = stand_in();
    let input = GreetRequest { full_name: "x".repeat(65) };

    let error = treaty_error::Error::from(starter.start("greet", &input).await.unwrap_err());

    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.violations()[0].reason, "string.max_len");
    assert!(workflows.started().is_empty());
}

#[tokio::test]
async fn a_running_id_is_taken() {
    let (_, starter) = stand_in();
    let first = starter.start("greet-ada", &ada()).await.unwrap();

    let second = starter.start("greet-ada", &ada()).await.unwrap_err();
    let joined = starter.start_or_join("greet-ada", &ada()).await.unwrap();

    assert!(matches!(second, Error::AlreadyStarted { .. }), "{second}");
    assert_eq!(joined.run_id(), first.run_id());
}

#[tokio::test]
async fn schedules_live_as_on_the_server() {
    let (workflows, starter) = stand_in();
    let schedule = ScheduleSpec::every("hourly", Duration::from_secs(3600)).paused();

    let handle = starter.schedule(schedule, &ada()).await.unwrap();
    let again = ScheduleSpec::every("hourly", Duration::from_secs(60));
    starter.schedule(again, &ada()).await.unwrap();
    handle.trigger().await.unwrap();

    assert_eq!(workflows.scheduled("hourly").unwrap().schedule.every, Duration::from_secs(60));
    let status = handle.describe().await.unwrap();
    assert!(status.paused, "an update does not resume");
    assert_eq!(status.started, 1);
    handle.delete().await.unwrap();
    let gone = handle.describe().await.unwrap_err();
    assert!(matches!(gone, Error::ScheduleNotFound { .. }), "{gone}");
}

#[tokio::test]
async fn results_are_scripted_by_type_and_by_id() {
    let (workflows, starter) = stand_in();
    let answer = |greeting: &str| GreetResponse { greeting: greeting.into(), attempts: 1 };
    workflows.answer::<Greet>(&answer("Hi")).unwrap();
    workflows.answer_for::<Greet>("greet-queen", &answer("Your Majesty")).unwrap();
    workflows.fail_for("greet-nobody", &treaty_error::Error::new(Code::NotFound, "no such person"));

    assert_eq!(starter.execute("greet-ada", &ada()).await.unwrap().greeting, "Hi");
    assert_eq!(starter.execute("greet-queen", &ada()).await.unwrap().greeting, "Your Majesty");
    let failed = starter.execute("greet-nobody", &ada()).await.unwrap_err();
    let Error::WorkflowFailed { kind, message, .. } = failed else { panic!("{failed}") };
    assert_eq!((kind.as_deref(), &*message), (Some("NOT_FOUND"), "no such person"));

    workflows.fail::<Greet>(&treaty_error::Error::new(Code::Internal, "broken"));
    assert!(starter.execute("greet-ada", &ada()).await.is_err());
    let inputs = workflows.inputs::<Greet>().unwrap();
    let ids: Vec<_> = inputs.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["greet-ada", "greet-queen", "greet-nobody", "greet-ada"]);
    assert_eq!(inputs[0].1, ada());
}

/// Fails as it is told until an attempt finds this progress of another.
struct Told(Code, u32);

#[async_trait]
impl ActivityHandler<Compose> for Told {
    async fn run(
        &self,
        context: &ActivityContext,
        input: GreetRequest,
    ) -> treaty_error::Result<GreetResponse> {
        if context.progress::<u32>()? == Some(self.1) {
            let attempts = context.attempt();
            return Ok(GreetResponse { greeting: input.full_name, attempts });
        }
        context.heartbeat(context.attempt()).await?;
        Err(treaty_error::Error::new(self.0, "as told"))
    }
}

#[tokio::test]
async fn attempts_end_as_the_server_would_have_it() {
    let environment = ActivityEnvironment::new();
    for wait_ms in [50, 100] {
        let handler = Told(Code::Unavailable, 2);
        let outcome = environment.attempt::<Compose, _>(&handler, &ada()).await.unwrap();
        let AttemptOutcome::TriedAgain { after, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(after, Duration::from_millis(wait_ms));
    }
    assert_eq!(environment.heartbeats::<u32>().unwrap(), [1, 2]);
    let third = environment.attempt::<Compose, _>(&Told(Code::Unavailable, 2), &ada()).await;
    assert_eq!(third.unwrap().completed(), GreetResponse { greeting: "Ada".into(), attempts: 3 });

    let wrong = ActivityEnvironment::new();
    let outcome = wrong.attempt::<Compose, _>(&Told(Code::NotFound, 2), &ada()).await.unwrap();
    assert!(matches!(outcome, AttemptOutcome::Failed { .. }), "{outcome:?}");

    // The contract gives three attempts in all.
    let last = ActivityEnvironment::after_progress(&7).unwrap();
    last.attempt::<Compose, _>(&Told(Code::Unavailable, 99), &ada()).await.unwrap();
    let outcome = last.attempt::<Compose, _>(&Told(Code::Unavailable, 99), &ada()).await.unwrap();
    assert!(matches!(outcome, AttemptOutcome::Failed { .. }), "{outcome:?}");

    let stopped = ActivityEnvironment::new();
    stopped.cancel();
    let outcome = stopped.attempt::<Compose, _>(&Told(Code::Cancelled, 2), &ada()).await.unwrap();
    assert!(matches!(outcome, AttemptOutcome::Cancelled), "{outcome:?}");
}
