//! Publishing many messages, fast and with bounded memory.
//!
//! The feeder's pages are cut into [`parts`], which N [`lane`]s take as they have room. A
//! lane sends from its [`window`] and hears the answers on a subscription of its own
//! ([`replies`]); where the stream takes them it sends [`batches`] instead.

mod batches;
mod feeder;
mod lane;
mod options;
mod parts;
mod prepared;
mod replies;
mod report;
mod tally;
mod window;

use std::sync::Arc;

use futures::TryStreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use treaty_error::Error;

pub use feeder::{Feeder, Paged, paged};
pub use options::{PublishOptions, PublishProgress};
pub use report::{PublishFailure, PublishReport};

use crate::{Event, Publisher, outgoing};
use lane::{Lane, Shared};
use parts::Parts;
use tally::Tally;

/// Most messages in the windows of all lanes, which bounds memory however many lanes there
/// are. What the client holds for one subscription is more by far (65,536), so that no
/// answer is dropped because a lane is slow to read.
const MOST_UNCONFIRMED: usize = 16_384;

pub(crate) async fn publish_all<E: Event>(
    publisher: &Publisher<E>,
    feeder: &mut dyn Feeder<E>,
    options: PublishOptions,
) -> Result<PublishReport, Error> {
    let tally = Arc::new(Tally::new(options.max_failures));
    let publishers = options.publishers.max(1);
    let window = options.window.min(MOST_UNCONFIRMED / publishers).max(1);
    let batches = (E::STREAM.atomic_batches && options.atomic_batches).then(Arc::default);
    let (sender, parts) = Parts::channel();
    let caused_by = outgoing::cause();
    let shared = (0..publishers).map(|_| Shared {
        connection: publisher.connection().clone(),
        parts: parts.clone(),
        tally: Arc::clone(&tally),
        batches: batches.clone(),
        window,
        give_up_after: publisher.give_up_after(),
        caused_by: caused_by.clone(),
    });
    let lanes: FuturesUnordered<_> = shared
        .map(|shared| async { Ok::<_, Error>(Lane::new(shared).await?.run().await) })
        .collect();
    // The lanes alone hold the receiver now, so that sending fails once they are all gone.
    drop(parts);
    // One task for all: answers come for many lanes at a time, and as many tasks would wake
    // each other's threads for each. It ends with this future.
    let lanes = AbortOnDropHandle::new(tokio::spawn(lanes.try_fold(
        PublishReport::default(),
        |mut report, other| async {
            report.merge(other);
            Ok(report)
        },
    )));

    let largest_part = if batches.is_some() { batches::MOST_MESSAGES } else { window };
    let fed = feed(feeder, &sender, &tally, &options, largest_part).await;
    drop(sender);
    let report = lanes.await.map_err(Error::internal)??;
    notify(&options, &tally);
    fed?;
    if tally.is_given_up() {
        return report.into_result();
    }
    Ok(report)
}

async fn feed<E: Event>(
    feeder: &mut dyn Feeder<E>,
    sender: &mpsc::Sender<Vec<E>>,
    tally: &Tally,
    options: &PublishOptions,
    largest_part: usize,
) -> Result<(), Error> {
    while !tally.is_given_up() {
        let mut page = feeder.next_page().await?;
        if page.is_empty() {
            break;
        }
        tally.fed(page.len());
        // A large page is split so that every publisher gets a part of it.
        while !page.is_empty() {
            let rest = page.split_off(page.len().min(largest_part));
            let part = std::mem::replace(&mut page, rest);
            if sender.send(part).await.is_err() {
                // Why the lanes are gone, they tell themselves.
                return Ok(());
            }
        }
        notify(options, tally);
    }
    Ok(())
}

fn notify(options: &PublishOptions, tally: &Tally) {
    if let Some(on_progress) = &options.on_progress {
        on_progress(tally.progress());
    }
}
