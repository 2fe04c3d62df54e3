//! Tests of room for answers under way.

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
    let budget = Budget::of(16 * COST);
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
    let budget = Budget::of(16 * COST);
    let share = budget.share(client(1));
    let first = share.take(2 * COST).await.unwrap();
    let _rest = share.take_now(4 * COST).unwrap();
    assert!(share.take(COST).await.is_none());
    assert!(budget.share(client(2)).take(COST).await.is_some());
    // There is always room for pieces.
    assert!(sending(&budget, 1, Same(1, 1)).await.is_some());
    drop(first);
    assert!(share.take(COST).await.is_some());
    // An answer larger than the whole budget can be sent.
    assert!(budget.share(client(3)).take(usize::MAX).await.is_some());
}

#[tokio::test]
async fn a_user_who_holds_all_he_can_leaves_room_to_the_next_one() {
    let budget = Budget::of(16 * COST);
    let eve = |n| budget.share(client(n)).of_user("eve");
    let mut held = Vec::new();
    for n in 1..=20 {
        while let Ok(room) = eve(n).take_now(COST) {
            held.push(room);
        }
    }
    assert_eq!(held.len(), 6);
    let ann = budget.share(client(21)).of_user("ann");
    let room = ann.take_now(3 * COST).unwrap();
    drop(room);
    // An address has one share, whoever asks from there.
    assert!(budget.share(client(1)).take_now(COST).is_err());
    drop(held);
    assert_eq!(budget.used(), 0);
}

#[tokio::test]
async fn room_that_is_kept_grows_within_the_share_and_shrinks() {
    let budget = Budget::of(16 * COST);
    let share = budget.share(client(1));
    let mut room = share.take_now(COST).unwrap();
    room.grow(5 * COST).unwrap();
    assert!(room.grow(1).is_err());
    assert_eq!(budget.used(), 6 * COST);
    room.shrink_to(2 * COST);
    room.shrink_to(4 * COST);
    assert_eq!(budget.used(), 2 * COST);
    room.grow(COST).unwrap();
    drop(room);
    assert_eq!(budget.used(), 0);
}

#[tokio::test]
async fn a_piece_that_gets_long_counts_as_long() {
    let budget = Budget::of(16 * COST);
    let mut long = sending(&budget, 1, Same(1, 20 * COST)).await.unwrap();
    assert_eq!(long.next().await.unwrap().len(), 20 * COST);
    assert!(budget.used() >= 20 * COST);
    assert!(sending(&budget, 2, Same(1, 1)).await.is_none());
    drop(long);
    let mut other = sending(&budget, 2, Same(1, 1)).await.unwrap();
    assert_eq!(other.next().await.unwrap().len(), 1);
}
