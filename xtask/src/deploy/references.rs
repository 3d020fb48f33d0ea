//! Whether what a release refers to is there: Secrets and their keys, and the Services of others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::agree::text;
use super::render::{NAMESPACE, Rendered};
use crate::workspace;

/// The page that tells which Secrets a person makes.
const PAGE: &str = "docs/deploy.md";

/// What external-secrets may read of Vault.
const POLICY: &str = "deploy/platform/policies/external-secrets.hcl";

/// What there is in the cluster beside one release.
#[derive(Debug, Default)]
pub struct Cluster {
    /// Keys of Secrets by environment and name.
    secrets: BTreeMap<(String, String), BTreeSet<String>>,
    /// Ports of Services by their names.
    services: BTreeMap<String, BTreeSet<u64>>,
    /// Secrets that a person makes, with their keys.
    by_hand: BTreeMap<String, BTreeSet<String>>,
    /// Vault's policy for external-secrets.
    policy: String,
}

impl Cluster {
    /// What these releases make, and what the page tells a person to make.
    pub fn new(all: &[Rendered]) -> Result<Self> {
        let read = |file: &str| {
            fs::read_to_string(workspace::root().join(file))
                .with_context(|| format!("cannot read {file}"))
        };
        let by_hand = made_by_hand(&read(PAGE)?);
        let mut cluster = Self { by_hand, policy: read(POLICY)?, ..Self::default() };
        for rendered in all {
            cluster.add(rendered);
        }
        Ok(cluster)
    }

    fn add(&mut self, rendered: &Rendered) {
        for secret in rendered.of_kind("ExternalSecret") {
            let spec = &secret["spec"];
            let keys = spec["data"].as_array().into_iter().flatten();
            let mut keys: BTreeSet<_> =
                keys.map(|data| text(&data["secretKey"]).to_owned()).collect();
            if let Some(template) = spec["target"]["template"]["data"].as_object() {
                keys = template.keys().cloned().collect();
            }
            let place =
                (rendered.release.environment.clone(), text(&spec["target"]["name"]).to_owned());
            self.secrets.entry(place).or_default().extend(keys);
        }
        for service in rendered.of_kind("Service") {
            let ports = service["spec"]["ports"].as_array().into_iter().flatten();
            self.services
                .entry(text(&service["metadata"]["name"]).to_owned())
                .or_default()
                .extend(ports.filter_map(|port| port["port"].as_u64()));
        }
    }

    /// What a release refers to and nobody makes.
    pub fn problems(&self, rendered: &Rendered) -> Vec<String> {
        let mut problems = Vec::new();
        for secret in rendered.of_kind("Secret") {
            let name = text(&secret["metadata"]["name"]);
            problems
                .push(format!("{name}: a Secret must not stand in a file: use externalSecrets"));
        }
        problems.extend(rendered.of_kind("ExternalSecret").flat_map(|one| self.unreadable(one)));
        for kind in ["Deployment", "Job"] {
            for object in rendered.of_kind(kind) {
                let pod = &object["spec"]["template"]["spec"];
                problems.extend(self.missing_secrets(&rendered.release.environment, pod));
                problems.extend(self.missing_services(pod));
            }
        }
        problems.sort();
        problems.dedup();
        problems
    }

    /// Paths of Vault that external-secrets may not read.
    fn unreadable(&self, secret: &Value) -> Vec<String> {
        let name = text(&secret["metadata"]["name"]);
        let mut problems = Vec::new();
        for data in secret["spec"]["data"].as_array().into_iter().flatten() {
            let (key, path) = (text(&data["secretKey"]), text(&data["remoteRef"]["key"]));
            if !self.policy.contains(&format!("\"secret/data/{path}\"")) {
                problems.push(format!(
                    "externalSecrets.{name}.data.{key}.path: {POLICY} lets nobody read {path}"
                ));
            }
        }
        problems
    }

    fn missing_secrets(&self, environment: &str, pod: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        let variables = pod["containers"].as_array().into_iter().flatten();
        let variables = variables.flat_map(|one| one["env"].as_array().into_iter().flatten());
        for reference in variables.map(|variable| &variable["valueFrom"]["secretKeyRef"]) {
            let (name, key) = (text(&reference["name"]), text(&reference["key"]));
            if !name.is_empty() && !self.holds(environment, name, Some(key)) {
                problems.push(format!(
                    "the Secret {name} has no {key}: externalSecrets.{name}.data.{key} is missing, \
                     and {PAGE} does not tell a person to make it"
                ));
            }
        }
        for reference in pod["imagePullSecrets"].as_array().into_iter().flatten() {
            let name = text(&reference["name"]);
            if !self.holds(environment, name, None) {
                problems.push(format!("imagePullSecrets: nobody makes the Secret {name}"));
            }
        }
        problems
    }

    fn holds(&self, environment: &str, name: &str, key: Option<&str>) -> bool {
        let place = (environment.to_owned(), name.to_owned());
        // What is made by hand is made in development alone.
        let by_hand = self.by_hand.get(name).filter(|_| environment == "dev");
        [self.secrets.get(&place), by_hand]
            .into_iter()
            .flatten()
            .any(|keys| key.is_none_or(|key| keys.contains(key)))
    }

