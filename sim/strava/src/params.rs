//! Parameters wherever a client puts them: Strava reads query, form and JSON body alike.

use axum::body;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use serde_json::Value;
use url::form_urlencoded;

use crate::reply::Refusal;

const MAX_BODY: usize = 64 * 1024;

/// The parameters of one request; the first of a name counts, the query before the body.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn from_query(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A number, `None` when absent; refuses what is not one.
    pub(crate) fn number<N: std::str::FromStr>(
        &self,
        name: &'static str,
    ) -> Result<Option<N>, Refusal> {
        let parse = |text: &str| {
            text.parse().map_err(|_| Refusal::bad_request("Application", name, "invalid"))
        };
        self.get(name).filter(|text| !text.is_empty()).map(parse).transpose()
    }

    fn extend_from_body(&mut self, content_type: &str, body: &Bytes) {
        if content_type.starts_with("application/json") {
            if let Ok(Value::Object(fields)) = serde_json::from_slice(body) {
                self.0.extend(fields.into_iter().filter_map(|(key, value)| match value {
                    Value::String(text) => Some((key, text)),
                    Value::Number(number) => Some((key, number.to_string())),
                    _ => None,
                }));
            }
        } else {
            self.0.extend(form_urlencoded::parse(body).into_owned());
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let mut params = Self::from_query(parts.uri.query());
        let body = body::to_bytes(body, MAX_BODY)
            .await
            .map_err(|_| Refusal::bad_request("Application", "body", "invalid"))?;
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        params.extend_from_body(content_type.unwrap_or_default(), &body);
        Ok(params)
    }
}
