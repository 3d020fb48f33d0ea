//! Athletes as the contract shows them.

use api_port::athletes_v1 as proto;
use async_trait::async_trait;
use stravasync_schema::ConnectionState;
use treaty_error::{Error, Result};
use treaty_rpc::Context;

use super::{Athlete, AthleteFilter, AthleteKey, Athletes, StateFilter};
use crate::{convert, page};

/// Answers `AthletesService`.
pub struct AthletesRpc {
    service: Athletes,
}

impl AthletesRpc {
    /// Over the rules.
    #[must_use]
    pub fn new(service: Athletes) -> Self {
        Self { service }
    }
}

#[async_trait]
impl proto::AthletesService for AthletesRpc {
    async fn register_athlete(
        &self,
        _context: &Context,
        request: proto::RegisterAthleteRequest,
    ) -> Result<proto::RegisterAthleteResponse> {
        let athlete = self.service.register(&request.display_name, &request.email).await?;
        Ok(proto::RegisterAthleteResponse { athlete: Some(message(athlete)) })
    }

    async fn get_athlete(
        &self,
        _context: &Context,
        request: proto::GetAthleteRequest,
    ) -> Result<proto::GetAthleteResponse> {
        let athlete = self.service.get(convert::athlete_id(&request.athlete_id)?).await?;
        Ok(proto::GetAthleteResponse { athlete: Some(message(athlete)) })
    }

    async fn list_athletes(
        &self,
        _context: &Context,
        request: proto::ListAthletesRequest,
    ) -> Result<proto::ListAthletesResponse> {
        let size = page::size(request.page_size);
        let after = AthleteKey::decode(&request.page_token)?;
        let page = self.service.list(filter(&request)?, after, size).await?;
        Ok(proto::ListAthletesResponse {
            athletes: page.athletes.into_iter().map(message).collect(),
            next_page_token: page.next.map(|key| key.encode()).unwrap_or_default(),
        })
    }
}

fn filter(request: &proto::ListAthletesRequest) -> Result<AthleteFilter> {
    let not_synced_since = match &request.not_synced_since {
        None => None,
        Some(time) => Some(convert::time(time).ok_or_else(|| {
            Error::invalid_field("not_synced_since", "is no time of the years 1 to 9999")
        })?),
    };
    Ok(AthleteFilter { state: state_filter(request.connection_state)?, not_synced_since })
}

fn state_filter(state: i32) -> Result<StateFilter> {
    match proto::ConnectionState::try_from(state) {
        Ok(proto::ConnectionState::Unspecified) => Ok(StateFilter::Any),
        Ok(proto::ConnectionState::None) => Ok(StateFilter::NeverConnected),
        Ok(proto::ConnectionState::Connected) => Ok(StateFilter::In(ConnectionState::Connected)),
        Ok(proto::ConnectionState::Revoked) => Ok(StateFilter::In(ConnectionState::Revoked)),
        Err(_) => Err(Error::invalid_field("connection_state", "is no state that we know")),
    }
}

fn message(athlete: Athlete) -> proto::Athlete {
    let state = match athlete.connection_state {
        None => proto::ConnectionState::None,
        Some(ConnectionState::Connected) => proto::ConnectionState::Connected,
        Some(ConnectionState::Revoked) => proto::ConnectionState::Revoked,
    };
    proto::Athlete {
        athlete_id: athlete.athlete_id.to_string(),
        display_name: athlete.display_name,
        email: athlete.email,
        connection_state: state.into(),
        create_time: Some(convert::timestamp(athlete.created_at)),
        last_sync_time: athlete.last_synced_at.map(convert::timestamp),
    }
}
