//! What is there, by JetStream's API (NATS architecture decision record 1).

use std::time::Duration;

use async_nats::Client;
use serde_json::{Map, Value, json};

use crate::plan::Found;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A server with JetStream.
#[derive(Clone, Debug)]
pub struct Server {
    client: Client,
}

/// Why the server did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No answer came.
    #[error(
        "the server did not answer {subject}: is JetStream on, and may this user do it? It needs \
         the permissions of an operator"
    )]
    Silent {
        /// Subject of the request.
        subject: String,
        /// What the client said.
        source: async_nats::RequestError,
    },
    /// The answer was not JSON.
    #[error("the server's answer to {subject} cannot be read")]
    Unreadable {
        /// Subject of the request.
        subject: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The server refused.
    #[error("the server refused {subject}: {description}")]
    Refused {
        /// Subject of the request.
        subject: String,
        /// The server's words.
        description: String,
    },
}

impl Server {
    /// Talks over a connection.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Every stream and every durable consumer.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn found(&self) -> Result<Found, ServerError> {
        let mut found = Found::default();
        for info in self.pages("STREAM.LIST", "streams").await? {
            let Some(config) = object(&info, "config") else { continue };
            let name = config.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            for consumer in self.pages(&format!("CONSUMER.LIST.{name}"), "consumers").await? {
                let Some(config) = object(&consumer, "config") else { continue };
                if let Some(durable) = config.get("durable_name").and_then(Value::as_str) {
                    found.consumers.insert((name.clone(), durable.to_owned()), config.clone());
                }
            }
            found.streams.insert(name, config.clone());
        }
        Ok(found)
    }

    /// Asks for all pages of a list.
    async fn pages(&self, what: &str, key: &str) -> Result<Vec<Value>, ServerError> {
        let mut items = Vec::new();
        loop {
            let mut page = self.ask(what, json!({ "offset": items.len() })).await?;
            let total = page["total"].as_u64().and_then(|total| usize::try_from(total).ok());
            let Some(Value::Array(more)) = page.get_mut(key).map(Value::take) else { break };
            let ended = more.is_empty();
            items.extend(more);
            if ended || total.is_none_or(|total| items.len() >= total) {
                break;
            }
        }
        Ok(items)
    }

    /// One request to the API.
    pub(crate) async fn ask(&self, what: &str, body: Value) -> Result<Value, ServerError> {
        let subject = format!("$JS.API.{what}");
        let request = async_nats::Request::new()
            .timeout(Some(TIMEOUT))
            .payload(body.to_string().into_bytes().into());
        let answer = match self.client.send_request(subject.clone(), request).await {
            Ok(answer) => answer,
            Err(source) => return Err(ServerError::Silent { subject, source }),
        };
        let answer: Value = match serde_json::from_slice(&answer.payload) {
            Ok(answer) => answer,
            Err(source) => return Err(ServerError::Unreadable { subject, source }),
        };
        match answer.get("error") {
            None => Ok(answer),
            Some(error) => {
                let description = error["description"].as_str().unwrap_or("without a reason");
                Err(ServerError::Refused { subject, description: description.to_owned() })
            }
        }
    }
}

fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Map<String, Value>> {
    value.get(key).and_then(Value::as_object)
}
