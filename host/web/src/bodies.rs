//! The bodies of a request and of its answer, which tell the place of their connection how
//! far it is.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

use crate::places::Place;

/// Bytes of an answer that are handed over at a time. The rest waits here until they are
/// sent, however large the pieces are in which an answer was made: its end is not handed
/// over long before the client has it.
const PIECE: usize = 16 << 10;

/// The body of a request, at whose end the connection begins to work.
pub(super) struct Received {
    body: Incoming,
    place: Arc<Place>,
    whole: bool,
}

impl Received {
    pub(super) fn new(body: Incoming, place: Arc<Place>) -> Self {
        let mut received = Self {
            body,
            place,
            whole: false,
        };
        received.look();
        received
    }

    fn look(&mut self) {
        if !self.whole && self.body.is_end_stream() {
            self.whole = true;
            self.place.works();
        }
    }
}

impl HttpBody for Received {
    type Data = <Incoming as HttpBody>::Data;
    type Error = <Incoming as HttpBody>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        match &frame {
            Poll::Ready(None) if !self.whole => {
                self.whole = true;
                self.place.works();
            }
            Poll::Ready(_) => self.look(),
            Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer, at whose end the connection waits again when all is sent.
pub(super) struct Sent {
    body: Body,
    /// What is left of the piece that is sent at present.
    rest: Bytes,
    place: Arc<Place>,
}

impl Sent {
    pub(super) fn new(body: Body, place: Arc<Place>) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            place,
        }
    }

    fn piece(&mut self) -> Frame<Bytes> {
        let length = self.rest.len().min(PIECE);
        Frame::data(self.rest.split_to(length))
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.piece())));
        }
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        let frame = match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => {
                self.rest = data;
                Some(Ok(self.piece()))
            }
            Some(Ok(Err(other))) => Some(Ok(other)),
            Some(Err(error)) => Some(Err(error)),
            None => None,
        };
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.place.ends();
    }
}
