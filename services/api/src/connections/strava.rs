//! Strava's OAuth endpoints.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use treaty_error::{Code, Error};
use treaty_fetch::{BodyError, read_body, send};
use url::Url;

use super::{Application, Credentials, Grant, TokenPair};
use crate::config::StravaConfig;

/// Longest answer that is read: a real one has about 1 kB.
const MAX_ANSWER: usize = 64 * 1024;
/// What we ask athletes for.
const SCOPE: &str = "read,activity:read_all";

/// Why Strava did not give tokens.
#[derive(Debug, thiserror::Error)]
pub enum StravaError {
    /// The code or the refresh token is not valid (any more).
    #[error("Strava does not accept the code or token")]
    InvalidGrant,
    /// A rate limit is spent.
    #[error("Strava's rate limit is spent")]
    RateLimited,
    /// Strava did not answer, or with a failure of its own.
    #[error("Strava is not reachable just now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Strava does not know our application by its identifier and secret.
    #[error("Strava does not accept the application's identifier and secret")]
    InvalidApplication,
    /// Strava answers something else than agreed.
    #[error("Strava answered in an unexpected way: {0}")]
    Unexpected(String),
}

impl From<StravaError> for Error {
    fn from(error: StravaError) -> Self {
        let message = error.to_string();
        match error {
            StravaError::InvalidGrant => Self::new(Code::FailedPrecondition, message),
            // The limits of Strava are counted in quarters of an hour.
            StravaError::RateLimited => Self::new(Code::ResourceExhausted, message)
                .with_retry_after(Duration::from_secs(60)),
            StravaError::Unavailable(source) => {
                Self::new(Code::Unavailable, message).with_source(source)
            }
            StravaError::InvalidApplication | StravaError::Unexpected(_) => Self::internal(error),
        }
    }
}

/// Strava's OAuth endpoints.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait StravaOAuth: Send + Sync {
    /// The page to send the athlete's browser to.
    async fn authorize_url(&self, state: &SecretString) -> String;
    /// Tokens for a code.
    async fn exchange_code(&self, code: &SecretString) -> Result<Grant, StravaError>;
    /// The next tokens.
    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenPair, StravaError>;
}

/// [`StravaOAuth`] over HTTP.
pub struct StravaOAuthClient {
    http: reqwest::Client,
    authorize: Url,
    token: Url,
    application: Application,
    redirect_url: Url,
}

impl StravaOAuthClient {
    /// Prepares the client.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(config: &StravaConfig, application: Application) -> Result<Self, Error> {
        let http = config.fetch().client()?;
        let endpoint = |name: &str| {
            let base = config.oauth_base_url.as_str().trim_end_matches('/');
            Url::parse(&format!("{base}/oauth/{name}")).map_err(Error::internal)
        };
        Ok(Self {
            http,
            authorize: endpoint("authorize")?,
            token: endpoint("token")?,
            application,
            redirect_url: config.redirect_url.clone(),
        })
    }

    async fn ask(&self, grant: [(&str, &str); 2]) -> Result<Answer, StravaError> {
        let credentials = self.application.credentials().await;
        let answer = self.ask_as(&credentials, grant).await;
        if let Err(StravaError::InvalidApplication) = answer
            && let Some(others) = self.application.instead_of(&credentials).await
        {
            // The secret was replaced a moment ago. Strava has not looked at the grant.
            return self.ask_as(&others, grant).await;
        }
        answer
    }

    async fn ask_as(
        &self,
        credentials: &Credentials,
        grant: [(&str, &str); 2],
    ) -> Result<Answer, StravaError> {
        let form = [
            ("client_id", credentials.id.as_str()),
            ("client_secret", credentials.secret.expose_secret()),
            grant[0],
            grant[1],
        ];
        let request = self.http.post(self.token.clone()).form(&form);
        let response = send(request, "/oauth/token").await.map_err(unavailable)?;
        let status = response.status();
        let body = read_body(response, MAX_ANSWER).await.map_err(unread)?;
        if !status.is_success() {
            return Err(refusal(status, &body));
        }
        // The error of serde could quote the answer, and with it a token.
        serde_json::from_slice(&body)
            .map_err(|_hidden| StravaError::Unexpected("not the tokens that were asked for".into()))
    }
}

