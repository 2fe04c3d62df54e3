//! Who goes, in the order in which they can be spared.

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn newcomer(text: &str) -> Newcomer {
    Newcomer {
        peer: address(text),
        came: Instant::now(),
        socket: Weak::new(),
    }
}

/// A place of a connection that waits.
fn take(places: &Arc<Places>, text: &str) -> Option<Arc<Place>> {
    places.take(&newcomer(text))
}

/// One whose client was let in and waits again.
fn take_known(places: &Arc<Places>, text: &str) -> Arc<Place> {
    let place = take(places, text).unwrap();
    asks(&place);
    place.lets_in(false);
    place.ends();
    place.is_flushed();
    place.reads();
    place.is_dry();
    place
}

fn asks(place: &Place) {
    place.reads();
    place.works();
}

fn is_given_up(place: &Place) -> bool {
    place.given_up.is_cancelled()
}

#[test]
fn of_strangers_the_first_one_goes_whatever_it_sends() {
    let places = Places::new(10, 2, Vec::new());
    let first = take(&places, "10.0.0.1").unwrap();
    let second = take(&places, "10.0.0.1").unwrap();
    asks(&first);
    first.ends();
    first.is_flushed();
    first.reads();
    first.is_dry();
    let other = take(&places, "10.0.0.2").unwrap();
    let _third = take(&places, "10.0.0.1").unwrap();
    assert!(is_given_up(&first) && !is_given_up(&second) && !is_given_up(&other));
}

#[test]
fn whoever_was_let_in_stays_while_there_are_strangers() {
    let places = Places::new(4, 3, Vec::new());
    let mut known: Vec<_> = (0..2).map(|_| take_known(&places, "10.0.0.1")).collect();
    let mut strangers = Vec::new();
    for _ in 0..100 {
        strangers.push(take(&places, "10.0.0.1").unwrap());
    }
    assert!(!known.iter().any(|place| is_given_up(place)));
    // Nor for other addresses, of which one has fewer places.
    let other = take(&places, "10.0.0.2").unwrap();
    for n in 3..100 {
        strangers.push(take(&places, &format!("10.0.0.{n}")).unwrap());
    }
    assert!(is_given_up(&other) && !known.iter().any(|place| is_given_up(place)));
    // Nor while strangers are at work, who will soon have their answers.
    let places = Places::new(4, 3, Vec::new());
    known = (0..2).map(|_| take_known(&places, "10.0.0.1")).collect();
    let at_work = take(&places, "10.0.0.1").unwrap();
    asks(&at_work);
    assert!(take(&places, "10.0.0.1").is_none());
    assert!(!known.iter().any(|place| is_given_up(place)));
    // One who has all of the address's places to themselves takes from themselves.
    let places = Places::new(4, 2, Vec::new());
    known = (0..2).map(|_| take_known(&places, "10.0.0.1")).collect();
    let _more = take(&places, "10.0.0.1").unwrap();
    assert!(is_given_up(&known[0]) && !is_given_up(&known[1]));
}

#[test]
fn a_password_counts_at_once_and_a_network_with_the_whole_request() {
    for (by_password, stays) in [(true, true), (false, false)] {
        let places = Places::new(4, 2, Vec::new());
        let sends = take(&places, "10.0.0.1").unwrap();
        sends.reads();
        sends.lets_in(by_password);
        sends.is_dry();
        let _next = take(&places, "10.0.0.1").unwrap();
        let _more = take(&places, "10.0.0.1").unwrap();
        assert_eq!(is_given_up(&sends), !stays);
    }
}

#[test]
fn what_works_is_not_given_up_before_all_is_sent() {
    let places = Places::new(2, 2, Vec::new());
    let working = take(&places, "10.0.0.1").unwrap();
    asks(&working);
    let feed = take(&places, "10.0.0.1").unwrap();
    asks(&feed);
    feed.is_upgraded();
    assert!(take(&places, "10.0.0.1").is_none());
    assert!(take(&places, "10.0.0.2").is_none());
    assert!(!places.make_room());
    drop(feed);
    let next = take(&places, "10.0.0.2").unwrap();
    asks(&next);
    // The next request is waited for while the end of the answer is on its way.
    working.ends();
    working.reads();
    working.is_dry();
    assert!(!places.make_room());
    working.is_flushed();
    assert!(places.make_room() && is_given_up(&working));
}

#[test]
fn an_answer_does_not_end_the_work_on_the_next_request() {
    let places = Places::new(1, 1, Vec::new());
    let place = take(&places, "10.0.0.1").unwrap();
    asks(&place);
    place.ends();
    place.works();
    place.is_flushed();
    assert!(!places.make_room());
}

