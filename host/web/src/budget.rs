//! Room for answers that are under way: so many bytes in all, and for each client.
//!
//! Plugins decide how long an answer is, and clients how long they read it. So an answer is put
//! together piece by piece, and a piece has room here until the next one is wanted. Clients that
//! read slowly hold the room of one piece each, and the others wait for theirs. A few pieces are
//! made at a time, so that at most these few go beyond the bound when they get longer than thought.

use std::collections::HashMap;
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

/// Bytes of all answers under way, and of those of one client.
const TOTAL: usize = 64 << 20;
const EACH: usize = TOTAL / 4;
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
    each: usize,
    used: Mutex<Used>,
    freed: Notify,
    desks: Semaphore,
    waiters: Semaphore,
}

/// Bytes in use, of them those that are kept for as long as an answer takes.
#[derive(Default)]
struct Used {
    all: Count,
    kept: Count,
}

#[derive(Default)]
struct Count {
    sum: usize,
    owners: HashMap<IpAddr, usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(TOTAL, EACH)
    }
}

impl Budget {
    /// A budget of so many bytes, of which one client has `each`.
    pub fn of(total: usize, each: usize) -> Self {
        let inner = Inner {
            total,
            each,
            used: Mutex::default(),
            freed: Notify::new(),
            desks: Semaphore::new(DESKS),
            waiters: Semaphore::new(WAITERS),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The part of this client.
    pub fn share(&self, client: IpAddr) -> Share {
        Share {
            budget: self.clone(),
            owner: network_of(client),
        }
    }

    /// Bytes that are in use.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used_by().all.sum
    }

    fn used_by(&self) -> MutexGuard<'_, Used> {
        let used = self.inner.used.lock();
        used.unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part that a client has of the room.
#[derive(Clone)]
pub struct Share {
    budget: Budget,
    owner: IpAddr,
}

impl Share {
    /// Takes room for the bytes that an answer keeps from its first to its last byte; `None` when
    /// there is none in time. More than the half of a client's part counts as that half, because
    /// the other half is for pieces.
    pub async fn take(&self, bytes: usize) -> Option<Room> {
        let bytes = bytes.min(self.budget.inner.each / 2);
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

    /// Whether there is room for so many bytes more; `kept` may be half of all.
    fn fits(&self, used: &Used, bytes: usize, kept: bool) -> bool {
        let Inner { total, each, .. } = *self.budget.inner;
        let fits = |count: &Count, total: usize, each: usize| {
            let own = count.owners.get(&self.owner).copied().unwrap_or(0);
            count.sum.saturating_add(bytes) <= total && own.saturating_add(bytes) <= each
        };
        fits(&used.all, total, each) && (!kept || fits(&used.kept, total / 2, each / 2))
    }

    fn try_take(&self, bytes: usize, kept: bool) -> Option<Room> {
        let mut used = self.budget.used_by();
        if !self.fits(&used, bytes, kept) {
            return None;
        }
        used.all.add(self.owner, bytes);
        if kept {
            used.kept.add(self.owner, bytes);
        }
        Some(Room {
            share: self.clone(),
            bytes,
            kept,
        })
    }
}

impl Count {
    fn add(&mut self, owner: IpAddr, bytes: usize) {
        self.sum = self.sum.saturating_add(bytes);
        let own = self.owners.entry(owner).or_default();
        *own = own.saturating_add(bytes);
    }

    fn give_back(&mut self, owner: IpAddr, bytes: usize) {
        self.sum = self.sum.saturating_sub(bytes);
        if let Some(own) = self.owners.get_mut(&owner) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                self.owners.remove(&owner);
            }
        }
    }
}

/// Bytes that are in use until this is dropped.
pub struct Room {
    share: Share,
    bytes: usize,
    kept: bool,
}

impl Room {
    /// Makes the room of a piece larger, whether or not there is so much.
    fn grow(&mut self, bytes: usize) {
        let more = bytes.saturating_sub(self.bytes);
        self.bytes = self.bytes.saturating_add(more);
        let mut used = self.share.budget.used_by();
        used.all.add(self.share.owner, more);
    }

