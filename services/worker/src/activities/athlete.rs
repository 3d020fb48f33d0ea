//! One athlete, of whom a sync makes sense.

use treaty_error::{Code, Error, Result};
use treaty_rpc::Context;
use worker_port::athletes_v1::{Athlete, AthletesService, ConnectionState, GetAthleteRequest};

/// The athlete. Neither `NOT_FOUND` nor `FAILED_PRECONDITION`, when Strava does not let us read the
/// athlete's activities, gets better by trying again.
pub(super) async fn connected(
    athletes: &dyn AthletesService,
    context: &Context,
    athlete_id: &str,
) -> Result<Athlete> {
    let request = GetAthleteRequest { athlete_id: athlete_id.to_owned() };
    let athlete = athletes.get_athlete(context, request).await?.athlete.unwrap_or_default();
    if athlete.connection_state() != ConnectionState::Connected {
        let message = "the athlete has to connect to Strava first";
        return Err(Error::new(Code::FailedPrecondition, message));
    }
    Ok(athlete)
}
