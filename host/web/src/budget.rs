//! Room for long answers and long requests: so many bytes in all, shared by both APIs, and a share
//! for each address and each user.
//!
//! Plugins decide how long an answer is, and clients how long they read it. So an answer is put
//! together piece by piece, and a piece has room here until the next one is wanted. Clients that
//! read slowly hold the room of one piece each, and the others wait for theirs. A few pieces are
//! made at a time, so that at most these few go beyond the bound when they get longer than thought.
//! Bodies, the values in them and answers that are made whole are kept for longer, and may have
//! three quarters of the room.

mod holders;

use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use hyper::body::{Frame, SizeHint};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::access::Access;
use crate::places::network_of;
use crate::rows::{PIECE, Pieces};
use crate::server::Peer;
use holders::{Held, Holder};

/// Bytes of everything under way.
const TOTAL: usize = 256 << 20;
/// Bytes of a piece that is sent: itself, and as much of the one before it.
const COST: usize = 2 * PIECE;
/// Pieces that are made at a time.
const DESKS: usize = 4;
/// How long an answer waits for room before it is refused, and how many do so.
const WAIT: Duration = Duration::from_secs(2);
const WAITERS: usize = 16;

/// The room of a hub. Clones share it.
#[derive(Clone)]
pub struct Budget {
    inner: Arc<Inner>,
}

struct Inner {
    total: usize,
    used: Mutex<Used>,
    freed: Notify,
    desks: Semaphore,
    waiters: Semaphore,
}

/// Bytes in use, of them those that are kept for as long as a request or an answer takes.
#[derive(Default)]
struct Used {
    all: Held,
    kept: Held,
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(TOTAL)
    }
}

impl Inner {
    /// Most bytes that may be kept; the rest is for pieces alone.
    fn most_kept(&self) -> usize {
        self.total.saturating_sub(self.total / 4)
    }
}

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn of(total: usize) -> Self {
        let inner = Inner {
            total,
            used: Mutex::default(),
            freed: Notify::new(),
            desks: Semaphore::new(DESKS),
            waiters: Semaphore::new(WAITERS),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The share of this client, without a user's name.
    #[must_use]
    pub fn share(&self, client: IpAddr) -> Share {
        Share {
            budget: self.clone(),
            holder: Holder {
                address: network_of(client),
                user: None,
            },
        }
    }

    /// Bytes that are in use.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used_by().all.sum()
    }

    fn used_by(&self) -> MutexGuard<'_, Used> {
        let used = self.inner.used.lock();
        used.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The share that a client has of the room.
#[derive(Clone)]
pub struct Share {
    budget: Budget,
    holder: Holder,
}

/// There is no room.
#[derive(Debug)]
pub struct Full;

impl Share {
    /// The share of this user at this client; of the client alone where the name is empty.
    #[must_use]
    pub fn of_user(mut self, name: &str) -> Self {
        self.holder.user = (!name.is_empty()).then(|| name.into());
        self
    }

    /// Takes room for the bytes that an answer keeps from its first to its last byte; `None` when
    /// there is none in time. More than an eighth of all counts as that, so that the longest
    /// answer that was made can be sent as well.
    pub async fn take(&self, bytes: usize) -> Option<Room> {
        let bytes = bytes.min(self.budget.inner.total / 8);
        if let Some(room) = self.try_take(bytes, true) {
            return Some(room);
        }
        let _turn = self.budget.inner.waiters.try_acquire().ok()?;
        let room = async {
            loop {
                self.until_fit(bytes, true).await;
                if let Some(room) = self.try_take(bytes, true) {
                    return room;
                }
            }
        };
        timeout(WAIT, room).await.ok()
    }

    /// Takes room for bytes that are kept, all of them and at once.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn take_now(&self, bytes: usize) -> Result<Room, Full> {
        self.try_take(bytes, true).ok_or(Full)
    }

    /// The pieces as they are wanted, each with its room, and their length when the first is all;
    /// `None` when there is no room in time. `beside` counts the bytes that the answer keeps beside
    /// [`Pieces::weight`].
    pub async fn send(
        self,
        pieces: Box<dyn Pieces>,
        beside: usize,
    ) -> Option<(Option<usize>, impl Stream<Item = Bytes> + Send + 'static)> {
        let kept = self.take(pieces.weight().saturating_add(beside)).await?;
        timeout(WAIT, self.until_fit(COST, false)).await.ok()?;
        let mut sending = Sending {
            share: self,
            pieces,
            more: true,
            room: None,
            _kept: kept,
        };
        let first = sending.make().await;
        let length = (!sending.more).then_some(first.len());
        let begun = (sending, Some(first));
        let rest = stream::unfold(begun, |(mut sending, first)| async move {
            if let Some(first) = first {
                return Some((Bytes::from(first), (sending, None)));
            }
            // The piece before is on its way.
            sending.room = None;
            if !sending.more {
                return None;
            }
            let piece = sending.make().await;
            Some((Bytes::from(piece), (sending, None)))
        });
        Some((length, rest))
    }

    /// Waits until there seems to be so much room.
    async fn until_fit(&self, bytes: usize, kept: bool) {
        loop {
            let mut freed = pin!(self.budget.inner.freed.notified());
            freed.as_mut().enable();
            if self.fits(&self.budget.used_by(), bytes, kept) {
                return;
            }
            freed.await;
        }
    }

    /// Whether there is room for so many bytes more.
    fn fits(&self, used: &Used, bytes: usize, kept: bool) -> bool {
        let inner = &self.budget.inner;
        used.all.fits(&self.holder, bytes, inner.total)
            && (!kept || used.kept.fits(&self.holder, bytes, inner.most_kept()))
    }

    fn try_take(&self, bytes: usize, kept: bool) -> Option<Room> {
        let mut used = self.budget.used_by();
        if !self.fits(&used, bytes, kept) {
            return None;
        }
        used.all.add(&self.holder, bytes);
        if kept {
            used.kept.add(&self.holder, bytes);
        }
        Some(Room {
            share: self.clone(),
            bytes,
            kept,
        })
    }
}

