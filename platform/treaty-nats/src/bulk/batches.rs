//! Atomic batches (NATS architecture decision record 50): the server stores all messages of
//! a batch or none, with one answer for all and, where it syncs before it answers, one sync.
//!
//! What a server makes of them is tried, not assumed: one that does not know them stores
//! each message by itself and says so in its answer to the first. A batch that was refused,
//! or whose outcome is unknown, goes out message by message under the same ids: a batch is
//! refused whole when one of its ids is known already.

use std::iter::Peekable;
use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::jetstream::{Error as ApiError, ErrorCode};
use async_nats::{HeaderMap, HeaderName, HeaderValue, Message};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use treaty_error::{Code, Error};

use super::lane::Lane;
use super::prepared::Prepared;
use super::replies::{Stored, stored};
use crate::connection::ANSWER_TIMEOUT;
use crate::{Event, Published, failure};

/// Most messages of a batch that a server takes unless it is configured otherwise.
pub(super) const MOST_MESSAGES: usize = 1_000;

/// Bytes after which a batch is closed, which bounds memory when messages are large.
const MOST_BYTES: usize = 1 << 20;

static ID: HeaderName = HeaderName::from_static("Nats-Batch-Id");
static SEQUENCE: HeaderName = HeaderName::from_static("Nats-Batch-Sequence");
static COMMIT: HeaderName = HeaderName::from_static("Nats-Batch-Commit");

/// Most batches of one run that are on their way: a server takes 50 of a stream, from all
/// who publish to it.
const MOST_AT_A_TIME: usize = 10;

/// What is known about batches in this run.
pub(super) struct Batches {
    on_their_way: Semaphore,
    /// The connection on which the server has taken a batch, counted from 1; 0 when none
    /// has, [`REFUSED`](Self::REFUSED) when there is no use in trying.
    proven: AtomicU64,
}

impl Default for Batches {
    fn default() -> Self {
        Self { on_their_way: Semaphore::new(MOST_AT_A_TIME), proven: AtomicU64::new(0) }
    }
}

impl Batches {
    const REFUSED: u64 = u64::MAX;

    fn are_refused(&self) -> bool {
        self.proven.load(Ordering::Relaxed) == Self::REFUSED
    }

    /// After a reconnection it may be another server.
    fn are_proven_on(&self, connection: u64) -> bool {
        self.proven.load(Ordering::Relaxed) == connection
    }

    fn prove_on(&self, connection: u64) {
        let _ = self.proven.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |proven| {
            (proven != Self::REFUSED).then_some(connection)
        });
    }

    fn refuse(&self, stream: &str, error: &Error) {
        if self.proven.swap(Self::REFUSED, Ordering::Relaxed) != Self::REFUSED {
            let error = error.chain();
            tracing::warn!(stream, error, "the stream takes no batches: publishing one by one");
        }
    }
}

/// Why a batch was not stored, or is not known to be.
struct Unstored {
    error: Error,
    /// Whether the next one will fare the same.
    for_good: bool,
    /// How the first message fared, when the server took it for one by itself.
    first: Option<Published>,
}

impl From<Error> for Unstored {
    fn from(error: Error) -> Self {
        Self { error, for_good: false, first: None }
    }
}

impl<E: Event> Lane<E> {
    /// Publishes in batches what can be; the rest is left waiting, to go one by one.
    pub(super) async fn publish_in_batches(&mut self, batches: &Batches, all: Vec<Prepared>) {
        let mut rest = all.into_iter().peekable();
        while rest.peek().is_some() {
            let batch = next_batch(&mut rest);
            if batches.are_refused() || batch.len() < 2 {
                self.waiting.extend(batch);
                continue;
            }
            match self.publish_batch(batches, &batch).await {
                Ok(published) => {
                    for _ in &batch {
                        self.count(|| None, Ok(published));
                    }
                }
                Err(unstored) => self.leave(batches, batch, unstored),
            }
        }
    }

    fn leave(&mut self, batches: &Batches, batch: Vec<Prepared>, unstored: Unstored) {
        let stream = E::STREAM.name;
        if unstored.for_good {
            batches.refuse(stream, &unstored.error);
        } else {
            let (error, messages) = (unstored.error.chain(), batch.len());
            tracing::debug!(stream, error, messages, "a batch goes out one by one");
        }
        let mut batch = batch.into_iter();
        if let Some(published) = unstored.first {
            batch.next();
            self.count(|| None, Ok(published));
        }
        self.waiting.extend(batch);
    }

