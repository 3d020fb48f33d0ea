//! The stand-in for tests behaves as the server does.

use std::sync::Arc;
use std::time::Duration;

use treaty_temporal::testing::InMemoryWorkflows;
use treaty_temporal::{Error, ScheduleSpec, Starter, WorkflowClient};

use crate::contracts::{Greet, GreetRequest, GreetResponse};

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
