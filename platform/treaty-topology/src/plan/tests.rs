//! What is planned, and what is called a loss.

use serde_json::json;

use super::*;

fn config(value: Value) -> Config {
    value.as_object().unwrap().clone()
}

fn wanted() -> Definitions {
    let stream = json!({"name": "athlete", "subjects": ["a.*", "b.*"], "storage": "file",
        "retention": "limits", "max_age": 100, "max_bytes": -1, "duplicate_window": 5});
    let consumer = json!({"durable_name": "d", "filter_subject": "a.*", "ack_policy": "explicit",
        "ack_wait": 30});
    Definitions {
        streams: vec![Definition {
            stream: "athlete".to_owned(),
            durable: None,
            config: config(stream),
        }],
        consumers: vec![Definition {
            stream: "athlete".to_owned(),
            durable: Some("d".to_owned()),
            config: config(consumer),
        }],
    }
}

/// A server that holds what is wanted, in its own order and with settings of its own.
fn found() -> Found {
    let mut found = Found::default();
    let mut stream = wanted().streams[0].config.clone();
    stream.insert("subjects".to_owned(), json!(["b.*", "a.*"]));
    stream.insert("num_replicas".to_owned(), json!(3));
    found.streams.insert("athlete".to_owned(), stream);
    let consumer = wanted().consumers[0].config.clone();
    found.consumers.insert(("athlete".to_owned(), "d".to_owned()), consumer);
    found
}

/// The plan after one setting of the stream was changed on the server.
fn after_stream(setting: &str, value: Value) -> Plan {
    let mut found = found();
    found.streams.get_mut("athlete").unwrap().insert(setting.to_owned(), value);
    Plan::new(&wanted(), &found, false)
}

fn after_consumer(setting: &str, value: Value) -> Plan {
    let mut found = found();
    let key = ("athlete".to_owned(), "d".to_owned());
    found.consumers.get_mut(&key).unwrap().insert(setting.to_owned(), value);
    Plan::new(&wanted(), &found, false)
}

#[test]
fn what_is_as_declared_needs_nothing() {
    assert_eq!(Plan::new(&wanted(), &found(), false), Plan::default());
}

#[test]
fn an_empty_server_gets_streams_before_consumers() {
    let plan = Plan::new(&wanted(), &Found::default(), false);
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.action, &step.subject)).collect();
    assert_eq!(steps.len(), 2);
    assert!(steps.iter().all(|(action, _)| *action == Action::Create));
    assert_eq!(steps[0].1.durable, None);
    assert_eq!(steps[1].1.durable.as_deref(), Some("d"));
    assert_eq!(plan.losing().count(), 0);
}

#[test]
fn settings_of_an_operator_survive_an_update() {
    let plan = after_stream("duplicate_window", json!(1));
    assert_eq!(plan.steps[0].action, Action::Update);
    assert_eq!(plan.steps[0].config["num_replicas"], 3);
    assert_eq!(plan.steps[0].config["duplicate_window"], 5);
    assert_eq!(plan.losing().count(), 0);
}

#[test]
fn what_would_lose_data_says_so() {
    for (setting, before) in [
        ("max_age", json!(0)),
        ("max_age", json!(101)),
        ("subjects", json!(["a.*", "b.*", "c"])),
        ("storage", json!("memory")),
    ] {
        let plan = after_stream(setting, before.clone());
        assert_eq!(plan.losing().count(), 1, "{setting} from {before}");
    }
    for (setting, before) in [("filter_subject", json!("b.*")), ("ack_policy", json!("none"))] {
        let plan = after_consumer(setting, before.clone());
        assert_eq!(plan.losing().count(), 1, "{setting} from {before}");
    }
}

#[test]
fn what_only_grows_loses_nothing() {
    for (setting, before) in
        [("max_age", json!(99)), ("subjects", json!(["a.*"])), ("max_bytes", json!(1000))]
    {
        let plan = after_stream(setting, before.clone());
        assert_eq!((plan.steps.len(), plan.losing().count()), (1, 0), "{setting} from {before}");
    }
    assert_eq!(after_consumer("ack_wait", json!(10)).losing().count(), 0);
}

#[test]
fn retention_by_interest_is_a_loss_and_back_is_none() {
    let mut definitions = wanted();
    definitions.streams[0].config.insert("retention".to_owned(), json!("interest"));
    assert_eq!(Plan::new(&definitions, &found(), false).losing().count(), 1);
    assert_eq!(after_stream("retention", json!("interest")).losing().count(), 0);
}

#[test]
fn a_setting_that_cannot_be_changed_in_place_replaces() {
    assert_eq!(after_stream("storage", json!("memory")).steps[0].action, Action::Replace);
    assert_eq!(after_consumer("deliver_policy", json!("new")).steps, []);
    assert_eq!(after_consumer("ack_policy", json!("all")).steps[0].action, Action::Replace);
}

#[test]
fn what_is_declared_nowhere_is_told_and_only_pruned_when_asked() {
    let mut found = found();
    found.streams.insert("other".to_owned(), Map::new());
    found.consumers.insert(("other".to_owned(), "x".to_owned()), Map::new());
    found.consumers.insert(("athlete".to_owned(), "old".to_owned()), Map::new());
    let plan = Plan::new(&wanted(), &found, false);
    assert!(plan.is_empty());
    // Consumers of a stream that is not ours are not ours to speak of.
    let names: Vec<_> = plan.undeclared.iter().map(|subject| subject.durable.as_deref()).collect();
    assert_eq!(names, [Some("old"), None]);
    let pruned = Plan::new(&wanted(), &found, true);
    assert_eq!(pruned.losing().filter(|step| step.action == Action::Delete).count(), 2);
}
