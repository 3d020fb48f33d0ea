//! Dead letters: counted, looked at, driven again, discarded.
//!
//! What a handler could not handle is kept in the stream `dead-letters` until an
//! operator decides. Deployables may only add to it; everything here needs the
//! permissions of an operator.

mod letter;
mod redrive;
mod walk;

use std::collections::BTreeMap;
use std::time::SystemTime;

use async_nats::jetstream::stream::{DeleteMessageErrorKind, RawMessageErrorKind, Stream};
use serde::Deserialize;
use treaty_error::{Code, Error};

pub use letter::DeadLetter;
pub use walk::{DeadLetterPlace, DeadLetterStep, DeadLetterWalk};

use crate::failure::{api, unavailable};
use crate::streams::DEAD_LETTERS;
use crate::{Connection, HandlerSpec, dead_letter_subject};

/// The dead letters of a server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    connection: Connection,
}

/// Which dead letters are meant: those that fit everything that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Stream that the message came from.
    pub stream: Option<String>,
    /// Durable consumer that could not handle it.
    pub durable: Option<String>,
    /// Code of the failure.
    pub code: Option<Code>,
}

/// How many dead letters one handler has: what an alert is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterDepth {
    /// Stream that the messages came from.
    pub stream: String,
    /// Durable consumer that could not handle them.
    pub durable: String,
    /// How many there are.
    pub letters: u64,
    /// When the oldest of them was set aside.
    pub oldest: SystemTime,
}

impl DeadLetterFilter {
    /// The subjects of the letters that may fit.
    fn subject(&self) -> Result<String, Error> {
        let token = |what: &str, name: &Option<String>| match name {
            None => Ok("*".to_owned()),
            Some(name) if is_token(name) => Ok(name.clone()),
            Some(name) => {
                let message = format!("`{name}` cannot be the name of a {what}");
                Err(Error::new(Code::InvalidArgument, message))
            }
        };
        let stream = token("stream", &self.stream)?;
        Ok(dead_letter_subject(&stream, &token("durable consumer", &self.durable)?))
    }

    fn fits(&self, letter: &DeadLetter) -> bool {
        self.code.is_none() || self.code == letter.code()
    }
}

/// Whether it can stand in a subject as one token.
fn is_token(name: &str) -> bool {
    let odd = |c: char| matches!(c, '.' | '*' | '>') || c.is_whitespace() || c.is_control();
    !name.is_empty() && !name.contains(odd)
}

