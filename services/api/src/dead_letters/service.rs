//! What operators do with dead letters.

use std::time::Instant;

use treaty_error::{Code, Error, Result};
use treaty_nats::{DeadLetter, DeadLetterFilter, DeadLetterPlace, DeadLetterStep, DeadLetterWalk};
use treaty_payload::{Contracts, Payload};

use super::OperatorBroker;

/// The letters that a call is about.
pub enum Selection {
    /// These.
    Numbers(Vec<u64>),
    /// Those that fit, oldest first.
    Fitting {
        /// What they have to fit.
        filter: DeadLetterFilter,
        /// Where an earlier call has come to.
        from: Option<DeadLetterPlace>,
        /// At most so many.
        limit: usize,
    },
}

/// Letters, and where to go on.
pub struct Page {
    /// Oldest first.
    pub letters: Vec<DeadLetter>,
    /// `None` when nothing is left.
    pub next: Option<DeadLetterPlace>,
}

/// What became of a letter.
pub enum Fate {
    /// It is published and gone; whether the stream had it before, and its sequence there.
    Driven {
        /// From a redrive that was interrupted.
        before: bool,
        /// Sequence of the message in its stream.
        sequence: u64,
    },
    /// It was removed.
    Discarded,
    /// It would have been driven again or removed.
    Spared,
    /// It is still there, for this reason.
    Kept(Error),
    /// There is no such letter.
    Missing,
}

/// What became of the letters of a call, by number, and where to go on.
pub struct Decided {
    /// In the order of the selection; those that time did not suffice for are left out.
    pub fates: Vec<(u64, Fate)>,
    /// `None` when nothing is left.
    pub next: Option<DeadLetterPlace>,
}

/// What is done with letters.
#[derive(Clone, Copy)]
pub enum Decision<'a> {
    /// They are published again, for the handler that failed or another one.
    Redrive {
        /// The other handler's durable consumer.
        to: Option<&'a str>,
    },
    /// They are removed for good.
    Discard,
}

/// Dead letters as operators deal with them.
pub struct DeadLetters {
    broker: OperatorBroker,
    contracts: Contracts,
}

impl DeadLetters {
    /// Of a broker; `contracts` are what payloads are read by.
    #[must_use]
    pub fn new(broker: OperatorBroker, contracts: Contracts) -> Self {
        Self { broker, contracts }
    }

    /// Letters that fit, at most `size`; fewer when there was no time to look at more.
    ///
    /// # Errors
    /// The broker cannot be used; the filter names what cannot be a name.
    pub async fn list(
        &self,
        filter: DeadLetterFilter,
        from: Option<DeadLetterPlace>,
        size: usize,
        until: Instant,
    ) -> Result<Page> {
        let mut walk = self.broker.dead_letters().await?.walk(filter, from).await?;
        let mut letters = Vec::new();
        while letters.len() < size {
            let Some(letter) = next(&mut walk, until).await? else { break };
            // A page of payloads could be as large as all that the stream holds.
            letters.push(letter.without_payload());
        }
        Ok(Page { letters, next: walk.place() })
    }

    /// One letter, and what may be shown of its payload.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none; the broker cannot be used.
    pub async fn get(&self, number: u64) -> Result<(DeadLetter, Payload)> {
        let letter = self.broker.dead_letters().await?.get(number).await?;
        let payload = match letter.payload_elsewhere() {
            Some(why) => Payload::Withheld { why },
            None => self.contracts.read_payload(letter.event.as_deref(), &letter.payload),
        };
        Ok((letter, payload))
    }