#[test]
fn a_crowd_of_an_address_makes_room_for_others() {
    let places = Places::new(4, 3, vec!["10.0.0.9".parse().unwrap()]);
    let crowd: Vec<_> = (0..3).map(|_| take(&places, "10.0.0.1").unwrap()).collect();
    let alone = take(&places, "10.0.0.2").unwrap();
    let _more = take(&places, "10.0.0.3").unwrap();
    assert!(is_given_up(crowd.first().unwrap()) && !is_given_up(&alone));
}

#[test]
fn a_proxy_may_have_more_than_the_share_of_an_address() {
    let places = Places::new(8, 3, vec!["10.0.0.9".parse().unwrap()]);
    let all: Vec<_> = (0..8).map(|_| take(&places, "10.0.0.9").unwrap()).collect();
    assert!(!all.iter().any(|place| is_given_up(place)));
}

#[tokio::test]
async fn what_has_something_to_read_goes_when_it_had_an_answer_and_not_before() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sender = TcpStream::connect(listener.local_addr().unwrap());
    let sender = sender.await.unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    sender.writable().await.unwrap();
    sender.try_write(b"GET").unwrap();
    socket.readable().await.unwrap();
    let socket = Arc::new(socket);
    let places = Places::new(2, 2, Vec::new());
    let sent = Newcomer {
        socket: Arc::downgrade(&socket),
        ..newcomer("10.0.0.1")
    };
    let sent = places.take(&sent).unwrap();
    let dry = take(&places, "10.0.0.1").unwrap();
    let next = take(&places, "10.0.0.1").unwrap();
    assert!(is_given_up(&dry) && !is_given_up(&sent));
    asks(&next);
    assert!(take(&places, "10.0.0.1").is_none());
    sent.ends();
    sent.is_flushed();
    assert!(take(&places, "10.0.0.1").is_some() && is_given_up(&sent));
}

#[test]
fn a_crowd_in_the_line_loses_its_own_turns() {
    let places = Places::new(1, 1, Vec::new());
    let mine = places.line_up(&newcomer("10.0.0.2"));
    let mut crowd: Vec<_> = (0..LINE + 10)
        .map(|_| places.line_up(&newcomer("10.0.0.1")))
        .collect();
    assert!(!mine.sent_away.is_cancelled());
    let gone = crowd.iter().filter(|turn| turn.sent_away.is_cancelled());
    assert!(gone.count() == 11 && crowd[10].sent_away.is_cancelled());
    crowd.clear();
    assert_eq!(places.held().line.len(), 1);
}

#[test]
fn a_network_of_ipv6_counts_as_one_address() {
    assert_eq!(
        network_of(address("2001:db8::1")),
        network_of(address("2001:db8::2"))
    );
    assert_ne!(
        network_of(address("2001:db8::1")),
        network_of(address("2001:db8:0:1::1"))
    );
    assert_eq!(
        network_of(address("::ffff:127.0.0.2")),
        address("127.0.0.2")
    );
}

#[test]
fn a_stranger_at_work_gets_no_further_request_where_there_is_no_place() {
    let places = Places::new(3, 2, Vec::new());
    let known = take_known(&places, "10.0.0.1");
    asks(&known);
    let stranger = take(&places, "10.0.0.1").unwrap();
    asks(&stranger);
    let other = take(&places, "10.0.0.2").unwrap();
    asks(&other);
    assert!(take(&places, "10.0.0.1").is_none());
    let ends = |place: &Place| place.last.is_cancelled();
    assert!(ends(&stranger) && !ends(&known) && !ends(&other));
    assert!(!is_given_up(&stranger));
}

/// A few addresses cannot keep the others out, even with answers that nobody reads.
#[test]
fn whoever_has_no_place_has_one_of_the_reserve() {
    let places = Places::new(32, 16, Vec::new());
    let at_work = |text: &str| {
        let place = take(&places, text);
        place.iter().for_each(|place| asks(place));
        place
    };
    let names = ["10.0.0.1", "10.0.0.2"].repeat(16);
    let crowd: Vec<_> = names.iter().map(|name| at_work(name).unwrap()).collect();
    assert!(at_work("10.0.0.1").is_none());
    let first = at_work("10.0.0.3").unwrap();
    assert!(at_work("10.0.0.3").is_none());
    let _second = at_work("10.0.0.4").unwrap();
    assert!(at_work("10.0.0.5").is_none(), "the reserve has an end");
    drop((first, crowd));
    assert!(at_work("10.0.0.5").is_some());
}
