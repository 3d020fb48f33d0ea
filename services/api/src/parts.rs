//! The parts of the process, and how they end together.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A part that has stopped unasked.
#[derive(Debug, thiserror::Error)]
#[error("{part} has stopped")]
pub struct RunError {
    part: &'static str,
    #[source]
    source: Option<Cause>,
}

/// Something that runs until it is asked to stop.
pub(crate) struct Part<'a> {
    name: &'static str,
    running: BoxFuture<'a, Result<(), Cause>>,
}

impl<'a> Part<'a> {
    /// Answers calls.
    pub(crate) fn server<E: Into<Cause>>(
        name: &'static str,
        running: impl Future<Output = Result<(), E>> + Send + 'a,
    ) -> Self {
        Self { name, running: running.map(|ended| ended.map_err(Into::into)).boxed() }
    }

    /// Works by itself.
    pub(crate) fn worker(
        name: &'static str,
        running: impl Future<Output = ()> + Send + 'a,
    ) -> Self {
        Self { name, running: running.map(Ok).boxed() }
    }
}

/// What ends the servers, and after them the workers.
pub(crate) struct Stops {
    pub(crate) serving: CancellationToken,
    pub(crate) working: CancellationToken,
}

impl Stops {
    pub(crate) fn new(shutdown: &CancellationToken) -> Self {
        Self { serving: shutdown.child_token(), working: CancellationToken::new() }
    }
}

/// Runs everything until the servers have ended; the end of any part ends all.
pub(crate) async fn run(
    servers: Vec<Part<'_>>,
    workers: Vec<Part<'_>>,
    stops: &Stops,
) -> Result<(), RunError> {
    let served = async {
        let outcomes = supervise(servers, &stops.serving, stops).await;
        stops.working.cancel();
        outcomes
    };
    let worked = supervise(workers, &stops.working, stops);
    let (served, worked) = tokio::join!(served, worked);
    served.into_iter().chain(worked).collect()
}

/// Runs parts until `stop`; the end of one before that ends everything.
async fn supervise(
    parts: Vec<Part<'_>>,
    stop: &CancellationToken,
    stops: &Stops,
) -> Vec<Result<(), RunError>> {
    let parts = parts.into_iter().map(async |Part { name: part, running }| {
        let outcome = running.await;
        let asked = stop.is_cancelled();
        stops.serving.cancel();
        match outcome {
            Ok(()) if asked => Ok(()),
            Ok(()) => Err(RunError { part, source: None }),
            Err(error) => Err(RunError { part, source: Some(error) }),
        }
    });
    futures::future::join_all(parts).await
}
