//! What a worker refuses before it ever meets a server.

use std::sync::Arc;

use treaty_temporal::{ActivityHandler, Worker, WorkerConfig, WorkflowContract};

use crate::contracts::{COMPOSE, Compose, Composer, Greet, GreetWorkflow, Misnamed, QUEUE};

fn worker() -> Worker {
    Worker::new(QUEUE, WorkerConfig::default())
}

#[test]
fn the_name_of_an_implementation_is_the_contracts() {
    assert_eq!(GreetWorkflow::name(), Greet::SPEC.name);
    worker().workflow::<Greet, GreetWorkflow>().unwrap();

    let error = worker().workflow::<Greet, Misnamed>().unwrap_err().to_string();

    assert!(error.contains("greetings.v1.Greet") && error.contains("Misnamed"), "{error}");
}

#[test]
fn a_workflow_of_another_queue_is_refused() {
    let other = Worker::new("elsewhere", WorkerConfig::default());

    let error = other.workflow::<Greet, GreetWorkflow>().unwrap_err().to_string();

    assert!(error.contains("elsewhere") && error.contains(QUEUE), "{error}");
}

#[test]
fn everything_declared_must_be_registered_and_nothing_else() {
    let declared = || worker().declare(&[Greet::SPEC], &[]);

    let missing = declared().verify().unwrap_err().to_string();
    assert!(missing.contains("workflow greetings.v1.Greet"), "{missing}");
    declared().workflow::<Greet, GreetWorkflow>().unwrap().verify().unwrap();

    let undeclared = declared().activity::<Compose, _>(Arc::new(Composer::new()));
    let undeclared = undeclared.unwrap_err().to_string();
    assert!(undeclared.contains(COMPOSE.name), "{undeclared}");
}

#[test]
fn nothing_is_registered_twice() {
    let composer = Arc::new(Composer::new());
    let once = worker().activity::<Compose, _>(Arc::clone(&composer)).unwrap();

    let error = once.activity::<Compose, _>(composer).unwrap_err().to_string();

    assert!(error.contains("twice"), "{error}");
}

#[tokio::test]
async fn a_handler_is_tested_without_a_server() {
    use treaty_temporal::ActivityContext;
    let token = tokio_util::sync::CancellationToken::new();
    let context = ActivityContext::detached_after(token, &"tried once").unwrap();
    let input = crate::contracts::GreetRequest { full_name: "flaky".into() };

    let response = Composer::new().run(&context, input).await.unwrap();

    assert_eq!(response.greeting, "Hello, flaky!");
}
