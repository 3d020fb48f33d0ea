//! Connections as the contract shows them.

use api_port::connections_v1 as proto;
use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use treaty_error::{Error, Result};
use treaty_rpc::Context;

use super::{Connections, ConsentAnswer, RejectedToken};
use crate::convert;

/// Answers `ConnectionsService`.
pub struct ConnectionsRpc {
    service: Connections,
}

impl ConnectionsRpc {
    /// Over the rules.
    #[must_use]
    pub fn new(service: Connections) -> Self {
        Self { service }
    }
}

#[async_trait]
impl proto::ConnectionsService for ConnectionsRpc {
    async fn start_consent(
        &self,
        _context: &Context,
        request: proto::StartConsentRequest,
    ) -> Result<proto::StartConsentResponse> {
        let athlete_id = convert::athlete_id(&request.athlete_id)?;
        let authorize_url = self.service.start_consent(athlete_id).await?;
        Ok(proto::StartConsentResponse { authorize_url })
    }

    async fn complete_consent(
        &self,
        _context: &Context,
        request: proto::CompleteConsentRequest,
    ) -> Result<proto::CompleteConsentResponse> {
        let answer = ConsentAnswer {
            state: request.state.into(),
            code: request.code.into(),
            scope: request.scope,
            error: request.error,
        };
        let athlete_id = self.service.complete_consent(answer).await?;
        Ok(proto::CompleteConsentResponse { athlete_id: athlete_id.to_string() })
    }

    async fn get_access_token(
        &self,
        _context: &Context,
        request: proto::GetAccessTokenRequest,
    ) -> Result<proto::GetAccessTokenResponse> {
        let athlete_id = convert::athlete_id(&request.athlete_id)?;
        let rejected = rejected(&request.rejected_token_digest)?;
        let token = self.service.access_token(athlete_id, rejected).await?;
        Ok(proto::GetAccessTokenResponse {
            access_token: token.tokens.access_token.expose_secret().to_owned(),
            expire_time: Some(convert::timestamp(token.tokens.expires_at)),
            strava_athlete_id: token.strava_athlete_id,
        })
    }
}

/// The token that the caller has met, if any.
fn rejected(digest: &[u8]) -> Result<Option<RejectedToken>> {
    if digest.is_empty() {
        return Ok(None);
    }
    let wrong = |_| Error::invalid_field("rejected_token_digest", "must have 32 bytes");
    digest.try_into().map(|digest| Some(RejectedToken(digest))).map_err(wrong)
}
