//! Lists that are answered a page at a time (AIP-158), walked to their end.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use futures::Stream;
use futures::future::BoxFuture;
use treaty_error::Error;

/// Where a method's messages hold what paging needs; a constant in generated code.
pub struct PageSpec<Q, R, T> {
    /// The request's `page_token`.
    pub token: fn(&mut Q) -> &mut String,
    /// The response's `next_page_token`.
    pub next_token: fn(&R) -> &str,
    /// The response's one list.
    pub items: fn(R) -> Vec<T>,
}

impl<Q, R, T> Clone for PageSpec<Q, R, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q, R, T> Copy for PageSpec<Q, R, T> {}

type Fetch<'a, Q, R> = Box<dyn Fn(Q) -> BoxFuture<'a, Result<R, Error>> + Send + 'a>;

/// The pages of a list, as a stream of whole responses.
///
/// A page is asked for when the stream is polled, not before, and by a call of its own,
/// with the method's deadline. The stream ends after the page whose `next_page_token`
/// is empty, and after the first error. A list whose tokens come round again, which
/// would be walked for ever, is such an error (`INTERNAL`).
pub struct Pages<'a, Q, R, T> {
    spec: PageSpec<Q, R, T>,
    fetch: Fetch<'a, Q, R>,
    state: State<'a, Q, R>,
    walk: Walk,
}

enum State<'a, Q, R> {
    /// To be asked for next.
    Next(Q),
    /// The request that is under way, to be changed into the next one.
    Asked(Q, BoxFuture<'a, Result<R, Error>>),
    Ended,
}

impl<'a, Q: Clone, R, T> Pages<'a, Q, R, T> {
    /// The list that this request begins, each page of it by one call of `fetch`.
    pub fn new<F>(spec: PageSpec<Q, R, T>, request: Q, fetch: F) -> Self
    where
        F: Fn(Q) -> BoxFuture<'a, Result<R, Error>> + Send + 'a,
    {
        let fetch = Box::new(fetch);
        Self { spec, fetch, state: State::Next(request), walk: Walk::default() }
    }

    /// The items of all pages, one by one.
    #[must_use]
    pub fn items(self) -> Items<'a, Q, R, T> {
        Items { pages: self, ready: VecDeque::new() }
    }

    /// The token of the page that is asked for next: a place to go on from another
    /// time. `None` when there are no more pages.
    pub fn next_page_token(&mut self) -> Option<&str> {
        match &mut self.state {
            State::Next(request) | State::Asked(request, _) => Some((self.spec.token)(request)),
            State::Ended => None,
        }
    }

    /// The next page; `None` after the last, and after a failure.
    pub async fn next_page(&mut self) -> Option<Result<R, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    fn turn(&mut self, mut request: Q, response: &R) -> Result<State<'a, Q, R>, Error> {
        let next = (self.spec.next_token)(response);
        if next.is_empty() {
            return Ok(State::Ended);
        }
        let token = (self.spec.token)(&mut request);
        if token == next || self.walk.has_come_round(next) {
            return Err(Error::internal("the tokens of the list's pages come round again"));
        }
        next.clone_into(token);
        Ok(State::Next(request))
    }
}

impl<Q: Clone, R, T> Stream for Pages<'_, Q, R, T> {
    type Item = Result<R, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let State::Next(_) = this.state
            && let State::Next(request) = std::mem::replace(&mut this.state, State::Ended)
        {
            let asking = (this.fetch)(request.clone());
            this.state = State::Asked(request, asking);
        }
        let State::Asked(_, asking) = &mut this.state else { return Poll::Ready(None) };
        let answer = ready!(asking.as_mut().poll(cx));
        let State::Asked(request, _) = std::mem::replace(&mut this.state, State::Ended) else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(answer.and_then(|response| {
            this.state = this.turn(request, &response)?;
            Ok(response)
        })))
    }
}

// Nothing in it is pinned by its address: the call under way is boxed.
impl<Q, R, T> Unpin for Pages<'_, Q, R, T> {}

impl<Q, R, T> fmt::Debug for Pages<'_, Q, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

/// The items of a list, asked for a page at a time: see [`Pages`].
pub struct Items<'a, Q, R, T> {
    pages: Pages<'a, Q, R, T>,
    ready: VecDeque<T>,
}