impl DeadLetters {
    pub(crate) fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone() }
    }

    /// How many dead letters each handler has; handlers without one are left out. Costs
    /// one request, and one for each handler that has some.
    ///
    /// # Errors
    /// The filter names what cannot be a name, or asks for a code, which the server does
    /// not count by; the server is not reachable.
    pub async fn depth(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetterDepth>, Error> {
        if filter.code.is_some() {
            let message = "dead letters are not counted by the code of their failure";
            return Err(Error::new(Code::InvalidArgument, message));
        }
        let mut depths = Vec::new();
        for (subject, letters) in self.subjects(&filter.subject()?).await? {
            let Some((stream, durable)) = letter::place(&subject) else { continue };
            // None: discarded since they were counted.
            let Some(oldest) = self.first(&subject, 1).await? else { continue };
            depths.push(DeadLetterDepth {
                stream: stream.to_owned(),
                durable: durable.to_owned(),
                letters,
                oldest: oldest.set_aside,
            });
        }
        Ok(depths)
    }

    /// The letter with this number.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none; the server is not reachable.
    pub async fn get(&self, number: u64) -> Result<DeadLetter, Error> {
        let missing = || Error::new(Code::NotFound, format!("there is no dead letter {number}"));
        // The server takes 0 for a missing number, and complains.
        if number == 0 {
            return Err(missing());
        }
        let found = self.stream().await?.get_raw_message(number).await;
        let found = found_or_none(found.map_err(|error| (error.kind(), error)), "a dead letter")?;
        found.and_then(DeadLetter::of).ok_or_else(missing)
    }

    /// Removes a letter for good; tells whether it was there.
    ///
    /// # Errors
    /// The server is not reachable, or does not permit it.
    pub async fn discard(&self, number: u64) -> Result<bool, Error> {
        let what = format!("removing dead letter {number}");
        let Err(error) = self.stream().await?.delete_message(number).await else {
            return Ok(true);
        };
        // The server has one code for all that can go wrong, so we look ourselves whether
        // somebody was faster.
        match self.get(number).await {
            Err(missing) if missing.code() == Code::NotFound => Ok(false),
            _ => Err(match error.kind() {
                DeleteMessageErrorKind::JetStream(inner) => api(&what, inner),
                _ => unavailable(format!("{what} was not confirmed"), error),
            }),
        }
    }

    async fn stream(&self) -> Result<Stream<()>, Error> {
        let stream = self.connection.jetstream().get_stream_no_info(DEAD_LETTERS.name).await;
        stream.map_err(|error| unavailable("the stream of dead letters cannot be used", error))
    }

    /// The oldest letter of these subjects that has at least this number.
    async fn first(&self, subject: &str, from: u64) -> Result<Option<DeadLetter>, Error> {
        let found = self.stream().await?.get_first_raw_message_by_subject(subject, from).await;
        let found = found_or_none(found.map_err(|error| (error.kind(), error)), "dead letters")?;
        Ok(found.and_then(DeadLetter::of))
    }

    /// How many letters of one handler there are. A deployable may ask for its own.
    ///
    /// # Errors
    /// The server is not reachable, or does not permit it.
    pub(crate) async fn count_of(&self, spec: &HandlerSpec) -> Result<u64, Error> {
        let subject = dead_letter_subject(spec.stream.name, spec.durable);
        Ok(self.subjects(&subject).await?.values().sum())
    }

    /// Subjects that hold letters, with their number. The server tells of up to 100,000
    /// subjects at a time, and there is one for each handler.
    async fn subjects(&self, filter: &str) -> Result<BTreeMap<String, u64>, Error> {
        #[derive(Deserialize)]
        struct Info {
            state: State,
        }
        #[derive(Deserialize)]
        struct State {
            #[serde(default)]
            subjects: Option<BTreeMap<String, u64>>,
        }
        let request = serde_json::json!({ "subjects_filter": filter });
        let subject = format!("STREAM.INFO.{}", DEAD_LETTERS.name);
        match self.connection.ask::<Info>(&subject, &request, "counting dead letters").await {
            Ok(info) => Ok(info.state.subjects.unwrap_or_default()),
            Err(error) if error.code() == Code::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }
}

/// That nothing is there is an answer and not a failure.
fn found_or_none<T, E>(
    answer: Result<T, (RawMessageErrorKind, E)>,
    what: &str,
) -> Result<Option<T>, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    use async_nats::jetstream::ErrorCode;
    match answer {
        Ok(found) => Ok(Some(found)),
        Err((RawMessageErrorKind::NoMessageFound, _)) => Ok(None),
        Err((RawMessageErrorKind::JetStream(inner), _))
            if inner.error_code() == ErrorCode::STREAM_NOT_FOUND =>
        {
            Ok(None)
        }
        Err((RawMessageErrorKind::JetStream(inner), _)) => {
            Err(api(&format!("reading {what}"), inner))
        }
        Err((_, error)) => Err(unavailable(format!("{what} could not be read"), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_streams_and_durables_and_nothing_wider() {
        let of = |durable: &str| DeadLetterFilter {
            durable: Some(durable.to_owned()),
            ..DeadLetterFilter::default()
        };
        assert_eq!(DeadLetterFilter::default().subject().unwrap(), "dead-letters.*.*");
        assert_eq!(of("a-b").subject().unwrap(), "dead-letters.*.a-b");
        for odd in ["", "a.b", "*", ">", "a b"] {
            assert_eq!(of(odd).subject().unwrap_err().code(), Code::InvalidArgument, "{odd:?}");
        }
    }
}
