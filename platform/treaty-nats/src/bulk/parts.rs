//! Parts of pages, on their way from the feeder to whichever publisher has room.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

/// The receiving end, shared by all publishers of a run.
pub(super) struct Parts<E>(Arc<Mutex<mpsc::Receiver<Vec<E>>>>);

impl<E> Clone for Parts<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E> Parts<E> {
    /// A channel with room for one part, so that the feeder is at most a page ahead.
    pub(super) fn channel() -> (mpsc::Sender<Vec<E>>, Self) {
        let (sender, receiver) = mpsc::channel(1);
        (sender, Self(Arc::new(Mutex::new(receiver))))
    }

    /// The next part; `None` after the last. Giving up waiting loses nothing.
    pub(super) async fn next(&self) -> Option<Vec<E>> {
        self.0.lock().await.recv().await
    }
}
