//! A walk through dead letters, oldest first, which can be left and taken up again.

use futures::stream::{self, Stream as Items};
use treaty_error::{Code, Error};

use super::{DeadLetter, DeadLetterFilter, DeadLetters};
use crate::streams::DEAD_LETTERS;

/// How far a walk has come. It names letters by their numbers, so whatever is set aside or
/// removed meanwhile neither repeats nor hides another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadLetterPlace {
    /// Letters up to this number are behind.
    pub after: u64,
    /// Where the walk ends: the newest letter of the moment when it began. What becomes a
    /// dead letter during the walk, because it was driven again and failed again, is not part
    /// of it.
    pub newest: u64,
}

/// What one step of a walk came to.
#[derive(Debug)]
pub enum DeadLetterStep {
    /// A letter that fits.
    Letter(Box<DeadLetter>),
    /// A letter that was looked at and does not fit.
    Passed,
    /// There are no more.
    End,
}

/// A walk through the letters that fit a filter, one request for each letter that is looked
/// at. Whoever walks decides after each step whether to go on.
#[derive(Debug)]
pub struct DeadLetterWalk {
    letters: DeadLetters,
    filter: DeadLetterFilter,
    subject: String,
    place: DeadLetterPlace,
}

impl DeadLetters {
    /// A walk through the letters that fit, from the oldest one or from where an earlier walk
    /// with the same filter has come to.
    ///
    /// # Errors
    /// The filter names what cannot be a name; the server is not reachable.
    pub async fn walk(
        &self,
        filter: DeadLetterFilter,
        from: Option<DeadLetterPlace>,
    ) -> Result<DeadLetterWalk, Error> {
        let subject = filter.subject()?;
        let place = match from {
            Some(place) => place,
            None => DeadLetterPlace { after: 0, newest: self.newest().await? },
        };
        Ok(DeadLetterWalk { letters: self.clone(), filter, subject, place })
    }

    /// The letters that fit, oldest first, one request for each letter that is looked at.
    /// It ends with the newest letter of the moment of the call: what becomes a dead letter
    /// meanwhile, because it was driven again and failed again, is not among them.
    ///
    /// # Errors
    /// The filter names what cannot be a name; the server is not reachable.
    pub async fn find(
        &self,
        filter: DeadLetterFilter,
    ) -> Result<impl Items<Item = Result<DeadLetter, Error>> + Send + use<>, Error> {
        let walk = self.walk(filter, None).await?;
        Ok(stream::try_unfold(walk, async |mut walk| {
            loop {
                match walk.step().await? {
                    DeadLetterStep::Letter(letter) => return Ok(Some((*letter, walk))),
                    DeadLetterStep::Passed => {}
                    DeadLetterStep::End => return Ok(None),
                }
            }
        }))
    }

    async fn newest(&self) -> Result<u64, Error> {
        match self.connection.stream_info(&DEAD_LETTERS).await {
            Ok(info) => Ok(info.last_sequence),
            // No handler has run yet, so nothing has failed.
            Err(error) if error.code() == Code::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }
}

impl DeadLetterWalk {
    /// Looks at the next letter.
    ///
    /// # Errors
    /// The server is not reachable, or does not permit it. The walk has not moved then.
    pub async fn step(&mut self) -> Result<DeadLetterStep, Error> {
        let DeadLetterPlace { after, newest } = self.place;
        if after >= newest {
            return Ok(DeadLetterStep::End);
        }
        match self.letters.first(&self.subject, after + 1).await? {
            Some(letter) if letter.number <= newest => {
                self.place.after = letter.number;
                let fits = self.filter.fits(&letter);
                Ok(if fits {
                    DeadLetterStep::Letter(Box::new(letter))
                } else {
                    DeadLetterStep::Passed
                })
            }
            _ => {
                self.place.after = newest;
                Ok(DeadLetterStep::End)
            }
        }
    }

    /// Where to go on; `None` when nothing is left.
    #[must_use]
    pub fn place(&self) -> Option<DeadLetterPlace> {
        (self.place.after < self.place.newest).then_some(self.place)
    }
}
