//! Whether manifests say what the services and the contracts say: keys, ports, streams, consumers
//! and how long a shutdown takes.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::keys::{self, Keys};
use super::render::Rendered;
use crate::workspace;

/// What the generator says of the broker.
const BROKER: &str = "gen/ops/nats";

/// Where a variable of the environment has its value from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source<'a> {
    /// The values of the chart.
    Values(&'a str),
    /// A Secret.
    Secret,
}

/// What is wrong with a release; each line names the value that is to be changed.
pub fn problems(rendered: &Rendered) -> Result<Vec<String>> {
    let root = workspace::root();
    let page = fs::read_to_string(root.join(keys::PAGE)).context("cannot read the page of keys")?;
    let keys = keys::read(&page, &rendered.release.deployable)?;
    let container = rendered.container()?;
    let mut problems = configuration(&rendered.release.deployable, &keys, container);
    problems.extend(ports(&keys, &rendered.release.deployable, container));
    problems.extend(shutdown(&keys, rendered));
    for trigger in triggers(rendered) {
        let metadata = &trigger["metadata"];
        let (stream, consumer) = (text(&metadata["stream"]), text(&metadata["consumer"]));
        let file = format!("{BROKER}/consumers/{stream}/{consumer}.json");
        if !root.join(&file).is_file() {
            problems.push(format!(
                "contracts.handlers: the scaler asks for the consumer {consumer} of the stream \
                 {stream}, and there is no {file}"
            ));
        }
    }
    Ok(problems)
}

/// Keys that do not exist, that are missing, and secrets in plain sight.
fn configuration(deployable: &str, keys: &Keys, container: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut given = BTreeSet::new();
    for (name, source) in variables(container) {
        let Some(key) = keys::of_variable(deployable, name) else { continue };
        let place = if source == Source::Secret { "secretConfig" } else { "config" };
        match keys::find(keys, &key) {
            None => problems.push(format!("{place}.{key}: {deployable} has no such key")),
            // An address with references to variables of Secrets holds no secret itself.
            Some(known) if known.secret => match source {
                Source::Values(value) if !value.contains("$(") => problems.push(format!(
                    "config.{key}: this is secret and belongs into a Secret, by secretConfig"
                )),
                _ => {}
            },
            Some(_) => {}
        }
        given.insert(key);
    }
    for (key, known) in keys.iter().filter(|(_, known)| known.required) {
        if !given.contains(key) && !known.or.iter().any(|other| given.contains(other)) {
            let place = if known.secret { "secretConfig" } else { "config" };
            problems.push(format!("{place}.{key}: {deployable} does not start without it"));
        }
    }
    problems
}

/// Ports that the service does not listen on.
fn ports(keys: &Keys, deployable: &str, container: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for port in container["ports"].as_array().into_iter().flatten() {
        let (name, number) = (text(&port["name"]), &port["containerPort"]);
        let key = format!("{name}.listen");
        let Some(known) = keys.get(&key) else {
            problems.push(format!("ports.{name}: {deployable} has no key {key}"));
            continue;
        };
        let configured = variables(container).find_map(|(variable, source)| match source {
            Source::Values(value)
                if keys::of_variable(deployable, variable).as_ref() == Some(&key) =>
            {
                Some(value)
            }
            _ => None,
        });
        let listens = configured.unwrap_or(&known.default);
        if listens.rsplit(':').next() != Some(&number.to_string()) {
            problems.push(format!(
                "ports.{name}.containerPort: it is {number}, and {deployable} listens on {listens}"
            ));
        }
    }
    problems
}

/// A time to end that is shorter than what the service takes.
fn shutdown(keys: &Keys, rendered: &Rendered) -> Vec<String> {
    let seconds = |key: &str| keys.get(key).and_then(|known| known.default.parse::<u64>().ok());
    // The worker's own bound is what its activities get and 8 s more, as its page says.
    let takes = match seconds("shutdown_grace_seconds") {
        Some(seconds) => seconds,
        None => seconds("worker.drain_seconds").map_or(0, |drain| drain + 8),
    };
    let deployment = rendered.of_kind("Deployment").next().unwrap_or(&Value::Null);
    let pod = &deployment["spec"]["template"]["spec"];
    let granted = pod["terminationGracePeriodSeconds"].as_u64().unwrap_or(30);
    let before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64();
    let longest = longest_wait(rendered);
    let needed = takes + before.unwrap_or(0) + longest;
    if granted > needed {
        return Vec::new();
    }
    vec![format!(
        "shutdown.graceSeconds: the pod is killed after {granted} s, and a shutdown takes up to \
         {takes} s, {} s before it and {longest} s for unanswered messages",
        before.unwrap_or(0)
    )]
}