    /// A response that has the room until it was sent.
    pub fn hold(self, response: Response) -> Response {
        response.map(|body| Body::new(Held { body, _room: self }))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Share { budget, owner } = &self.share;
        let mut used = budget.used_by();
        used.all.give_back(*owner, self.bytes);
        if self.kept {
            used.kept.give_back(*owner, self.bytes);
        }
        drop(used);
        budget.inner.freed.notify_waiters();
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
            room.grow(piece.capacity().saturating_add(PIECE));
            self.room = Some(room);
            return piece;
        }
    }
}

/// A body that was made whole, with its room.
struct Held {
    body: Body,
    _room: Room,
}

impl HttpBody for Held {
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

/// Gives answers room that were made whole and are longer than a piece.
pub async fn of_whole_answers(
    State((budget, access)): State<(Budget, Access)>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let client = access.client(peer.address.ip(), request.headers()).address;
    let response = next.run(request).await;
    let size = response.body().size_hint().exact();
    let size = size.and_then(|size| usize::try_from(size).ok());
    let Some(size) = size.filter(|size| *size > PIECE) else {
        return response;
    };
    match budget.share(client).take(size).await {
        Some(room) => room.hold(response),
        None => full(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::StreamExt;
    use futures_util::future::BoxFuture;

    use super::*;

    /// So many pieces of this length.
    struct Same(usize, usize);

    impl Pieces for Same {
        fn fill<'a>(&'a mut self, piece: &'a mut String) -> BoxFuture<'a, bool> {
            piece.push_str(&"x".repeat(self.1));
            self.0 -= 1;
            Box::pin(std::future::ready(self.0 > 0))
        }
    }

    fn client(n: u8) -> IpAddr {
        [10, 0, 0, n].into()
    }

    async fn sending(
        budget: &Budget,
        n: u8,
        pieces: Same,
    ) -> Option<Pin<Box<dyn Stream<Item = Bytes> + Send>>> {
        let sent = budget.share(client(n)).send(Box::new(pieces), 0).await;
        sent.map(|(_, pieces)| Box::pin(pieces) as Pin<Box<_>>)
    }

    #[tokio::test]
    async fn answers_that_nobody_reads_hold_what_there_is_room_for() {
        let budget = Budget::of(16 * COST, 8 * COST);
        let mut slow = Vec::new();
        for n in 0..64 {
            let asked = sending(&budget, n % 4, Same(3, PIECE));
            if let Ok(Some(answer)) = timeout(Duration::from_millis(20), asked).await {
                slow.push(answer);
            }
            assert!(budget.used() <= 16 * COST, "{}", budget.used());
        }
        assert!((4..=16).contains(&slow.len()), "{}", slow.len());
        // The client that reads has all, and the others do not.
        let _held = slow.split_off(slow.len() / 2);
        let read = slow.into_iter().map(StreamExt::count);
        let all = futures_util::future::join_all(read);
        let counts = timeout(Duration::from_secs(10), all).await.unwrap();
        assert!(counts.iter().all(|count| *count == 3), "{counts:?}");
        drop(_held);
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn a_client_leaves_room_for_the_others_and_is_refused_in_time() {
        let budget = Budget::of(16 * COST, 4 * COST);
        let share = budget.share(client(1));
        let first = share.take(COST).await.unwrap();
        let _second = share.take(COST).await.unwrap();
        assert!(share.take(COST).await.is_none());
        assert!(budget.share(client(2)).take(COST).await.is_some());
        // There is always room for pieces.
        assert!(sending(&budget, 1, Same(1, 1)).await.is_some());
        drop(first);
        assert!(share.take(COST).await.is_some());
        // An answer larger than the whole budget can be sent, alone.
        assert!(budget.share(client(3)).take(usize::MAX).await.is_some());
    }

    #[tokio::test]
    async fn a_piece_that_gets_long_counts_as_long() {
        let budget = Budget::of(16 * COST, 8 * COST);
        let mut long = sending(&budget, 1, Same(1, 20 * COST)).await.unwrap();
        assert_eq!(long.next().await.unwrap().len(), 20 * COST);
        assert!(budget.used() >= 20 * COST);
        assert!(sending(&budget, 2, Same(1, 1)).await.is_none());
        drop(long);
        let mut other = sending(&budget, 2, Same(1, 1)).await.unwrap();
        assert_eq!(other.next().await.unwrap().len(), 1);
    }
}