    /// Does with each letter what was decided, or only tells what would be done (`dry_run`). No
    /// letter is begun after `until`.
    ///
    /// # Errors
    /// The broker cannot be used, and nothing was done yet. Later that ends the call with what is
    /// done: no other letter would fare better.
    pub async fn decide(
        &self,
        selection: Selection,
        decision: Decision<'_>,
        dry_run: bool,
        until: Instant,
    ) -> Result<Decided> {
        let letters = self.broker.dead_letters().await?;
        let mut queue = Queue::of(&letters, selection).await?;
        let mut fates: Vec<(u64, Fate)> = Vec::new();
        loop {
            let place = queue.place();
            let (number, fate) = match queue.next(&letters, until).await {
                Ok(None) => return Ok(Decided { fates, next: queue.place() }),
                Ok(Some(Err(missing))) => (missing, Fate::Missing),
                Ok(Some(Ok(letter))) => {
                    let fate = carry_out(&letters, &letter, decision, dry_run).await;
                    (letter.number, fate)
                }
                Err(error) if fates.is_empty() => return Err(error),
                Err(error) => {
                    tracing::warn!(error = error.chain(), "dead letters are left for later");
                    return Ok(Decided { fates, next: place });
                }
            };
            match fate {
                Fate::Kept(error) if error.code() == Code::Unavailable => {
                    if fates.is_empty() {
                        return Err(error);
                    }
                    fates.push((number, Fate::Kept(error)));
                    return Ok(Decided { fates, next: place });
                }
                fate => fates.push((number, fate)),
            }
        }
    }
}

async fn carry_out(
    letters: &treaty_nats::DeadLetters,
    letter: &DeadLetter,
    decision: Decision<'_>,
    dry_run: bool,
) -> Fate {
    if dry_run {
        return Fate::Spared;
    }
    match decision {
        Decision::Redrive { to } => match letters.redrive(letter, to).await {
            Ok(published) => {
                Fate::Driven { before: published.duplicate, sequence: published.stream_sequence }
            }
            Err(error) => Fate::Kept(error),
        },
        Decision::Discard => match letters.discard(letter.number).await {
            Ok(true) => Fate::Discarded,
            Ok(false) => Fate::Missing,
            Err(error) => Fate::Kept(error),
        },
    }
}

/// The letters of a selection, one after the other: each is acted upon before the next one is read,
/// so memory is bounded and what we know of it is fresh.
enum Queue {
    Numbers(std::vec::IntoIter<u64>),
    Walk { walk: DeadLetterWalk, left: usize },
}

impl Queue {
    async fn of(letters: &treaty_nats::DeadLetters, selection: Selection) -> Result<Self> {
        Ok(match selection {
            Selection::Numbers(numbers) => Self::Numbers(numbers.into_iter()),
            Selection::Fitting { filter, from, limit } => {
                Self::Walk { walk: letters.walk(filter, from).await?, left: limit }
            }
        })
    }

    fn place(&self) -> Option<DeadLetterPlace> {
        match self {
            Self::Numbers(_) => None,
            Self::Walk { walk, .. } => walk.place(),
        }
    }

    /// The next letter, or the number of one that is not there; `None` at the end and when time is
    /// over.
    async fn next(
        &mut self,
        letters: &treaty_nats::DeadLetters,
        until: Instant,
    ) -> Result<Option<std::result::Result<DeadLetter, u64>>> {
        match self {
            Self::Numbers(_) if Instant::now() >= until => Ok(None),
            Self::Numbers(numbers) => {
                let Some(number) = numbers.next() else { return Ok(None) };
                match letters.get(number).await {
                    Ok(letter) => Ok(Some(Ok(letter))),
                    Err(error) if error.code() == Code::NotFound => Ok(Some(Err(number))),
                    Err(error) => Err(error),
                }
            }
            Self::Walk { left: 0, .. } => Ok(None),
            Self::Walk { walk, left } => {
                let found = next(walk, until).await?;
                *left -= usize::from(found.is_some());
                Ok(found.map(Ok))
            }
        }
    }
}

/// The next letter that fits; `None` at the end and when time is over.
async fn next(walk: &mut DeadLetterWalk, until: Instant) -> Result<Option<DeadLetter>> {
    while Instant::now() < until {
        match walk.step().await? {
            DeadLetterStep::Letter(letter) => return Ok(Some(*letter)),
            DeadLetterStep::Passed => {}
            DeadLetterStep::End => break,
        }
    }
    Ok(None)
}