    /// Addresses below our namespace that no Service answers.
    fn missing_services(&self, pod: &Value) -> Vec<String> {
        let variables = pod["containers"].as_array().into_iter().flatten();
        let variables = variables.flat_map(|one| one["env"].as_array().into_iter().flatten());
        let suffix = format!(".{NAMESPACE}.svc.cluster.local");
        let mut problems = Vec::new();
        for variable in variables {
            let (name, value) = (text(&variable["name"]), text(&variable["value"]));
            for address in value.split(',') {
                let Some((service, port)) = address.split_once(&suffix) else { continue };
                let service = service.rsplit('/').next().unwrap_or(service);
                let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
                let known = self.services.get(service);
                if known.is_none_or(|ports| port.is_none_or(|port| !ports.contains(&port))) {
                    let key = name.split_once("__").map_or(name, |(_, key)| key);
                    let key = key.to_lowercase().replace("__", ".");
                    problems.push(format!("config.{key}: no Service answers {address}"));
                }
            }
        }
        problems
    }
}

/// The Secrets that `kubectl create secret` makes on a page, with their keys.
fn made_by_hand(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut secrets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let joined = page.replace("\\\n", " ");
    for line in joined.lines().filter(|line| line.contains("kubectl create secret ")) {
        let words: Vec<_> = line.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| *word == "secret") else { continue };
        let Some(name) = words.get(at + 2) else { continue };
        let keys = secrets.entry((*name).to_owned()).or_default();
        for word in &words {
            if let Some((key, _)) =
                word.strip_prefix("--from-literal=").and_then(|literal| literal.split_once('='))
            {
                keys.insert(key.to_owned());
            }
        }
    }
    secrets
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::render::Release;
    use super::*;

    fn rendered(environment: &str, documents: Vec<Value>) -> Rendered {
        let release =
            Release { deployable: "consumer".to_owned(), environment: environment.to_owned() };
        Rendered { release, text: String::new(), documents }
    }

    fn deployment(env: &Value) -> Value {
        json!({ "kind": "Deployment", "spec": { "template": { "spec": {
            "containers": [{ "env": env }] } } } })
    }

    #[test]
    fn what_a_page_makes_is_there_in_development_alone() {
        let page = "    kubectl create secret generic tokens \\\n      --from-literal=CONSUMER=x\n";
        let cluster = Cluster { by_hand: made_by_hand(page), ..Cluster::default() };
        let env = json!([{ "name": "A", "valueFrom": { "secretKeyRef":
            { "name": "tokens", "key": "CONSUMER" } } }]);
        assert!(cluster.problems(&rendered("dev", vec![deployment(&env)])).is_empty());
        let said = cluster.problems(&rendered("prod", vec![deployment(&env)]));
        assert!(said[0].contains("externalSecrets.tokens.data.CONSUMER"), "{said:?}");
    }

    #[test]
    fn an_address_is_a_service_s_with_its_port() {
        let service = json!({ "kind": "Service", "metadata": { "name": "stravasync-api-dev" },
            "spec": { "ports": [{ "port": 9233 }] } });
        let mut cluster = Cluster::default();
        cluster.add(&rendered("dev", vec![service]));
        let asks = |address: &str| {
            let env = json!([{ "name": "CONSUMER__PEERS__API__ADDRESS", "value": address }]);
            cluster.problems(&rendered("dev", vec![deployment(&env)]))
        };
        assert!(asks("stravasync-api-dev.stravasync.svc.cluster.local:9233").is_empty());
        assert!(asks("nats://nats.platform.svc.cluster.local:4222").is_empty());
        for wrong in ["stravasync-api-dev", "stravasync-api"] {
            let port = if wrong == "stravasync-api" { 9233 } else { 80 };
            let said = asks(&format!("{wrong}.stravasync.svc.cluster.local:{port}"));
            assert!(said[0].starts_with("config.peers.api.address: "), "{said:?}");
        }
    }

    #[test]
    fn what_vault_does_not_let_be_read_is_named() {
        let secret = json!({ "kind": "ExternalSecret", "metadata": { "name": "db" }, "spec": {
            "target": { "name": "db" },
            "data": [{ "secretKey": "LOGIN", "remoteRef": { "key": "elsewhere" } }] } });
        let policy = "path \"secret/data/db\" {}".to_owned();
        let cluster = Cluster { policy, ..Cluster::default() };
        let said = cluster.problems(&rendered("prod", vec![secret]));
        assert!(said[0].starts_with("externalSecrets.db.data.LOGIN.path: "), "{said:?}");
    }

    #[test]
    fn a_secret_in_a_file_is_refused() {
        let secret = json!({ "kind": "Secret", "metadata": { "name": "oops" } });
        let said = Cluster::default().problems(&rendered("dev", vec![secret]));
        assert!(said[0].starts_with("oops: "), "{said:?}");
    }
}