    async fn publish_batch(
        &mut self,
        batches: &Batches,
        batch: &[Prepared],
    ) -> Result<Published, Unstored> {
        // Never closed; without a permit it would be one batch too many, and no more.
        let _permit = batches.on_their_way.acquire().await;
        let mut connections = self.connection.connections();
        let connection = *connections.borrow_and_update();
        // Short, for each message of the batch carries it; it need be unique among the
        // batches that are on their way.
        let id = HeaderValue::from(format!("{:016x}", rand::random::<u64>()));
        let mut begun = 0;
        if let Some(first) = batch.first()
            && !batches.are_proven_on(connection)
        {
            accepted(&in_time(self.begin(first, &id, &mut connections)).await?)?;
            batches.prove_on(connection);
            begun = 1;
        }
        let reply = in_time(self.commit(batch, begun, &id, &mut connections)).await?;
        let Stored { published, count } = stored(&reply).map_err(refusal)?;
        if count != batch.len() as u64 {
            return Err(failure::unacknowledged().into());
        }
        Ok(published)
    }

    /// Sends the first message of a batch alone.
    async fn begin(
        &mut self,
        first: &Prepared,
        id: &HeaderValue,
        connections: &mut watch::Receiver<u64>,
    ) -> Result<Message, Error> {
        let number = self.window.number(0);
        let headers = batched(first.headers::<E>(), id, 1, false);
        let reply = self.replies.subject(number)?;
        self.send_part(first, headers, Some(reply)).await?;
        self.reply_to(number, connections).await
    }

    /// Sends what is left of a batch and has it stored.
    async fn commit(
        &mut self,
        batch: &[Prepared],
        begun: usize,
        id: &HeaderValue,
        connections: &mut watch::Receiver<u64>,
    ) -> Result<Message, Error> {
        let number = self.window.number(0);
        for (index, message) in batch.iter().enumerate().skip(begun) {
            let last = index + 1 == batch.len();
            let headers = match index {
                0 => message.headers::<E>(),
                _ => message.headers_within::<E>(),
            };
            let headers = batched(headers, id, index + 1, last);
            let reply = last.then(|| self.replies.subject(number)).transpose()?;
            self.send_part(message, headers, reply).await?;
        }
        self.reply_to(number, connections).await
    }

    /// Waits for one answer. With the connection it would be lost.
    async fn reply_to(
        &mut self,
        number: u64,
        connections: &mut watch::Receiver<u64>,
    ) -> Result<Message, Error> {
        loop {
            tokio::select! {
                reply = self.replies.next() => match reply {
                    Some(reply) if self.replies.number(&reply) == Some(number) => return Ok(reply),
                    // Late, for a message that was settled otherwise.
                    Some(_) => {}
                    None => return Err(failure::not_connected()),
                },
                _ = connections.changed() => return Err(failure::unacknowledged()),
            }
        }
    }
}

fn next_batch(all: &mut Peekable<impl Iterator<Item = Prepared>>) -> Vec<Prepared> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while let Some(message) = all.next_if(|next| {
        batch.is_empty() || batch.len() < MOST_MESSAGES && bytes + next.size() <= MOST_BYTES
    }) {
        bytes += message.size();
        batch.push(message);
    }
    batch
}

fn batched(mut headers: HeaderMap, id: &HeaderValue, sequence: usize, last: bool) -> HeaderMap {
    headers.insert(ID.clone(), id.clone());
    headers.insert(SEQUENCE.clone(), HeaderValue::from(sequence));
    if last {
        headers.insert(COMMIT.clone(), HeaderValue::from(1));
    }
    headers
}

async fn in_time<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(ANSWER_TIMEOUT, answer).await.unwrap_or_else(|_| Err(failure::unacknowledged()))
}

/// Whether the first message of a batch was taken as such: the answer is empty.
fn accepted(reply: &Message) -> Result<(), Unstored> {
    if reply.payload.is_empty() && reply.status.is_none() {
        return Ok(());
    }
    let Stored { published, .. } = stored(reply).map_err(refusal)?;
    let message = "the server stores each message of a batch by itself";
    let error = Error::new(Code::Unimplemented, message);
    Err(Unstored { error, for_good: true, first: Some(published) })
}

fn refusal(error: Error) -> Unstored {
    let code = std::error::Error::source(&error)
        .and_then(|source| source.downcast_ref::<ApiError>())
        .map(ApiError::error_code);
    let for_good = matches!(
        code,
        Some(ErrorCode::ATOMIC_PUBLISH_DISABLED | ErrorCode::ATOMIC_PUBLISH_UNSUPPORTED_HEADER)
    );
    Unstored { error, for_good, first: None }
}
