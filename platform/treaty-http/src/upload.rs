//! Requests of many messages: JSON objects, a line each, or pieces of a raw body.

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use treaty_error::Error;
use treaty_rpc::MessageStream;

use crate::payload::Input;
use crate::read::{Arriving, Media, Refusal, check_media};

/// A body on its way to becoming messages.
struct Lines<Q> {
    input: Input<Q>,
    headers: HeaderMap,
    arriving: Arriving,
    buffer: BytesMut,
    ended: bool,
}

/// The messages of a body, read while they arrive.
pub(crate) fn messages<Q: Default + Send + 'static>(
    input: Input<Q>,
    headers: HeaderMap,
    arriving: Arriving,
) -> Result<MessageStream<Q>, Refusal> {
    if !input.is_raw() {
        check_media(&headers, Media::Lines)?;
    }
    let lines = Lines { input, headers, arriving, buffer: BytesMut::new(), ended: false };
    Ok(Box::pin(futures::stream::try_unfold(lines, |mut lines| async move {
        Ok(lines.next().await?.map(|message| (message, lines)))
    })))
}

impl<Q: Default> Lines<Q> {
    async fn next(&mut self) -> Result<Option<Q>, Error> {
        if self.input.is_raw() {
            return match self.arriving.next().await.map_err(|refusal| refusal.error)? {
                Some(piece) => Ok(self.input.read_piece(&self.headers, piece)),
                None => Ok(None),
            };
        }
        while let Some(line) = self.line().await? {
            if !line.iter().all(u8::is_ascii_whitespace) {
                return self.input.read_line(&line).map(Some);
            }
        }
        Ok(None)
    }

    /// The next line; the last one need not end in a line feed.
    async fn line(&mut self) -> Result<Option<Bytes>, Error> {
        let mut searched = 0;
        loop {
            let fresh = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(searched + at).freeze();
                self.buffer.advance(1);
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            if self.ended {
                let last = self.buffer.split().freeze();
                return Ok((!last.is_empty()).then_some(last));
            }
            match self.arriving.next().await.map_err(|refusal| refusal.error)? {
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None => self.ended = true,
            }
        }
    }
}
