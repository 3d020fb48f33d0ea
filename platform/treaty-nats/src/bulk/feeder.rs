//! Where messages come from.

use std::future::Future;

use async_trait::async_trait;
use treaty_error::Error;

/// Yields what is to be published, a page at a time.
#[async_trait]
pub trait Feeder<E>: Send {
    /// The next page; an empty one ends the feed. Not called again before the
    /// publishers have room for the page.
    async fn next_page(&mut self) -> Result<Vec<E>, Error>;
}

/// A feeder over a listing with cursors, as APIs with page tokens offer it: the
/// function gets a cursor and returns a page with the cursor of the next, or
/// `None` after the last.
pub fn paged<E, C, F, Fut>(start: C, fetch: F) -> Paged<C, F>
where
    C: Send,
    F: FnMut(C) -> Fut + Send,
    Fut: Future<Output = Result<(Vec<E>, Option<C>), Error>> + Send,
{
    Paged { cursor: Some(start), fetch }
}

/// See [`paged`].
#[derive(Debug)]
pub struct Paged<C, F> {
    cursor: Option<C>,
    fetch: F,
}

#[async_trait]
impl<E, C, F, Fut> Feeder<E> for Paged<C, F>
where
    E: Send,
    C: Send,
    F: FnMut(C) -> Fut + Send,
    Fut: Future<Output = Result<(Vec<E>, Option<C>), Error>> + Send,
{
    async fn next_page(&mut self) -> Result<Vec<E>, Error> {
        // A page in the middle of a filtered listing may be empty.
        while let Some(cursor) = self.cursor.take() {
            let (page, next) = (self.fetch)(cursor).await?;
            self.cursor = next;
            if !page.is_empty() {
                return Ok(page);
            }
        }
        Ok(Vec::new())
    }
}