#[async_trait]
impl StravaOAuth for StravaOAuthClient {
    async fn authorize_url(&self, state: &SecretString) -> String {
        let credentials = self.application.credentials().await;
        let mut url = self.authorize.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &credentials.id)
            .append_pair("redirect_uri", self.redirect_url.as_str())
            .append_pair("response_type", "code")
            .append_pair("approval_prompt", "auto")
            .append_pair("scope", SCOPE)
            .append_pair("state", state.expose_secret());
        url.into()
    }

    async fn exchange_code(&self, code: &SecretString) -> Result<Grant, StravaError> {
        let answer = self
            .ask([("grant_type", "authorization_code"), ("code", code.expose_secret())])
            .await?;
        let athlete = answer.athlete.as_ref().map(|athlete| athlete.id);
        let strava_athlete_id = athlete.ok_or_else(|| {
            StravaError::Unexpected("it does not say whose tokens they are".into())
        })?;
        Ok(Grant { tokens: answer.tokens()?, strava_athlete_id })
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenPair, StravaError> {
        let grant =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
        self.ask(grant).await?.tokens()
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: SecretString,
    refresh_token: SecretString,
    expires_at: i64,
    athlete: Option<AnswerAthlete>,
}

#[derive(Deserialize)]
struct AnswerAthlete {
    id: i64,
}

impl Answer {
    fn tokens(self) -> Result<TokenPair, StravaError> {
        let expires_at = DateTime::<Utc>::from_timestamp(self.expires_at, 0)
            .ok_or_else(|| StravaError::Unexpected("expires_at is no time".into()))?;
        let Self { access_token, refresh_token, .. } = self;
        Ok(TokenPair { access_token, refresh_token, expires_at })
    }
}

fn unavailable(error: reqwest::Error) -> StravaError {
    // The address holds no secret, but it says nothing that the configuration does not.
    StravaError::Unavailable(Box::new(error.without_url()))
}

fn unread(error: BodyError) -> StravaError {
    match error {
        BodyError::TooLong { .. } => StravaError::Unexpected("the answer is too long".into()),
        BodyError::Broken(error) => unavailable(error),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fault {
    errors: Vec<FaultDetail>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FaultDetail {
    resource: String,
    field: String,
    code: String,
}

/// What a status other than success means. That a grant is invalid ends a connection, so it is
/// believed only when Strava names the grant: a wrong client secret must not end them all.
fn refusal(status: StatusCode, body: &[u8]) -> StravaError {
    if status == StatusCode::TOO_MANY_REQUESTS {
        return StravaError::RateLimited;
    }
    if status.is_server_error() {
        return StravaError::Unavailable(format!("status {status}").into());
    }
    let fault: Fault = serde_json::from_slice(body).unwrap_or_default();
    let of_the_grant = |detail: &FaultDetail| {
        ["code", "refresh_token"].contains(&detail.field.as_str())
            && ["invalid", "expired"].contains(&detail.code.as_str())
    };
    if status.is_client_error() && fault.errors.iter().any(of_the_grant) {
        return StravaError::InvalidGrant;
    }
    let of_the_application = |detail: &FaultDetail| detail.resource == "Application";
    if status == StatusCode::UNAUTHORIZED || fault.errors.iter().any(of_the_application) {
        return StravaError::InvalidApplication;
    }
    StravaError::Unexpected(format!("status {status}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(status: u16, body: &str) -> StravaError {
        refusal(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn only_a_named_grant_is_invalid() {
        let invalid = |field: &str| {
            format!(
                r#"{{"message":"Bad Request","errors":[{{"resource":"X","field":"{field}","code":"invalid"}}]}}"#
            )
        };
        assert!(matches!(means(400, &invalid("refresh_token")), StravaError::InvalidGrant));
        assert!(matches!(means(400, &invalid("code")), StravaError::InvalidGrant));
        let application = r#"{"errors":[{"resource":"Application","field":"client_id"}]}"#;
        assert!(matches!(means(400, application), StravaError::InvalidApplication));
        assert!(matches!(means(401, ""), StravaError::InvalidApplication));
        assert!(matches!(means(400, "<html>"), StravaError::Unexpected(_)));
        assert!(matches!(means(302, ""), StravaError::Unexpected(_)));
        assert!(matches!(means(429, ""), StravaError::RateLimited));
        assert!(matches!(means(503, &invalid("refresh_token")), StravaError::Unavailable(_)));
    }
}
