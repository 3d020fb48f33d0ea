//! Dead letters over the wire.

use std::time::{Duration, Instant};

use api_port::operations_v1 as proto;
use async_trait::async_trait;
use treaty_error::{Code, Error, Result};
use treaty_nats::DeadLetterFilter;
use treaty_rpc::Context;

use super::service::{Decision, Fate, Selection};
use super::{DeadLetters, message, token};
use crate::page;

/// What a list keeps of its time, for the answer to reach the caller.
const TO_ANSWER: Duration = Duration::from_secs(3);

/// What a redrive keeps of its time: the last letter that was begun may be tried for 20 seconds, and
/// its removal takes up to 5. A call that is cut off loses nothing, but its caller does not learn
/// what was done.
const TO_END: Duration = Duration::from_secs(28);

/// Answers `DeadLettersService`.
pub struct DeadLettersRpc {
    service: DeadLetters,
}

impl DeadLettersRpc {
    /// Over the rules.
    #[must_use]
    pub fn new(service: DeadLetters) -> Self {
        Self { service }
    }
}

#[async_trait]
impl proto::DeadLettersService for DeadLettersRpc {
    async fn list_dead_letters(
        &self,
        context: &Context,
        request: proto::ListDeadLettersRequest,
    ) -> Result<proto::ListDeadLettersResponse> {
        let from = token::decode("page_token", &request.page_token)?;
        let filter = filter(request.filter.unwrap_or_default())?;
        let until = until(context, TO_ANSWER);
        let page = self.service.list(filter, from, size(request.page_size), until).await?;
        Ok(proto::ListDeadLettersResponse {
            dead_letters: page.letters.into_iter().map(message::letter).collect(),
            next_page_token: token::encode(page.next),
        })
    }

    async fn get_dead_letter(
        &self,
        _context: &Context,
        request: proto::GetDeadLetterRequest,
    ) -> Result<proto::GetDeadLetterResponse> {
        let (letter, payload) = self.service.get(request.number).await?;
        let (shown, hidden_fields) = message::payload(&letter, payload);
        Ok(proto::GetDeadLetterResponse {
            headers: message::headers(&letter),
            dead_letter: Some(message::letter(letter)),
            payload: Some(shown),
            hidden_fields,
        })
    }

    async fn redrive_dead_letters(
        &self,
        context: &Context,
        request: proto::RedriveDeadLettersRequest,
    ) -> Result<proto::RedriveDeadLettersResponse> {
        let to = Some(request.to_handler.as_str()).filter(|name| !name.is_empty());
        let selection = selection(request.numbers, request.filter, request.limit, &request.token)?;
        let decision = Decision::Redrive { to };
        let until = until(context, TO_END);
        let decided = self.service.decide(selection, decision, request.dry_run, until).await?;
        let driven = |(_, fate): &&(u64, Fate)| matches!(fate, Fate::Driven { .. });
        let driven = decided.fates.iter().filter(driven).count();
        if driven > 0 {
            tracing::info!(driven, "an operator drove dead letters again");
        }
        Ok(proto::RedriveDeadLettersResponse {
            outcomes: decided.fates.into_iter().map(message::outcome).collect(),
            next_token: token::encode(decided.next),
        })
    }

    async fn discard_dead_letters(
        &self,
        context: &Context,
        request: proto::DiscardDeadLettersRequest,
    ) -> Result<proto::DiscardDeadLettersResponse> {
        let selection = selection(request.numbers, request.filter, request.limit, &request.token)?;
        let until = until(context, TO_ANSWER);
        let decided =
            self.service.decide(selection, Decision::Discard, request.dry_run, until).await?;
        let gone = decided.fates.iter().filter_map(|(number, fate)| match fate {
            Fate::Discarded | Fate::Spared => Some(*number),
            _ => None,
        });
        let numbers: Vec<u64> = gone.collect();
        if !request.dry_run && !numbers.is_empty() {
            tracing::info!(?numbers, "an operator discarded dead letters");
        }
        Ok(proto::DiscardDeadLettersResponse { numbers, next_token: token::encode(decided.next) })
    }
}

/// When a call should begin nothing more.
fn until(context: &Context, kept: Duration) -> Instant {
    let now = Instant::now();
    // The contract gives each of these calls a deadline; a caller's own may be shorter than what is
    // kept, and then one letter is begun all the same.
    let least = now + Duration::from_millis(100);
    context
        .deadline()
        .and_then(|deadline| deadline.checked_sub(kept))
        .map_or(least, |until| until.max(least))
}

fn size(requested: i32) -> usize {
    usize::try_from(page::size(requested)).unwrap_or_default()
}

fn filter(filter: proto::DeadLetterFilter) -> Result<DeadLetterFilter> {
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let code = match given(filter.reason) {
        None => None,
        Some(name) => Some(Code::from_name(&name).ok_or_else(|| {
            let all: Vec<_> = Code::all().map(Code::as_str).collect();
            Error::invalid_field("filter.reason", format!("is none of {}", all.join(", ")))
        })?),
    };
    Ok(DeadLetterFilter { stream: given(filter.stream), durable: given(filter.handler), code })
}

/// The contract has seen to it that either numbers or a filter is there.
fn selection(
    numbers: Vec<u64>,
    wanted: Option<proto::DeadLetterFilter>,
    limit: i32,
    text: &str,
) -> Result<Selection> {
    let Some(wanted) = wanted else {
        return match (limit, text) {
            (0, "") => Ok(Selection::Numbers(numbers)),
            (0, _) => Err(Error::invalid_field("token", "goes with a filter, not with numbers")),
            _ => Err(Error::invalid_field("limit", "goes with a filter, not with numbers")),
        };
    };
    let from = token::decode("token", text)?;
    Ok(Selection::Fitting { filter: filter(wanted)?, from, limit: size(limit) })
}