/// Bytes that are in use until this is dropped.
pub struct Room {
    share: Share,
    bytes: usize,
    kept: bool,
}

impl Room {
    /// Takes so many bytes more.
    ///
    /// # Errors
    ///
    /// There are none; then the room is as it was.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let mut used = self.share.budget.used_by();
        if !self.share.fits(&used, bytes, self.kept) {
            return Err(Full);
        }
        self.count(&mut used, bytes);
        drop(used);
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// Makes the room of a piece so large, whether or not there is so much.
    fn stretch(&mut self, bytes: usize) {
        let more = bytes.saturating_sub(self.bytes);
        self.count(&mut self.share.budget.used_by(), more);
        self.bytes = self.bytes.saturating_add(more);
    }

    fn count(&self, used: &mut Used, bytes: usize) {
        used.all.add(&self.share.holder, bytes);
        if self.kept {
            used.kept.add(&self.share.holder, bytes);
        }
    }

    /// Gives back all but so many bytes; room of less stays as it is.
    pub fn shrink_to(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.bytes = self.bytes.saturating_sub(less);
        self.give_back(less);
    }

    fn give_back(&self, bytes: usize) {
        let Share { budget, holder } = &self.share;
        let mut used = budget.used_by();
        used.all.give_back(holder, bytes);
        if self.kept {
            used.kept.give_back(holder, bytes);
        }
        drop(used);
        budget.inner.freed.notify_waiters();
    }

    /// A response that has the room until it was sent.
    pub fn hold(self, response: Response) -> Response {
        response.map(|body| Body::new(Roomy { body, _room: self }))
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Room").field(&self.bytes).finish()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

/// An answer that is put together while it is sent.
struct Sending {
    share: Share,
    pieces: Box<dyn Pieces>,
    more: bool,
    /// The room of the piece that is sent.
    room: Option<Room>,
    _kept: Room,
}

impl Sending {
    async fn make(&mut self) -> String {
        loop {
            // This wait is not at the desk, where it would hold up others.
            self.share.until_fit(COST, false).await;
            let _desk = self.share.budget.inner.desks.acquire().await.ok();
            let Some(mut room) = self.share.try_take(COST, false) else {
                continue;
            };
            let mut piece = String::with_capacity(PIECE + (4 << 10));
            self.more = self.pieces.fill(&mut piece).await;
            room.stretch(piece.capacity().saturating_add(PIECE));
            self.room = Some(room);
            return piece;
        }
    }
}

/// A body that was made whole, with its room.
struct Roomy {
    body: Body,
    _room: Room,
}

impl HttpBody for Roomy {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The answer when there is no room: the client may come back in a moment.
pub fn full() -> Response {
    let soon = HeaderValue::from_static("1");
    let text = "the hub is sending too much at present; try again in a moment\n";
    let headers = [(header::RETRY_AFTER, soon)];
    (StatusCode::SERVICE_UNAVAILABLE, headers, text).into_response()
}

/// Marks a response that has its room already.
#[derive(Debug, Clone, Copy)]
pub struct HasRoom;

/// Gives answers room that were made whole and are longer than a piece.
pub async fn of_whole_answers(
    State((budget, access)): State<(Budget, Access)>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let client = access.client(peer.address.ip(), request.headers()).address;
    let response = next.run(request).await;
    if response.extensions().get::<HasRoom>().is_some() {
        return response;
    }
    let size = response.body().size_hint().exact();
    let size = size.and_then(|size| usize::try_from(size).ok());
    let Some(size) = size.filter(|size| *size > PIECE) else {
        return response;
    };
    let share = budget.share(client).of_user(peer.user());
    match share.take(size).await {
        Some(room) => room.hold(response),
        None => full(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
