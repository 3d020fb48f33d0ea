//! Watches over a stream until it ends: its time, its panics, and how it ended.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures::Stream;
use tokio::time::Sleep;
use tracing::Span;
use treaty_error::{Code, Error};

use crate::run::{deadline_exceeded, panic_text};
use crate::{MessageStream, MethodSpec};

/// Told once how a stream ended, after so many messages, inside its span.
pub(crate) type OnEnd = fn(&'static MethodSpec, Result<(), &Error>, messages: u64, Instant);

/// A stream that ends at its first error, at its deadline, or when polling it
/// panics, and says so to whoever keeps the record.
pub(crate) struct Guarded<T> {
    /// Dropped at the end, so that whatever feeds it stops at once.
    inner: Option<MessageStream<T>>,
    timer: Option<Pin<Box<Sleep>>>,
    span: Span,
    /// Whose answer it is, and since when.
    call: (&'static MethodSpec, Instant),
    messages: u64,
    on_end: OnEnd,
}

impl<T> Guarded<T> {
    pub(crate) fn new(
        inner: MessageStream<T>,
        deadline: Option<Instant>,
        span: Span,
        call: (&'static MethodSpec, Instant),
        on_end: OnEnd,
    ) -> Self {
        let timer = deadline.map(|at| Box::pin(tokio::time::sleep_until(at.into())));
        Self { inner: Some(inner), timer, span, call, messages: 0, on_end }
    }

    fn end(&mut self, outcome: Result<(), &Error>) {
        // A source that panics while it is dropped must not hide how the call ended.
        let (spec, started) = self.call;
        (self.on_end)(spec, outcome, self.messages, started);
        self.timer = None;
        self.inner = None;
    }

    /// The next item of the source. A panic in it is an error of ours, and the
    /// source is not asked again, which makes the assertion true.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Error>>> {
        if let Some(timer) = &mut self.timer
            && timer.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(deadline_exceeded())));
        }
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let polled = AssertUnwindSafe(|| inner.as_mut().poll_next(cx));
        std::panic::catch_unwind(polled)
            .unwrap_or_else(|panic| Poll::Ready(Some(Err(Error::internal(panic_text(&*panic))))))
    }
}

impl<T> Stream for Guarded<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.inner.is_none() {
            return Poll::Ready(None);
        }
        let span = this.span.clone();
        let _entered = span.enter();
        let item = ready!(this.poll_source(cx));
        match &item {
            Some(Ok(_)) => this.messages += 1,
            Some(Err(error)) => this.end(Err(error)),
            None => this.end(Ok(())),
        }
        Poll::Ready(item)
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        if self.inner.is_some() {
            let span = self.span.clone();
            let _entered = span.enter();
            let gone = Error::new(Code::Cancelled, "nobody listens any more");
            self.end(Err(&gone));
        }
    }
}

// Nothing in it is pinned by its address: the source and the timer are boxed.
impl<T> Unpin for Guarded<T> {}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use futures::StreamExt;
    use futures::stream;

    use super::*;

    static ENDED_AFTER: AtomicU64 = AtomicU64::new(0);

    fn guarded(inner: MessageStream<u8>, deadline: Option<Duration>) -> Guarded<u8> {
        let deadline = deadline.map(|limit| Instant::now() + limit);
        let call = (&MethodSpec::DEFAULT, Instant::now());
        Guarded::new(inner, deadline, Span::none(), call, |_, _, _, _| {})
    }

    #[tokio::test]
    async fn nothing_comes_after_the_first_error() {
        let items = [Ok(1), Err(Error::new(Code::NotFound, "no more")), Ok(2)];
        let mut guarded = guarded(Box::pin(stream::iter(items)), None);
        assert_eq!(guarded.next().await.unwrap().unwrap(), 1);
        assert_eq!(guarded.next().await.unwrap().unwrap_err().code(), Code::NotFound);
        assert!(guarded.next().await.is_none());
        assert!(guarded.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_ends_a_stream_that_still_flows() {
        let ticking = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Some((Ok(1), ()))
        });
        let guarded = guarded(Box::pin(ticking), Some(Duration::from_millis(95)));
        let items: Vec<_> = guarded.collect().await;
        let (last, messages) = items.split_last().unwrap();
        assert!((8..=9).contains(&messages.len()), "{}", messages.len());
        assert_eq!(last.as_ref().unwrap_err().code(), Code::DeadlineExceeded);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_end() {
        let panicking =
            stream::poll_fn(|_| -> Poll<Option<Result<u8, Error>>> { panic!("as told") });
        let mut guarded = guarded(Box::pin(panicking), None);
        let error = guarded.next().await.unwrap().unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert!(error.chain().contains("as told"));
        assert!(guarded.next().await.is_none());
    }

    #[tokio::test]
    async fn a_stream_that_nobody_reads_to_its_end_is_cancelled() {
        let on_end: OnEnd = |_, outcome, messages, _| {
            assert_eq!(outcome.unwrap_err().code(), Code::Cancelled);
            ENDED_AFTER.store(messages, Ordering::SeqCst);
        };
        let endless = Box::pin(stream::repeat_with(|| Ok(1)));
        let call = (&MethodSpec::DEFAULT, Instant::now());
        let mut guarded = Guarded::new(endless, None, Span::none(), call, on_end);
        guarded.next().await.unwrap().unwrap();
        guarded.next().await.unwrap().unwrap();
        drop(guarded);
        assert_eq!(ENDED_AFTER.load(Ordering::SeqCst), 2);
    }
}