impl<Q: Clone, R, T> Items<'_, Q, R, T> {
    /// The next item; `None` after the last, and after a failure.
    pub async fn next_item(&mut self) -> Option<Result<T, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<Q: Clone, R, T> Stream for Items<'_, Q, R, T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            // A page in the middle may be empty (AIP-158), so this may take several.
            match ready!(Pin::new(&mut this.pages).poll_next(cx)) {
                Some(Ok(page)) => this.ready = (this.pages.spec.items)(page).into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

// Items are only moved through it.
impl<Q, R, T> Unpin for Items<'_, Q, R, T> {}

impl<Q, R, T> fmt::Debug for Items<'_, Q, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("ready", &self.ready.len()).finish_non_exhaustive()
    }
}

/// Notices a walk that goes in a circle, however long, by remembering one place of it
/// (Brent's algorithm).
#[derive(Debug, Default)]
struct Walk {
    remembered: String,
    steps: u64,
    limit: u64,
}

impl Walk {
    fn has_come_round(&mut self, token: &str) -> bool {
        if self.limit > 0 && self.remembered == token {
            return true;
        }
        self.steps += 1;
        if self.steps >= self.limit {
            self.limit = (self.limit * 2).max(1);
            self.steps = 0;
            token.clone_into(&mut self.remembered);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::{FutureExt, StreamExt, TryStreamExt};
    use treaty_error::Code;

    use super::*;

    #[derive(Clone, Default)]
    struct Request {
        page_token: String,
    }

    struct Response {
        numbers: Vec<usize>,
        next: String,
    }

    const SPEC: PageSpec<Request, Response, usize> = PageSpec {
        token: |request| &mut request.page_token,
        next_token: |response| &response.next,
        items: |response| response.numbers,
    };

    /// A list whose page `n` holds `n` twice; `next` gives the page after.
    fn list<'a>(
        asked: &'a AtomicUsize,
        next: impl Fn(usize) -> Option<usize> + Send + Copy + 'a,
    ) -> Pages<'a, Request, Response, usize> {
        Pages::new(SPEC, Request::default(), move |request| {
            async move {
                asked.fetch_add(1, Ordering::SeqCst);
                let page = request.page_token.parse().unwrap_or(0);
                let next = next(page).map(|next| next.to_string()).unwrap_or_default();
                Ok(Response { numbers: vec![page, page], next })
            }
            .boxed()
        })
    }

    #[tokio::test]
    async fn items_come_in_order_and_pages_only_when_needed() {
        let asked = AtomicUsize::new(0);
        let mut items = list(&asked, |page| (page < 2).then_some(page + 1)).items();
        assert_eq!(asked.load(Ordering::SeqCst), 0);
        assert_eq!(items.next().await.unwrap().unwrap(), 0);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert_eq!(items.try_collect::<Vec<_>>().await.unwrap(), [0, 1, 1, 2, 2]);
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn the_next_token_is_a_place_to_go_on_from() {
        let asked = AtomicUsize::new(0);
        let mut pages = list(&asked, |page| (page < 1).then_some(page + 1));
        assert_eq!(pages.next_page_token(), Some(""));
        pages.next().await.unwrap().unwrap();
        assert_eq!(pages.next_page_token(), Some("1"));
        pages.next().await.unwrap().unwrap();
        assert_eq!(pages.next_page_token(), None);
        assert!(pages.next().await.is_none());
    }

    #[tokio::test]
    async fn a_list_that_goes_in_a_circle_is_an_error() {
        for circle in [1, 2, 3, 7, 100] {
            let asked = AtomicUsize::new(0);
            // Five pages lead into the circle.
            let next = move |page| Some(if page == 4 + circle { 5 } else { page + 1 });
            let outcome = list(&asked, next).items().try_collect::<Vec<_>>().await;
            assert_eq!(outcome.unwrap_err().code(), Code::Internal, "{circle}");
            assert!(asked.load(Ordering::SeqCst) <= 5 + 4 * (circle + 5), "{circle}: {asked:?}");
        }
    }

    #[tokio::test]
    async fn a_failure_ends_the_walk() {
        let fetch = |_| async { Err(Error::new(Code::Unavailable, "down")) }.boxed();
        let mut items = Pages::new(SPEC, Request::default(), fetch).items();
        assert_eq!(items.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
        assert!(items.next().await.is_none());
    }
}