/// The longest ack wait of the deployable's consumers in seconds, as the broker is told.
fn longest_wait(rendered: &Rendered) -> u64 {
    let prefix = format!("{}-", rendered.release.deployable);
    let directory = workspace::root().join(BROKER).join("consumers");
    let streams = fs::read_dir(directory).into_iter().flatten().flatten();
    let files = streams.flat_map(|stream| fs::read_dir(stream.path()).into_iter().flatten());
    files
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().starts_with(&prefix))
        .filter_map(|file| serde_json::from_slice::<Value>(&fs::read(file.path()).ok()?).ok())
        .filter_map(|consumer| consumer["ack_wait"].as_u64())
        .map(|nanoseconds| nanoseconds.div_ceil(1_000_000_000))
        .max()
        .unwrap_or(0)
}

fn triggers(rendered: &Rendered) -> impl Iterator<Item = &Value> {
    rendered
        .of_kind("ScaledObject")
        .flat_map(|object| object["spec"]["triggers"].as_array().into_iter().flatten())
}

/// The variables of a container.
fn variables(container: &Value) -> impl Iterator<Item = (&str, Source<'_>)> {
    container["env"].as_array().into_iter().flatten().map(|variable| {
        let source = match variable["value"].as_str() {
            Some(value) => Source::Values(value),
            None => Source::Secret,
        };
        (text(&variable["name"]), source)
    })
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::keys::Key;
    use super::*;

    fn key(required: bool, secret: bool, default: &str) -> Key {
        Key { required, secret, default: default.to_owned(), or: Vec::new() }
    }

    fn keys() -> Keys {
        Keys::from([
            ("database.url".to_owned(), key(true, true, "")),
            ("http.listen".to_owned(), key(false, false, "0.0.0.0:8080")),
        ])
    }

    #[test]
    fn each_kind_of_wrong_configuration_is_named_by_its_key() {
        let container = json!({ "env": [
            { "name": "API__DATABASE__URI", "value": "postgres://$(LOGIN)@db" },
            { "name": "PATH", "value": "/bin" },
        ]});
        assert_eq!(
            configuration("api", &keys(), &container),
            [
                "config.database.uri: api has no such key",
                "secretConfig.database.url: api does not start without it",
            ]
        );
        let plain =
            json!({ "env": [{ "name": "API__DATABASE__URL", "value": "postgres://a:b@c" }] });
        let said = configuration("api", &keys(), &plain);
        assert!(said[0].starts_with("config.database.url: this is secret"), "{said:?}");
        let put_together = json!({ "env": [
            { "name": "API__DATABASE__URL", "value": "postgres://$(LOGIN):$(PASSWORD)@c" },
        ]});
        assert!(configuration("api", &keys(), &put_together).is_empty());
    }

    #[test]
    fn a_port_is_where_the_service_listens() {
        let port = |name: &str, number: u16, env: Value| {
            let port = json!({ "name": name, "containerPort": number });
            json!({ "ports": [port], "env": env })
        };
        let moved = json!([{ "name": "API__HTTP__LISTEN", "value": "0.0.0.0:9000" }]);
        assert!(ports(&keys(), "api", &port("http", 8080, json!([]))).is_empty());
        assert!(ports(&keys(), "api", &port("http", 9000, moved.clone())).is_empty());
        assert_eq!(
            ports(&keys(), "api", &port("http", 8080, moved)),
            ["ports.http.containerPort: it is 8080, and api listens on 0.0.0.0:9000"]
        );
        assert_eq!(
            ports(&keys(), "api", &port("metrics", 9090, json!([]))),
            ["ports.metrics: api has no key metrics.listen"]
        );
    }
}
