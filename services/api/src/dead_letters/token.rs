//! Places in the list of dead letters, as tokens that callers hand back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use treaty_error::Error;
use treaty_nats::DeadLetterPlace;

/// The token of a place; empty for none.
pub(super) fn encode(place: Option<DeadLetterPlace>) -> String {
    let Some(DeadLetterPlace { after, newest }) = place else { return String::new() };
    let bytes = [after.to_be_bytes(), newest.to_be_bytes()].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that a token names; `None` for an empty one, which asks for the beginning.
///
/// # Errors
/// When we have not made it; `field` is where it stands in the request.
pub(super) fn decode(field: &str, token: &str) -> Result<Option<DeadLetterPlace>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let strange =
        || Error::invalid_field(field, "is no token of this list; leave it empty to start");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| strange())?;
    let (after, newest) = bytes.split_first_chunk::<8>().ok_or_else(strange)?;
    let newest: &[u8; 8] = newest.try_into().map_err(|_| strange())?;
    let place =
        DeadLetterPlace { after: u64::from_be_bytes(*after), newest: u64::from_be_bytes(*newest) };
    // Numbers begin at 1, so a walk that has not begun is a token too.
    if place.after < place.newest { Ok(Some(place)) } else { Err(strange()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_strange_ones_are_refused() {
        let place = DeadLetterPlace { after: 7, newest: 1_000 };
        assert_eq!(decode("token", &encode(Some(place))).unwrap(), Some(place));
        assert_eq!(decode("token", &encode(None)).unwrap(), None);
        let beyond = encode(Some(DeadLetterPlace { after: u64::MAX, newest: 3 }));
        for strange in ["x", "====", "AAAA", beyond.as_str(), &format!("{}AA", encode(Some(place)))]
        {
            let error = decode("page_token", strange).unwrap_err();
            assert_eq!(error.violations()[0].field, "page_token", "{strange}");
        }
    }
}
